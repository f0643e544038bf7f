package transfer_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// differs runs a copy that has to find differences, and returns them as text.
func differs(t *testing.T, from cold.Reader, to transfer.Store, o transfer.Options) string {
	t.Helper()
	rep, err := transfer.Run(t.Context(), from, to, o)
	if !errors.Is(err, transfer.ErrDiffers) {
		t.Fatalf("error %v, want ErrDiffers", err)
	}
	var lines []string
	for _, d := range rep.Differences {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

func TestARowThatTheDestinationLosesAltersOrDoublesIsNoticed(t *testing.T) {
	from := newFilled(t)
	for name, c := range map[string]struct {
		harm func(b *cold.Batch) bool // false of one that is too small for it
		want string
	}{
		"an event is lost": {func(b *cold.Batch) bool {
			harmful := len(b.Events) > 7
			if harmful {
				b.Events = b.Events[1:]
			}
			return harmful
		}, "events: 1 missing"},
		"an event is altered": {func(b *cold.Batch) bool {
			harmful := len(b.Events) > 7
			if harmful {
				b.Events[7].ClosesMS++
			}
			return harmful
		}, "events: 1 with other values"},
		"an event is doubled": {func(b *cold.Batch) bool {
			harmful := len(b.Events) > 7
			if harmful {
				b.Events = append(b.Events, b.Events[7])
			}
			return harmful
		}, "events: 1 stored more than once"},
		"a visit is lost": {func(b *cold.Batch) bool {
			harmful := len(b.Visits) > 2
			if harmful {
				b.Visits = b.Visits[1:]
			}
			return harmful
		}, "visits: 1 missing"},
		"a visit is altered": {func(b *cold.Batch) bool {
			harmful := len(b.Visits) > 2
			if harmful {
				b.Visits[2].Ended = !b.Visits[2].Ended
			}
			return harmful
		}, "visits: 1 with other values"},
		"a visit is doubled": {func(b *cold.Batch) bool {
			harmful := len(b.Visits) > 2
			if harmful {
				b.Visits = append(b.Visits, b.Visits[2])
			}
			return harmful
		}, "visits: 1 stored more than once"},
		"a link is lost": {func(b *cold.Batch) bool {
			harmful := len(b.Links) > 0
			if harmful {
				b.Links = b.Links[1:]
			}
			return harmful
		}, "identities: 1 missing"},
		"a dead letter is altered": {func(b *cold.Batch) bool {
			harmful := len(b.Dead) > 0
			if harmful {
				b.Dead[0].Event = []byte("{}")
			}
			return harmful
		}, "dead_letters: 1 with other values"},
	} {
		t.Run(name, func(t *testing.T) {
			harmed := false
			found := differs(t, from, &unreliable{Store: newFile(t), before: func(_ int, b *cold.Batch) error {
				events, visits, links, dead := len(b.Events), len(b.Visits), len(b.Links), len(b.Dead)
				if harmed || events+visits+links+dead == 0 {
					return nil
				}
				copied := *b
				copied.Events = append(copied.Events[:0:0], b.Events...)
				copied.Visits = append(copied.Visits[:0:0], b.Visits...)
				copied.Links = append(copied.Links[:0:0], b.Links...)
				copied.Dead = append(copied.Dead[:0:0], b.Dead...)
				part := strings.Fields(c.want)[0]
				if strings.Contains(b.Token, "/"+strings.TrimSuffix(part, ":")+"/") {
					harmed = c.harm(&copied)
				}
				*b = copied
				return nil
			}}, small())
			if !harmed || strings.Count(found, "\n") != 0 || !strings.Contains(found, c.want) || !strings.Contains(found, "project ") || !strings.Contains(found, "2026-03-0") {
				t.Errorf("found %q, want one place with %q", found, c.want)
			}
		})
	}
}

func TestADayThatDiffersIsComparedAgainInTheNextRun(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	lost := ""
	first := differs(t, from, &unreliable{Store: to, before: func(_ int, b *cold.Batch) error {
		if lost == "" && len(b.Events) > 7 {
			lost = b.Events[3].ID
			b.Events = append(b.Events[:3:3], b.Events[4:]...)
		}
		return nil
	}}, small())
	if !strings.Contains(first, lost) {
		t.Errorf("found %q, want it to name %s", first, lost)
	}
	// Its token says that the batch is there.
	if again := differs(t, from, to, small()); again != first {
		t.Errorf("found %q at first, then %q", first, again)
	}
	o := small()
	o.Recheck = true
	copyAll(t, from, to, o)
	same(t, from, to)
	copyAll(t, from, to, small())
}

func TestWhatIsDeletedAfterwardsIsCopiedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "to.duckdb")
	from, to := newFilled(t), openFile(t, path)
	copyAll(t, from, to, small())

	// Fewer events than there were: the mark is not believed.
	statement(t, to, "DELETE FROM events WHERE seq % 7 = 0")
	copyAll(t, from, to, small())
	same(t, from, to)

	// A loss that does not show in the number of events is for Recheck.
	statement(t, to, "DELETE FROM visits WHERE events > 5")
	statement(t, to, "DELETE FROM dead_letters")
	o := small()
	o.Recheck = true
	copyAll(t, from, to, o)
	same(t, from, to)

	// All is gone but the tokens, and the writer's memory of sightings with it.
	for _, table := range []string{"events", "visits", "identities", "dead_letters", "sightings"} {
		statement(t, to, "DELETE FROM "+table)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	to = openFile(t, path)
	copyAll(t, from, to, small())
	same(t, from, to)
}

func TestCopyDoesNotAddASecondRowForAnAlteredOne(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	copyAll(t, from, to, small())
	statement(t, to, "UPDATE events SET title = 'other' WHERE seq = 40")
	o := small()
	o.Recheck = true
	for range 2 {
		if found := differs(t, from, to, o); !strings.Contains(found, "with other values") || strings.Contains(found, "missing") {
			t.Errorf("found %q", found)
		}
	}
	if got := rowsOf(t, to, "SELECT COUNT(*) FROM events"); got[0] != fmt.Sprint(filled, "|") {
		t.Errorf("%s events", got)
	}
}

func TestSightingsThatAreMissingAreNoticed(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	copyAll(t, from, to, small())
	statement(t, to, "DELETE FROM sightings WHERE project_id = 'shop'")
	o := small()
	o.Recheck = true
	if found := differs(t, from, to, o); !strings.Contains(found, " missing in sightings") || strings.Contains(found, "a/b %") {
		t.Errorf("found %q", found)
	}
}

func TestAnEventThatTheDestinationRefusesIsNamedAndTheRestIsCopied(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	statement(t, from, "UPDATE events SET ts = TIMESTAMP '1650-05-05 05:05:05' WHERE seq = 40 AND project_id = 'shop'")
	statement(t, from, "UPDATE events SET properties = '[1]' WHERE seq = 41 AND project_id = 'shop'")
	found := differs(t, from, to, small())
	for _, want := range []string{"1650-05-05, events: ", "refused (ts is out of range: year 1650)", "refused (properties are not a JSON object)"} {
		if !strings.Contains(found, want) {
			t.Errorf("found %q, want it to say %q", found, want)
		}
	}
	want := rowsOf(t, from, "SELECT COUNT(*) FROM events WHERE seq NOT IN (40, 41) OR project_id <> 'shop'")
	if got := rowsOf(t, to, "SELECT COUNT(*) FROM events"); got[0] != want[0] {
		t.Errorf("%s events, want %s", got, want)
	}
}
