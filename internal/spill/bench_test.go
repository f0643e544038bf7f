package spill_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/spill"
)

// free is a hot tier that costs nothing, so that what is before it shows.
type free struct{}

func (free) Append(context.Context, []hot.Item) ([]int, error) { return nil, nil }

func (free) Seen(context.Context, string, []hot.SeenQuery, time.Time) ([]hot.SeenResult, error) {
	return []hot.SeenResult{hot.SeenDevice}, nil
}

// BenchmarkAppend is an append of one event: to the primary alone, and through
// the Spillway; one op is one event.
func BenchmarkAppend(b *testing.B) {
	for _, p := range []struct {
		name    string
		primary func(b *testing.B) spill.Primary
	}{
		{"free", func(*testing.B) spill.Primary { return free{} }},
		{"pebble", func(b *testing.B) spill.Primary { return openStore(b, b.TempDir(), 4) }},
	} {
		b.Run("primary="+p.name+"/bare", func(b *testing.B) { benchAppend(b, p.primary(b)) })
		b.Run("primary="+p.name+"/spillway", func(b *testing.B) {
			s, err := spill.New(b.Context(), p.primary(b), openStore(b, b.TempDir(), 1), spill.Options{})
			if err != nil {
				b.Fatal(err)
			}
			benchAppend(b, s)
		})
	}
}

// BenchmarkSpill is an append of one event while the primary is away.
func BenchmarkSpill(b *testing.B) {
	r := newRig(b, spill.Options{MaxBytes: 1 << 40})
	r.primary.now(refuses)
	benchAppend(b, r)
}

func benchAppend(b *testing.B, log ingest.Log) {
	var id atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		ctx, cancel := context.WithCancel(b.Context()) // as a request's
		defer cancel()
		var e weir.Event
		its := []hot.Item{{Event: &e, Location: time.UTC}}
		for pb.Next() {
			n := id.Add(1)
			e = event(fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n), fmt.Sprint("device-", n/10%10000))
			if _, err := log.Append(ctx, its); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkReplay replays events; one op is one event.
func BenchmarkReplay(b *testing.B) {
	r := newRig(b, spill.Options{MaxBytes: 1 << 40})
	r.primary.now(refuses)
	for n := b.N; n > 0; n -= 1000 {
		r.send(min(n, 1000))
	}
	clear(r.acked)
	r.primary.now(none)
	b.ResetTimer()
	stop := r.run()
	r.untilCaughtUp()
	b.StopTimer()
	stop()
}
