package insight_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestAProfilesQueryThatIsNotAllowedSaysWhatIs(t *testing.T) {
	e := newEngine(t, &barrier{})
	value := "x"
	bad := "\xff"
	for name, tt := range map[string]struct {
		q    insight.ProfilesQuery
		says string
	}{
		"too many":                   {insight.ProfilesQuery{Limit: 501}, "1 to 500"},
		"fewer than none":            {insight.ProfilesQuery{Limit: -1}, "1 to 500"},
		"a value of no trait":        {insight.ProfilesQuery{Value: &value}, "which trait"},
		"a value that is not UTF-8":  {insight.ProfilesQuery{Trait: "a", Value: &bad}, "value"},
		"a trait that is not UTF-8":  {insight.ProfilesQuery{Trait: bad}, "trait"},
		"a search that is not UTF-8": {insight.ProfilesQuery{Search: bad}, "search"},
		"a cursor of others":         {insight.ProfilesQuery{Cursor: "abc"}, "cursor"},
		"a cursor that is not text":  {insight.ProfilesQuery{Cursor: strings.Repeat("_", 32)}, "cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Profiles(t.Context(), berlin(t), tt.q, 0)
			invalid(t, err, tt.says)
		})
	}
}

func TestAProfileNeedsAnID(t *testing.T) {
	e := newEngine(t, &barrier{})
	for _, id := range []string{"", "\xff", strings.Repeat("x", 9000)} {
		_, err := e.Profile(t.Context(), berlin(t), id, 0)
		invalid(t, err, "profile")
		_, err = e.Erase(t.Context(), berlin(t), nil, nil, id, "")
		invalid(t, err, "profile")
		err = e.Export(t.Context(), berlin(t), id, nil)
		invalid(t, err, "profile")
	}
}

// behind is a barrier that is never passed in time.
type behind struct{}

func (behind) Flush(context.Context) (time.Time, error) { return time.Unix(1, 0), nil }
func (behind) AsOf() time.Time                          { return time.Unix(1, 0) }

// done is a barrier that is passed at once.
type done struct{}

func (done) Flush(context.Context) (time.Time, error) { return time.Now(), nil }
func (done) AsOf() time.Time                          { return time.Now() }

// untouched is an Eraser that must not be asked.
type untouched struct{ t *testing.T }

func (u untouched) Erase(context.Context, cold.Erasure) error {
	u.t.Error("erased before all was there")
	return nil
}

func (u untouched) Mark(context.Context, cold.Erasure) error {
	u.t.Error("marked before all was there")
	return nil
}

func TestNothingIsErasedBeforeAllThatWasAcknowledgedIsThere(t *testing.T) {
	e := insight.New(newStore(t), behind{}, time.Now, insight.Options{})
	if _, err := e.Erase(t.Context(), berlin(t), untouched{t}, nil, "u", "user 1"); weir.ErrorCode(err) != weir.EUNAVAILABLE {
		t.Errorf("error %v, want EUNAVAILABLE", err)
	}
}

// noting is an Eraser and a barrier that note what they were asked.
type noting struct {
	cold.Store
	done
	asked []string
	at    []time.Time
	fails error // of the hot tier
}

func (n *noting) Mark(ctx context.Context, e cold.Erasure) error {
	n.asked, n.at = append(n.asked, "mark"), append(n.at, e.At)
	return n.Store.Mark(ctx, e)
}

func (n *noting) Erase(ctx context.Context, e cold.Erasure) error {
	n.asked, n.at = append(n.asked, "erase"), append(n.at, e.At)
	return n.Store.Erase(ctx, e)
}

// counters are the hot tier's; they note what they were asked beside.
type counters struct{ *noting }

func (counters) DropProject(context.Context, string) error { return nil }

func (n counters) Erase(_ context.Context, project string, devices, consumers []string) error {
	n.asked = append(n.asked, fmt.Sprint("hot ", project, devices, consumers))
	return n.fails
}

func (n *noting) Flush(ctx context.Context) (time.Time, error) {
	n.asked = append(n.asked, "barrier")
	return n.done.Flush(ctx)
}

func TestErasureWaitsAtTheBarrierAgainAfterItsMark(t *testing.T) {
	row := weir.EventRow{Shard: 1, Seq: 1, Event: weir.Event{ID: "e", ProjectID: "p", Name: "click", Time: noon, ReceivedAt: noon, ProfileID: "u", DeviceID: "d"}}
	n := &noting{Store: newStore(t, row), fails: errors.New("the hot tier is away")}
	e := insight.New(n.Store, n, nil, insight.Options{})
	want := []string{"barrier", "mark", "barrier", "hot p[d] [u]"}
	if _, err := e.Erase(t.Context(), berlin(t), n, counters{n}, "u", "user 1"); !errors.Is(err, n.fails) {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, n.asked); d != "" {
		t.Fatal(d)
	}
	// Again, when the hot tier is there: the links are not gone yet.
	n.asked, n.at, n.fails = nil, nil, nil
	if _, err := e.Erase(t.Context(), berlin(t), n, counters{n}, "u", "user 1"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(append(want, "erase"), n.asked); d != "" || !n.at[0].Equal(n.at[1]) {
		t.Errorf("at %v\n%s", n.at, d)
	}
}

func TestAPageOfProfilesHasABoundedSize(t *testing.T) {
	s := newStore(t)
	b := &cold.Batch{Token: "big", Log: "log", First: 1, Last: 1, Now: noon}
	const profiles, traits, size = 30, 90, 8 << 10
	value := strings.Repeat("x", size)
	for i := range profiles {
		id := fmt.Sprintf("u%02d", i)
		for n := range traits {
			b.Traits = append(b.Traits, weir.TraitChange{
				ProjectID: "p", ProfileID: id, Trait: fmt.Sprint("t", n), Op: weir.TraitSet, At: noon, Place: fmt.Sprintf("%s/%03d", id, n), Text: value, Quoted: true,
			})
		}
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	e := insight.New(s, done{}, nil, insight.Options{})
	a, err := e.Profiles(t.Context(), berlin(t), insight.ProfilesQuery{}, 0)
	if err != nil || len(a.Profiles) != profiles {
		t.Fatalf("%d profiles, %v", len(a.Profiles), err)
	}
	bytes, n := 0, 0
	for _, p := range a.Profiles {
		n += len(p.Traits) + p.LeftOut
		for _, v := range p.Traits {
			bytes += len(v)
		}
	}
	if bytes > 8<<20 || bytes < 6<<20 || n != profiles*traits {
		t.Errorf("%d bytes, %d traits shown or left out of %d", bytes, n, profiles*traits)
	}
	one, err := e.Profile(t.Context(), berlin(t), "u29", 0)
	if err != nil || len(one.Traits) != traits {
		t.Errorf("alone it shows %d traits, %v", len(one.Traits), err)
	}
}
