package coldtest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/deletion"
	"github.com/weir-analytics/weir/internal/visit"
)

// deletedStory are the events of a project, with whether they are deleted. Minute 12 closes
// /b, and /a once /b is deleted. Without 10 to 35 the visit of d is two.
var deletedStory = []struct {
	at           int // minute
	device, name string
	profile      string
	path         string
	properties   string
	gone         bool
}{
	{0, "d", weir.NameScreenView, "", "/a", "", false},
	{1, "d", "click", "", "", "", false},
	{10, "d", weir.NameScreenView, "", "/b", "", true},
	{11, "d", "scroll", "", "", "", false},
	{12, "d", weir.NameScreenLeave, "", "/b", "", false},
	{30, "d", weir.NameIdentify, "ada", "", `{"$alias":"a1","plan":"pro"}`, true},
	{35, "d", "click", "ada", "/a", "", true},
	{55, "d", "click", "bob", "/a", "", false},
	{56, "d", weir.NameIdentify, "bob", "", `{"plan":"free"}`, false},
	{0, "e", weir.NameScreenView, "", "/a", "", true},
	{5, "f", weir.NameScreenView, "", "/a", "", false},
	{6, "f", weir.NameSessionEnd, "", "", "", true},
	{9, "f", weir.NameScreenView, "", "/c", "", false},
	{3, "", weir.NameCall, "", "", "", true},
	{4, "", weir.NameCall, "", "", "", false},
}

// told is what is stored of a project. Ids of visits are those of the first event.
type told struct {
	Events, Visits, Tallies, Sightings, Links, Aliases, Traits []string
}

// testDeleteStory checks by hand what is left, whatever step a deletion fails in at first.
func testDeleteStory(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	s := begin(t, open)
	want := told{
		Events: []string{
			"e0 v0 /a", "e1 v0 /a from e0", "e10 v1 /a", "e12 v1 /c closes /a 240000", "e14  ", "e3 v0 /a from e0", "e4 v0 /b closes /a 720000", "e7 v2 /a", "e8 v2 ",
		},
		Visits:    []string{"d from 0 to 12: 4 events, 1 views, /a", "d from 55 to 56: 2 events, 0 views, ", "f from 5 to 9: 2 events, 2 views, /a"},
		Tallies:   []string{"api_call 1", "click 2", "identify 1", "screen_leave 1", "screen_view 3", "scroll 1"},
		Sightings: []string{"dd 0", "df 0", "ubob 3"},
		Links:     []string{"d bob"},
		Traits:    []string{"bob plan free"},
	}
	total := 0
	// An engine that runs a part fails in one step of all, another one in each run.
	var only struct {
		step  int
		after bool
	}
	for failed := 0; failed == 0 || failed <= total; failed++ {
		for _, after := range []bool{false, true} {
			project := fmt.Sprint("story-", failed, after)
			if failed == 0 && after || failed > 0 && p.Of > 1 && (failed != only.step || after != only.after) {
				continue
			}
			tellDeleted(t, s, project)
			f := &failing{Store: s, at: failed, after: after}
			c := deletion.Cold{Store: f, ProjectID: project, ID: "gone-" + project, Before: storyFrom.AddDate(1, 0, 0), Clock: time.Now}
			err := c.Delete(t.Context())
			if failed == 0 {
				total = f.calls
				only.step, only.after = 1+rand.IntN(total), rand.IntN(2) == 1
			}
			if (err != nil) != (failed > 0) {
				t.Fatalf("a store that fails at step %d of %d: %v", failed, total, err)
			}
			f.at = 0
			if err := c.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := gocmp.Diff(want, storyOf(t, s, project)); d != "" {
				t.Errorf("a store that fails at step %d of %d, after it is %t (-want +got):\n%s", failed, total, after, d)
			}
		}
	}
}

func tellDeleted(t *testing.T, s cold.Store, project string) {
	t.Helper()
	b := &cold.Batch{Token: project, Log: project, First: 1, Last: uint64(len(deletedStory)), Now: storyFrom.Add(2 * time.Hour), Effaced: true}
	var gone []cold.DeletedEvent
	for i, of := range deletedStory {
		r := weir.EventRow{Seq: uint64(i + 1)}
		r.ID, r.ProjectID, r.Name, r.DeviceID, r.ProfileID, r.Path = fmt.Sprint("e", i), project, of.name, of.device, of.profile, of.path
		r.Time = storyFrom.Add(time.Duration(of.at) * time.Minute)
		r.ReceivedAt = r.Time
		if of.properties != "" {
			r.Properties = json.RawMessage(of.properties)
		}
		if of.name == weir.NameCall {
			r.Call = &weir.Call{Method: "GET", Route: "/r", Status: 200}
		}
		b.Events = append(b.Events, r)
	}
	b.Visits = visit.Folder{LogID: project}.Fold(nil, b.Events, b.Now, nil).Visits
	for i, of := range deletedStory {
		if of.gone {
			gone = append(gone, cold.DeletedEvent{DeletionID: "gone-" + project, EventRow: b.Events[i]})
		}
	}
	write(t, s, b)
	if err := s.Add(t.Context(), project, cold.Additions{Deleted: gone}); err != nil {
		t.Fatal(err)
	}
}

