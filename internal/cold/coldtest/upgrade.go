package coldtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// Upgrade proves a migration that comes to a store of before there were aliases. back
// makes the store one of these, with a statement at a time, and opens it again.
func Upgrade(t *testing.T, s cold.Store, back func(s cold.Store) cold.Store) {
	p := storyProject("upgrade", "from before aliases")
	tell(t, s, p, 1, said{at: 1, profile: "kept", identify: true}, said{at: 2, profile: "kept"}, said{at: 3, profile: "never"},
		said{at: 4, device: "browser"}, said{at: 5, profile: "browser"})
	at := storyFrom.Add(time.Minute)
	row := weir.EventRow{Event: weir.Event{ID: "gone", ProjectID: p.ID, Name: weir.NameIdentify, ProfileID: "gone", Time: at, Properties: []byte(`{"name":"Ada"}`)}}
	write(t, s, &cold.Batch{Token: "gone", Log: "gone", First: 1, Last: 1, Now: time.Now().UTC().Truncate(time.Microsecond), Traits: weir.TraitChanges(&row)})
	s = back(s)
	tell(t, s, p, 50, said{at: 20, profile: "new", alias: "kept"}, said{at: 21, profile: "new", alias: "gone"}, said{at: 22, profile: "new", alias: "never"}, said{at: 23, profile: "gone"})
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	if _, err := e.Profile(context.WithoutCancel(t.Context()), p, "browser", 0); weir.ErrorCode(err) != weir.ENOTFOUND {
		t.Errorf("the profile that is the id of a device: %v", err)
	}
	a, err := e.Profile(context.WithoutCancel(t.Context()), p, "new", 0)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(a.Events, pictureOf(a).Aliases, pictureOf(a).Refused)
	if want := "4 [never] map[gone:identified kept:identified]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
