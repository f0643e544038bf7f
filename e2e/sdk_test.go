package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// ticks is how many events of the name tick each story has.
const ticks = 250

// sdk is one that is driven, and what Weir is to make of its story.
type sdk struct {
	scenario string
	env      []string
	browser  bool
	library  string // beginning of each event's
	// names are those of Weir, by the SDK's kind, name, or kind and name; "" is no
	// event. A name that is not here stays.
	names map[string]string
	// unsaid is how many events there are besides, by name, of which a page cannot tell
	// since they are sent when it is left.
	unsaid map[string]int
	// events are wanted, in whatever order: those of one millisecond have none. Of a
	// name that is here the list is complete.
	events   []object
	profiles map[string]any // by id, all of them

	// besides is the name of events that the SDK sends when it likes, and of which the
	// story says nothing.
	besides string

	troubles []trouble // nil for an SDK that sends nothing again
	// gone are the troubles after which the SDK does not send an event again.
	gone []trouble
	// single is an SDK whose requests hold one event each, without an id: what the
	// server has taken is what there is, also when it is taken twice because an answer
	// was lost, by design. Its requests with the text other are no events.
	single bool
	other  string
	// once is a single SDK whose requests have what Weir makes an id of.
	once bool
	// pairs is how many requests of a single SDK make two events; none of them gets a trouble.
	pairs int
	says  []string // patterns of what the SDK says by design, under troubles
}

// troubled are the SDKs that get into trouble in the short form too: for each vendor one SDK that
// sends again, if there is any.
var troubled = []string{"posthog-node", "openpanel-sdk", "segment-node", "plausible", "umami-node", "mixpanel-node", "amplitude-node", "go posthog"}

func TestSDKsDeliverEachEventOnce(t *testing.T) {
	t.Parallel()
	needSDKs(t, false)
	s := start(t, binary(t, ""), "--listen", freeAddr(t), "--data", t.TempDir())
	for name, c := range sdks() {
		t.Run(name, func(t *testing.T) {
			needSDKs(t, c.browser)
			t.Parallel()
			t.Run("in peace", func(t *testing.T) {
				t.Parallel()
				inPeace(t, s, c)
			})
			if c.troubles == nil { // it sends nothing again
				return
			}
			if os.Getenv("WEIR_TEST_LONG") == "" && !slices.Contains(troubled, name) {
				return
			}
			t.Run("in trouble", func(t *testing.T) {
				t.Parallel()
				inTrouble(t, s, c)
			})
		})
	}
}

// of is the server with another test's voice.
func (s *server) of(t *testing.T) *server { return &server{t: t, url: s.url} }

func (c sdk) name(e sentEvent) string {
	for _, key := range []string{e.Kind + " " + e.Name, e.Name, e.Kind} {
		if name, ok := c.names[key]; ok {
			return name
		}
	}
	return e.Name
}

// counts are those of the events that Weir is to store, by name.
func (c sdk) counts(sent []sentEvent) (byName map[string]int, total int) {
	byName = map[string]int{}
	for _, e := range sent {
		if name := c.name(e); name != "" {
			byName[name]++
			total++
		}
	}
	for name, n := range c.unsaid {
		byName[name] += n
		total += n
	}
	return byName, total
}

// ofStory are the events without those besides.
func (c sdk) ofStory(stored []object) []object {
	return slices.DeleteFunc(stored, func(e object) bool { return text(e, "name") == c.besides })
}

