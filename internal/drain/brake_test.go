package drain_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
)

// lengths is a log of one shard that is as long as the test says.
type lengths struct {
	hot.Log
	head, committed uint64
}

func (l *lengths) Shards() int { return 1 }
func (l *lengths) Progress(context.Context, int) (hot.Progress, error) {
	return hot.Progress{Head: l.head, Committed: l.committed}, nil
}

// offer offers requests of ten events at a rate for some seconds, while the drain
// moves events at its own, and returns how many were taken.
func offer(t *testing.T, b *drain.Brake, l *lengths, now *time.Time, seconds, rate, drained int) (taken int) {
	t.Helper()
	for range seconds {
		for i := range rate / 10 {
			if at := now.Add(time.Duration(i) * time.Second / time.Duration(rate/10)); b.TakeAt(10, at) {
				taken += 10
				l.head += 10
			}
		}
		l.committed = min(l.head, l.committed+uint64(drained))
		*now = now.Add(time.Second)
		b.Look(t.Context(), *now)
	}
	return taken
}

func TestSendersAreSlowedToTheDrainsRateWhenTheBacklogIsLong(t *testing.T) {
	l, now := &lengths{}, time.Now()
	b := drain.NewBrake(l, 10_000, slog.New(slog.DiscardHandler))
	if got := offer(t, b, l, &now, 5, 3000, 1000); got != 15_000 {
		t.Fatalf("%d of 15000 were taken below the limit", got)
	}
	offer(t, b, l, &now, 10, 9000, 1000) // the limit is passed by far
	before, refusedBefore := l.head-l.committed, b.Refused()
	got := offer(t, b, l, &now, 20, 3000, 1000)
	if got < 15_000 || got > 17_000 {
		t.Fatalf("%d events were taken in 20 s, want about 80 %% of the 20,000 that were drained", got)
	}
	if after := l.head - l.committed; after >= before {
		t.Fatalf("the backlog went from %d to %d", before, after)
	}
	if refused := b.Refused() - refusedBefore; refused != 60_000-uint64(got) {
		t.Fatalf("%d are said to be refused, of %d", refused, 60_000-got)
	}
	offer(t, b, l, &now, 60, 10, 1000)
	if got := offer(t, b, l, &now, 2, 3000, 1000); got != 6000 {
		t.Fatalf("%d of 6000 were taken after the drain had caught up", got)
	}
}

func TestNothingIsRefusedWhileTheColdTierIsAway(t *testing.T) {
	l, now := &lengths{}, time.Now()
	b := drain.NewBrake(l, 10_000, slog.New(slog.DiscardHandler))
	if got := offer(t, b, l, &now, 100, 3000, 0); got != 300_000 {
		t.Fatalf("%d of 300000 were taken", got)
	}
}

func FuzzNote(f *testing.F) {
	f.Add(drain.Note{Full: []string{"p"}, Idle: []string{"p\x00d", ""}}.Encode())
	f.Add(drain.Note{Erased: cold.Erased{{"p", ""}: time.Unix(1, 0), {"p", "hash"}: time.Unix(1, 0)}}.Encode())
	f.Add("\x02\x00\x00\x01\x05\x00\x00\x00")
	f.Add("\x01\xff\xff\xff\xff\xff\x0f")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := drain.DecodeNote(s)
		if err != nil {
			return
		}
		again, err := drain.DecodeNote(n.Encode())
		if err != nil || len(again.Full) != len(n.Full) || len(again.Idle) != len(n.Idle) || len(again.Erased) != len(n.Erased) {
			t.Fatalf("%+v came back as %+v (%v)", n, again, err)
		}
	})
}
