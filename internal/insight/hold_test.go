package insight_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// stuck is a barrier that nobody passes.
type stuck struct{}

func (stuck) Flush(ctx context.Context) (time.Time, error) {
	<-ctx.Done()
	return time.Time{}, ctx.Err()
}
func (stuck) AsOf() time.Time { return time.Time{} }

func TestAnAnswerOfMoreValuesThanThereIsMemoryForIsRefused(t *testing.T) {
	e := insight.New(newStore(t, rows()...), always{}, func() time.Time { return noon }, insight.Options{Memory: 8 << 20})
	q := dayQuery(weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique})
	q.To, q.Interval, q.Breakdown, q.Limit = q.From.AddDate(0, 0, 5), weir.Minute, "path", 100
	_, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0)
	if weir.ErrorCode(err) != weir.ETOOLARGE || !strings.Contains(weir.ErrorMessage(err), "longer interval") {
		t.Errorf("1.4 million values: %v, want ETOOLARGE", err)
	}
	q.Limit = 1
	if _, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0); err != nil {
		t.Errorf("29,000 values: %v", err)
	}
	if held := e.Held(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestAPageOfLargeEventsIsCutAndTheNextGoesOn(t *testing.T) {
	const events = 300
	var many []weir.EventRow
	for i := range events {
		r := view("d1", fmt.Sprint("/", i), float64(i)/100)
		r.Properties = json.RawMessage(fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 60_000)))
		many = append(many, r)
	}
	e := insight.New(newStore(t, many...), always{}, func() time.Time { return noon }, insight.Options{})
	seen := map[string]bool{}
	q := insight.EventsQuery{Limit: 1000}
	for pages := 0; ; pages++ {
		page, err := e.Events(t.Context(), berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, it := range page.Events {
			seen[it.ID] = true
			size += len(it.Properties)
		}
		if size > 4<<20 || len(page.Events) == 0 {
			t.Fatalf("page %d has %d bytes in %d events", pages, size, len(page.Events))
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	if len(seen) != events {
		t.Errorf("%d of %d events", len(seen), events)
	}
}

func TestTimeLimitOfAQuestionIncludesTheBarrier(t *testing.T) {
	e := insight.New(newStore(t, rows()...), stuck{}, func() time.Time { return noon }, insight.Options{MaxTime: 10 * time.Millisecond})
	for name, ask := range map[string]func() error{
		"trend": func() error {
			_, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), 0)
			return err
		},
		"events":   func() error { _, err := e.Events(t.Context(), berlin(t), insight.EventsQuery{}, 0); return err },
		"profiles": func() error { _, err := e.Profiles(t.Context(), berlin(t), insight.ProfilesQuery{}, 0); return err },
		"profile":  func() error { _, err := e.Profile(t.Context(), berlin(t), "u", 0); return err },
	} {
		if err := ask(); weir.ErrorCode(err) != weir.EUNAVAILABLE || !strings.Contains(weir.ErrorMessage(err), "takes too long") {
			t.Errorf("%s: %v, want EUNAVAILABLE", name, err)
		}
	}
}

// slow is a barrier that says who is at it and lets go when it is told.
type slow struct{ at, pass chan struct{} }

func (s slow) Flush(context.Context) (time.Time, error) {
	s.at <- struct{}{}
	<-s.pass
	return noon, nil
}
func (slow) AsOf() time.Time { return time.Time{} }

func TestAnswersThatDoNotFitTogetherAreFoundOutOneAfterAnother(t *testing.T) {
	b := slow{make(chan struct{}), make(chan struct{})}
	e := insight.New(newStore(t, rows()...), b, func() time.Time { return noon }, insight.Options{Memory: 8 << 20})
	asked := make(chan error)
	for range 3 {
		go func() {
			_, err := e.Events(t.Context(), berlin(t), insight.EventsQuery{Limit: 1000}, 0) // takes all of it
			asked <- err
		}()
	}
	for range 3 {
		<-b.at
		if held := e.Held(); held != 8<<20 {
			t.Errorf("%d bytes are held, want those of one answer", held)
		}
		b.pass <- struct{}{}
		if err := <-asked; err != nil {
			t.Error(err)
		}
	}
}

// What a funnel needs is known only when it was read.
func TestAFunnelOfMorePersonsThanThereIsMemoryForIsRefused(t *testing.T) {
	var many []weir.EventRow
	for i := range 20_000 {
		many = append(many, named(fmt.Sprint("d", i), "a", 1), named(fmt.Sprint("d", i), "b", 2))
	}
	q := weir.Funnel{Common: dayQuery().Common, Steps: []weir.Step{{Event: "a"}, {Event: "b"}}, Breakdown: "device_id"}
	s := newStore(t, many...)
	for memory, want := range map[int64]string{8 << 20: weir.ETOOLARGE, 64 << 20: ""} {
		e := insight.New(s, always{}, func() time.Time { return noon }, insight.Options{Memory: memory})
		a, err := insight.Ask[insight.Funnel](t.Context(), e, berlin(t), q, 0)
		if weir.ErrorCode(err) != want {
			t.Errorf("with %d MiB: %v, want %q", memory>>20, err, want)
		}
		if err == nil && (a.Steps[1].Count != 20_000 || len(a.Groups) != 11) {
			t.Errorf("%+v", a.Steps)
		}
		if held := e.Held(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	}
}