func inPeace(t *testing.T, s *server, c sdk) {
	s = s.of(t)
	p := s.project("UTC")
	began := time.Now()
	g := startGateway(t, s.url)
	n := longer(100, ticks)
	teller, told := tell(t, c.scenario, g.url, p.Key, n, c.env...)
	want, total := c.counts(told.Sent)
	stored := c.ofStory(s.eventsOnce(p, total, c.besides))
	for _, e := range append(told.Errors, teller.end()...) {
		t.Errorf("the SDK says: %s", e)
	}
	got := map[string]int{}
	byName := map[string][]object{}
	for _, e := range stored {
		name := text(e, "name")
		got[name]++
		byName[name] = append(byName[name], e)
		if library := text(e, "library"); !strings.HasPrefix(library, c.library) {
			t.Errorf("the library of %s is %q, want %s", name, library, c.library)
		}
		if e["bot"] == true {
			t.Errorf("%s is taken for a bot's", name)
		}
		ts, err := time.Parse(time.RFC3339, text(e, "ts"))
		if name == "imported" {
			ts = ts.Add(3 * 24 * time.Hour)
		}
		if err != nil || ts.Before(began.Add(-time.Second)) || ts.After(time.Now().Add(time.Second)) {
			t.Errorf("the time of %s is %v (%v), want it since %v", name, ts, err, began)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("stored by name\n%v, want\n%v", got, want)
	}
	sameIDs(t, told.Sent, stored, c)
	like := likeness{}
	seen := map[string]int{}
	for _, e := range c.events {
		name := text(e, "name")
		seen[name]++
		for _, d := range like.take(e, byName) {
			t.Error(d)
		}
	}
	for name, n := range seen {
		if n != got[name] {
			t.Errorf("%d events %s are described, %d are stored", n, name, got[name])
		}
	}
	onceEachTick(t, stored, n)
	profiles := s.profiles(p)
	if a, b := slices.Sorted(maps.Keys(profiles)), slices.Sorted(maps.Keys(c.profiles)); !slices.Equal(a, b) {
		t.Errorf("the profiles are %q, want %q", a, b)
	}
	for _, d := range like.clone().differences("profiles", c.profiles, profiles) {
		t.Error(d)
	}
}

func inTrouble(t *testing.T, s *server, c sdk) {
	s = s.of(t)
	p := s.project("UTC")
	g := startGateway(t, s.url, c.troubles...)
	teller, told := tell(t, c.scenario, g.url, p.Key, ticks, c.env...)
	sent := told.Sent
	_, total := c.counts(sent)
	switch {
	case c.single:
		taken := g.took(c.other)
		if c.once {
			taken = g.tookOnce()
		}
		taken += c.pairs
		if more := taken - total; more < -len(c.gone) || more > len(c.troubles) || more == 0 {
			t.Errorf("%d events were taken, and %d sent", taken, total)
		}
		total = taken
	case c.gone != nil:
		sent = slices.DeleteFunc(slices.Clone(sent), func(e sentEvent) bool { return e.ID != "" && g.gave(c.gone, e.ID) && !g.tookEvent(e.ID) })
		_, total = c.counts(sent)
	}
	stored := c.ofStory(s.eventsOnce(p, total, c.besides))
	for _, e := range unexpected(append(told.Errors, teller.end()...), c.says) {
		t.Errorf("the SDK says: %s", e)
	}
	if len(stored) != total {
		names := map[string]int{}
		for _, e := range stored {
			names[text(e, "name")]++
		}
		wanted, _ := c.counts(sent)
		t.Errorf("%d events are stored, want %d:\n%v, of\n%v", len(stored), total, names, wanted)
	}
	sameIDs(t, sent, stored, c)
	if c.gone == nil || c.single {
		onceEachTick(t, stored, ticks)
	}
	g.happened()
}

// sameIDs fails the test unless the ids that the SDK gave are those that are stored.
func sameIDs(t *testing.T, sent []sentEvent, stored []object, c sdk) {
	t.Helper()
	ids := map[string]int{}
	for _, e := range stored {
		ids[text(e, "id")]++
	}
	for _, e := range sent {
		if e.ID == "" || c.name(e) == "" {
			continue
		}
		if n := ids[e.ID]; n != 1 {
			t.Errorf("%s %s %s is stored %d times", e.Kind, e.Name, e.ID, n)
		}
	}
}

// onceEachTick fails the test unless each of so many ticks is stored once.
func onceEachTick(t *testing.T, stored []object, ticks int) {
	t.Helper()
	n := map[string]int{}
	for _, e := range stored {
		if text(e, "name") == "tick" {
			properties, _ := e["properties"].(object)
			n[fmt.Sprint(properties["n"])]++
		}
	}
	var wrong []string
	for i := range ticks {
		if times := n[fmt.Sprint(i)]; times != 1 {
			wrong = append(wrong, fmt.Sprintf("%d (%d times)", i, times))
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%d ticks are not stored once: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 5)], ", "))
	}
}
