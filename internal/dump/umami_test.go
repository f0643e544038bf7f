package dump_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/dump"
)

// shop is an Umami of n events in a random order, with two data each, and of
// sessions that have the same number.
func shop(n int) (tables []dump.Table, want map[string]string) {
	var events, data, sessions strings.Builder
	events.WriteString("event_id,session_id,event_type,event_name,created_at\n")
	data.WriteString("website_event_id,data_key,string_value,data_type\n")
	sessions.WriteString("session_id,browser,os\n")
	want = map[string]string{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, i := range r.Perm(n) {
		fmt.Fprintf(&events, "e%d,s%d,2,buy,2026-01-01 00:00:00\n", i, i)
		want[fmt.Sprintf("umami_e%d", i)] = fmt.Sprintf(`browser %d {"a":"%d","b":"%s"}`, i, i, strings.Repeat("x", i%50))
	}
	for _, i := range r.Perm(n) {
		fmt.Fprintf(&data, "e%d,a,%d,1\n", i, i)
		fmt.Fprintf(&sessions, "s%d,browser %d,\n", i, i)
	}
	for _, i := range r.Perm(n) {
		fmt.Fprintf(&data, "e%d,b,%s,1\n", i, strings.Repeat("x", i%50))
	}
	return []dump.Table{text("event_data.csv", data.String()), text("website_event.csv", events.String()), text("session.csv", sessions.String())}, want
}

func TestTablesOfAnySizeAreJoinedInTheMemoryThatThereIs(t *testing.T) {
	tables, want := shop(5000)
	for _, memory := range []int{1 << 30, 64 << 10, 4 << 10} {
		temp := t.TempDir()
		records, err := readAll(t, "umami", dump.Options{Memory: memory, Temp: temp}, tables...)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range records {
			e := r.Events[0].Event
			got[e.ID] = e.Browser + " " + string(e.Properties)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %d bytes (-want +got):\n%.2000s", memory, diff)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("with %d bytes %d files are left: %v", memory, len(left), err)
		}
	}
}

func TestAJoinThatHasNoRoomOnDiskIsAnError(t *testing.T) {
	tables, _ := shop(500)
	_, err := readAll(t, "umami", dump.Options{Memory: 4 << 10, Temp: t.TempDir() + "/there is none"}, tables...)
	if err == nil || !strings.Contains(err.Error(), "make a temporary file") {
		t.Errorf("error is %v", err)
	}
}

func TestBrokenRowsOfJoinedTablesAreTold(t *testing.T) {
	records, err := readAll(t, "umami", dump.Options{},
		text("website_event.csv", "event_id,session_id,event_type,event_name,created_at\ne,s,2,buy,2026-01-01 00:00:00\nf,s,9,buy,2026-01-01 00:00:00\n"),
		text("event_data.csv", "event_id,data_key,string_value,data_type\ne,a,1\ne,b,2,1\ne,,2,1\n,b,2,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"event_data.csv:2: 3 columns, but 4 have names", "event_data.csv:4: there is no data_key", "event_data.csv:5: there is no id to join it by",
		"umami_e", "website_event.csv:3: the event_type is not known",
	}
	if diff := cmp.Diff(want, ids(records)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := string(records[3].Events[0].Event.Properties); p != `{"b":"2"}` {
		t.Errorf("properties are %s", p)
	}
}

func TestAJoinedTableThatBreaksOffEndsTheImportBeforeItsEvents(t *testing.T) {
	records, err := readAll(t, "umami", dump.Options{},
		text("website_event.csv", "event_id,session_id,event_type,event_name,created_at\ne,s,2,buy,2026-01-01 00:00:00\n"),
		text("event_data.json", `[{"event_id":"e","data_key":"a","string_value":"x"},`))
	if err == nil || !strings.Contains(err.Error(), "event_data.json: byte ") || len(records) > 0 {
		t.Errorf("error is %v, and there are %d records", err, len(records))
	}
}

func TestASideTableAloneOrFromStandardInputIsRefused(t *testing.T) {
	data := "event_id,data_key,string_value,data_type\ne,b,2,1\n"
	records, err := readAll(t, "umami", dump.Options{}, dump.Table{
		Name: "-", Once: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"-:2: give this table together with website_event, as files: from standard input it cannot be joined"}; !cmp.Equal(want, ids(records)) {
		t.Errorf("records are %q", ids(records))
	}
}

func TestRowsOfOtherTablesOfUmami(t *testing.T) {
	records, err := readAll(t, "umami", dump.Options{},
		text("revenue.csv", "revenue_id,website_id,session_id,event_id,event_name,currency,revenue,created_at\nr,w,s,e,buy,USD,1,2026-01-01 00:00:00\n"))
	if err != nil || len(records) != 1 || !strings.Contains(records[0].Left, "revenue") {
		t.Errorf("records are %v, error %v", records, err)
	}
}