func storyOf(t *testing.T, s cold.Store, project string) told {
	t.Helper()
	var out told
	rows := readEvents(t, s)
	slices.SortFunc(rows, func(a, b weir.EventRow) int { return a.Time.Compare(b.Time) })
	into := map[string]string{} // the visit that has a former session id
	for _, v := range readVisits(t, s) {
		for former := range strings.FieldsSeq(v.Formerly) {
			if v.ProjectID == project {
				into[former] = v.SessionID
			}
		}
	}
	names := map[string]string{"": ""}
	for _, r := range rows {
		if r.ProjectID != project {
			continue
		}
		r.SessionID = cmp.Or(into[r.SessionID], r.SessionID)
		if _, ok := names[r.SessionID]; !ok {
			names[r.SessionID] = fmt.Sprint("v", len(names)-1)
		}
		text := fmt.Sprint(r.ID, " ", names[r.SessionID], " ", r.Path)
		if r.InheritedFrom != "" {
			text += " from " + r.InheritedFrom
		}
		if r.ClosesEventID != "" {
			text += fmt.Sprint(" closes ", r.ClosesPath, " ", r.ClosesMS)
		}
		out.Events = append(out.Events, text)
	}
	slices.Sort(out.Events)
	minute := func(at time.Time) int { return int(at.Sub(storyFrom).Minutes()) }
	visits := map[string]int{}
	for _, v := range readVisits(t, s) {
		if v.ProjectID == project {
			visits[fmt.Sprintf("%s from %d to %d: %d events, %d views, %s", v.DeviceID, minute(v.Start), minute(v.End), v.Events, v.ScreenViews, v.Entry)] += int(v.Sign)
		}
	}
	for text, n := range visits {
		if n != 0 {
			out.Visits = append(out.Visits, text+map[bool]string{true: "", false: fmt.Sprint(" times ", n)}[n == 1])
		}
	}
	slices.Sort(out.Visits)
	list := func(q string) (texts []string) {
		each(t, s, "SELECT text FROM ("+q+") AS texts ORDER BY text", func(r *sql.Rows) error {
			var text string
			err := r.Scan(&text)
			texts = append(texts, text)
			return err
		})
		return texts
	}
	of := " WHERE project_id = '" + project + "'"
	out.Tallies = list("SELECT CONCAT(name, ' ', CAST(SUM(events) AS VARCHAR)) AS text FROM tallies" + of + " GROUP BY name HAVING SUM(events) <> 0")
	out.Sightings = list("SELECT DISTINCT CONCAT(person, ' ', CAST(quarter - " + fmt.Sprint(weir.Quarter(storyFrom)) + " AS VARCHAR)) AS text FROM sightings" + of)
	out.Links = list("SELECT DISTINCT CONCAT(device_id, ' ', profile_id) AS text FROM identities" + of)
	out.Aliases = list("SELECT DISTINCT CONCAT(alias, ' ', profile_id) AS text FROM aliases" + of)
	out.Traits = list("SELECT DISTINCT CONCAT(profile_id, ' ', trait, ' ', text) AS text FROM traits" + of)
	return out
}

// failing is a store whose call of a number fails once, before it has done its work or after.
type failing struct {
	cold.Store
	calls, at int
	after     bool
}

var errPlanned = errors.New("planned")

func (f *failing) do(work func() error) error {
	f.calls++
	if f.calls != f.at {
		return work()
	}
	if f.after {
		if err := work(); err != nil {
			return err
		}
	}
	return errPlanned
}

func (f *failing) Write(ctx context.Context, b *cold.Batch) error {
	if b.Again { // the server ends
		return errPlanned
	}
	return f.do(func() error { return f.Store.Write(ctx, b) })
}

func (f *failing) Add(ctx context.Context, token string, rows cold.Additions) error {
	return f.do(func() error { return f.Store.Add(ctx, token, rows) })
}

func (f *failing) DeleteEvents(ctx context.Context, c cold.DeletedChunk) error {
	return f.do(func() error { return f.Store.DeleteEvents(ctx, c) })
}

func (f *failing) DeleteRows(ctx context.Context, parts ...cold.Part) error {
	for _, p := range parts { // each part is a step of its own in some engines
		if err := f.do(func() error { return f.Store.DeleteRows(ctx, p) }); err != nil {
			return err
		}
	}
	return nil
}

func (f *failing) Refold(ctx context.Context, rows []weir.EventRow) error {
	for i := range rows {
		if err := f.do(func() error { return f.Store.Refold(ctx, rows[i:i+1]) }); err != nil {
			return err
		}
	}
	return nil
}
