package drain_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// pairRig is two tiers of one shard, whose batches a test writes by hand.
type pairRig struct {
	drain.Pair
	t    *testing.T
	now  time.Time
	sent int
}

func newPairRig(t *testing.T) *pairRig {
	t.Helper()
	r := &pairRig{t: t, now: time.Now().UTC().Truncate(time.Microsecond)}
	clock := func() time.Time { return r.now }
	log, err := pebble.Open(filepath.Join(t.TempDir(), "hot"), pebble.Options{Shards: 1, Clock: clock, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	c, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	r.Pair = drain.Pair{Logger: slog.New(slog.DiscardHandler), Clock: clock, Hot: log, Cold: c}
	return r
}

// wrote puts a batch into the cold tier alone.
func (r *pairRig) wrote(first, last uint64) {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	err := r.Cold.Write(r.t.Context(), &cold.Batch{
		Token: fmt.Sprintf("%s/0/%d-%d/%d", r.Hot.ID(), first, last, r.now.UnixMicro()),
		Log:   r.Hot.ID(), First: first, Last: last, Now: r.now,
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// committed moves the hot tier on to last.
func (r *pairRig) committed(first, last uint64) {
	r.t.Helper()
	for uint64(r.sent) < last {
		r.sent++
		e := weir.Event{ID: fmt.Sprint(r.sent), ProjectID: "p", Name: "x", Time: r.now, ReceivedAt: r.now, DeviceID: "d"}
		if _, err := r.Hot.Append(r.t.Context(), []hot.Item{{Event: &e, Location: time.UTC}}); err != nil {
			r.t.Fatal(err)
		}
	}
	l, err := r.Hot.Claim(r.t.Context(), 0, "test", time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	in := hot.Intent{First: first, Last: last, Now: r.now}
	if err := r.Hot.Intend(r.t.Context(), l, in); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Hot.Commit(r.t.Context(), l, in, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *pairRig) drained(first, last uint64) {
	r.t.Helper()
	r.wrote(first, last)
	r.committed(first, last)
}

// fits checks what a start says; "" is that it goes on.
func (r *pairRig) fits(want string) {
	r.t.Helper()
	err := r.Check(r.t.Context())
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		r.t.Errorf("a start says %v, want %q", err, want)
	}
}

func TestAcceptedMismatchStaysAcceptedWhenTheClockIsSetBackAndALaterOneIsFound(t *testing.T) {
	const older = "the hot tier is older than the cold tier"
	for _, back := range []time.Duration{0, time.Hour} {
		t.Run(back.String(), func(t *testing.T) {
			r := newPairRig(t)
			r.drained(1, 6)
			r.fits("")
			r.wrote(7, 20) // which the hot tier has lost
			r.fits(older)
			r.now = r.now.Add(-back)
			r.Accept = true
			r.fits("")
			r.Accept = false
			r.fits("")
			r.now = r.now.Add(-back)
			r.drained(7, 12)
			r.fits("")
			r.drained(13, 24)
			r.drained(25, 30)
			r.fits("")
			r.wrote(31, 40)
			r.fits(older)
		})
	}
}
