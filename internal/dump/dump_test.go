package dump_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/dump"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
)

// page is a page view of PostHog's with an id of its own.
func page(id, more string) string {
	return fmt.Sprintf(`{"uuid":%q,"event":"$pageview","distinct_id":"d","timestamp":"2026-03-02T09:00:00Z"%s}`, id, more)
}

// ids are those of the events, or what is wrong with records.
func ids(records []golden) (out []string) {
	for _, r := range records {
		if r.Error != "" {
			out = append(out, r.Place+": "+r.Error)
		}
		for _, e := range r.Events {
			out = append(out, e.Event.ID)
		}
	}
	return out
}

func TestRecordsAreFoundInEveryForm(t *testing.T) {
	a, b := page("a", ""), page("b", "")
	want := []string{"a", "b"}
	for name, content := range map[string]string{
		"lines":             a + "\n" + b + "\n",
		"lines, no end":     a + "\n" + b,
		"lines, CRLF":       a + "\r\n\r\n" + b + "\r\n",
		"lines, BOM":        "\ufeff" + a + "\n" + b,
		"array":             "[" + a + "," + b + "]",
		"array, spread out": " [\n " + a + " ,\n\n" + b + "\n]\n",
		"array, BOM":        "\ufeff[" + a + "," + b + "]",
		"page":              `{"next":"https://x/","results":[` + a + "," + b + `],"n":[1,{"a":2}]}`,
		"pages":             `{"results":[` + a + `]}` + "\n" + `{"next":null,"results":[` + b + `]}`,
		"CSV":               "uuid,event,distinct_id,timestamp\na,$pageview,d,2026-03-02 09:00:00\nb,$pageview,d,2026-03-02 09:00:00\n",
		"CSV, other order":  "timestamp,\"uuid\",event, distinct_id\r\n2026-03-02 09:00:00,a,$pageview,d\r\n2026-03-02 09:00:00,b,$pageview,d",
		"CSV, BOM":          "\ufeffuuid,event,distinct_id,timestamp\na,$pageview,d,2026-03-02 09:00:00\nb,$pageview,d,1772442000\n",
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, ids(records)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, r := range records {
			if at := r.Events[0].Event.Time; !at.Equal(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) {
				t.Errorf("%s: time %v", name, at)
			}
		}
	}
}

func TestEachFormOfATimeIsReadByTheImporters(t *testing.T) {
	for written, want := range map[string]string{
		`"2024-01-02 03:04:05 +00:00"`: "2024-01-02T03:04:05Z",
		`"2024-01-02T03:04:05+0000"`:   "2024-01-02T03:04:05Z",
		`"2024-01-02 03:04:05.5"`:      "2024-01-02T03:04:05.5Z",
		`"20240102"`:                   "2024-01-02T00:00:00Z",
		`20240102`:                     "2024-01-02T00:00:00Z",
		`20240102030405`:               "2024-01-02T03:04:05Z",
		`1704164645`:                   "2024-01-02T03:04:05Z",
		`1704164645123456`:             "2024-01-02T03:04:05.123456Z",
		`1.704164645123456e15`:         "2024-01-02T03:04:05.123456Z",
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", `{"uuid":"a","event":"e","distinct_id":"d","timestamp":`+written+"}"))
		if err != nil || len(records) != 1 || len(records[0].Events) != 1 {
			t.Errorf("%s: %+v, %v", written, records, err)
			continue
		}
		if at := records[0].Events[0].Event.Time.Format(time.RFC3339Nano); at != want {
			t.Errorf("%s is read as %s, want %s", written, at, want)
		}
	}
}

func TestWhatIsWrongWithARecordIsToldAndTheNextOneIsRead(t *testing.T) {
	long := `{"x":"` + strings.Repeat("y", dump.MaxRecord) + `"}`
	head := "uuid,event,distinct_id,timestamp\n"
	for _, c := range []struct{ name, content, wrong string }{
		{"no JSON", page("a", "") + "\nnonsense\n" + page("b", ""), "x:2: want an object"},
		{"cut off", page("a", "") + "\n{\"uuid\":\n" + page("b", ""), "x:2: the JSON breaks off"},
		{"two in a line", page("a", "") + "\n{} {}\n" + page("b", ""), "x:2: no valid JSON: something follows the object"},
		{"too long", page("a", "") + "\n" + long + "\n" + page("b", ""), "x:2: the record is over 1048576 bytes long"},
		{"too long in an array", "[" + page("a", "") + ",\n" + long + ",\n" + page("b", "") + "]", "x at byte 1048672: the record is over 1048576 bytes long"},
		{"too long in a page", `{"results":[` + page("a", "") + "," + long + "," + page("b", "") + `],"next":` + long + "}", "x at byte 1048682: the record is over 1048576 bytes long"},
		{"a field that is too long", head + "a,$pageview,d,1772442000\n1,\"" + strings.Repeat("2\n", dump.MaxRecord) + "\",4,5\nb,$pageview,d,1772442000\n", "x:3: the record is over 1048576 bytes long"},
		{"too many fields", head + "a,$pageview,d,1772442000\n1" + strings.Repeat(",", dump.MaxRecord) + "\nb,$pageview,d,1772442000\n", "x:3: the record is over 1048576 bytes long"},
		{"no object", "[" + page("a", "") + ",\n5,\n" + page("b", "") + "]", "x at byte 89: want an object"},
		{"no time", page("a", "") + "\n" + `{"event":"e","distinct_id":"d"}` + "\n" + page("b", ""), "x:2: there is no time"},
		{"bad time", page("a", "") + "\n" + `{"event":"e","distinct_id":"d","timestamp":"2026-02-30 00:00:00"}` + "\n" + page("b", ""), "x:2: the time is none"},
		{"no name", page("a", "") + "\n" + `{"distinct_id":"d","timestamp":"2026-02-03 00:00:00"}` + "\n" + page("b", ""), "x:2: there is no name of an event"},
		{"nobody", page("a", "") + "\n" + `{"event":"e","timestamp":"2026-02-03 00:00:00"}` + "\n" + page("b", ""), "x:2: there is no distinct_id"},
		{"columns", head + "a,$pageview,d,2026-03\n1,2\nb,$pageview,d,1772442000\n", ""},
		{"quotes", head + "a,$pageview,d,1772442000\n1,\"2\"3,4,5\nb,$pageview,d,1772442000\n", `x:3: no valid CSV: extraneous or missing " in quoted-field`},
		{"cells", head + "a,$pageview,d,1772442000\n1,2\nb,$pageview,d,1772442000\n", "x:3: 2 columns, but 4 have names"},
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", c.content))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want := []string{"a", c.wrong, "b"}
		if c.wrong == "" {
			want = []string{"x:2: the time is none", "x:3: 2 columns, but 4 have names", "b"}
		}
		if diff := cmp.Diff(want, ids(records)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestATableThatBreaksOffEndsWithAnErrorAndTheNextOneIsRead(t *testing.T) {
	for content, wrong := range map[string]string{
		"[" + page("a", "") + ",":                    "the file breaks off",
		"[" + page("a", "") + ",}":                   "invalid character '}'",
		"[" + page("a", "") + "] 5":                  "something follows the array",
		`{"results":[` + page("a", "") + `],"next":`: "the file breaks off",
		`{"results":[` + page("a", "") + `]} [`:      "want an object",
		`{"results":` + page("a", ""):                "want an array",
		"":                                           "x: the file is empty",
		"\ufeff \n":                                  "x: the file is empty",
		"\x00\x01\x02":                               "x: this is neither JSON nor CSV",
		"\"uuid":                                     "x: the line of the columns' names",
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", content), text("y", page("b", "")))
		if err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%.40q: error is %v, want %q", content, err, wrong)
		}
		if got := ids(records); len(got) == 0 || got[len(got)-1] != "b" {
			t.Errorf("%.40q: events %q", content, got)
		}
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	gone := dump.Table{Name: "gone", Open: func() (io.ReadCloser, error) { return os.Open("testdata/there is none") }}
	torn := dump.Table{Name: "torn", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(page("a", "")+"\n"+page("b", "")), failing{})), nil
	}}
	records, err := readAll(t, "posthog", dump.Options{}, gone, torn)
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, errDisk) {
		t.Errorf("error is %v", err)
	}
	if diff := cmp.Diff([]string{"a"}, ids(records)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := readAll(t, "mixpanel", dump.Options{}); err == nil || !strings.Contains(err.Error(), "want one of posthog, openpanel") {
		t.Errorf("error is %v", err)
	}
}

var errDisk = errors.New("the disk is gone")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestReadingEndsWithTheCallersError(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	err := dump.Read(t.Context(), "posthog", []dump.Table{text("x", page("a", "")+"\n"+page("b", ""))}, dump.Options{}, func(*dump.Record) error {
		n++
		return stop
	})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("error is %v after %d records", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dump.Read(ctx, "posthog", []dump.Table{text("x", page("a", ""))}, dump.Options{}, func(*dump.Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// native reads events as the server does.
func asNative(t *testing.T, records []golden) []weir.Incoming {
	t.Helper()
	return nativeAt(t, records, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
}

func nativeAt(t *testing.T, records []golden, now time.Time) []weir.Incoming {
	t.Helper()
	var body []byte
	n := 0
	for _, r := range records {
		for i := range r.Events {
			if r.Events[i].Event.ID == "" {
				r.Events[i].Event.ID = fmt.Sprint("made up ", n)
			}
			body = append(dump.AppendEvent(body, &r.Events[i]), '\n')
			n++
		}
	}
	in, rejected, err := native.Decode(body, now, wire.DefaultLimits())
	if err != nil || len(rejected) > 0 || len(in) != n {
		t.Fatalf("%d of %d events are taken, rejected %v, error %v", len(in), n, rejected, err)
	}
	return in
}

func TestTheServerReadsWhatIsWritten(t *testing.T) {
	for vendor, names := range map[string][]string{
		"posthog": {"events.jsonl", "page.json", "events.csv", "table.csv"}, "openpanel": {"events.jsonl", "page.json"}, "plausible": {"events.jsonl"},
		"umami": {"website_event.csv", "event_data.csv", "session_data.csv"}, "ga4": {"events.jsonl"}, "matomo": {"visits.json"},
	} {
		var files []string
		for _, n := range names {
			files = append(files, "testdata/"+vendor+"/"+n)
		}
		records, err := readAll(t, vendor, dump.Options{}, tables(files...)...)
		if err != nil {
			t.Fatal(err)
		}
		var want []weir.Incoming
		got := asNative(t, records)
		for _, r := range records {
			want = append(want, r.Events...)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(weir.Incoming{}, "Index")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", vendor, diff)
		}
	}
}

func TestImportedTextsAreMadeStorable(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	more := `,"properties":{"$device_id":"d","a\u0000":"b\u0000c","n":1e999,"big":12345678901234567890,"bad":"` + "\xff" + `","deep":` + deep + `,"l":[1e999,"\u0000"],` +
		`"$current_url":"https://h/` + strings.Repeat("x", 9000) + `","title":"` + strings.Repeat("é", 2000) + `","$ip":"nobody","$session_id":"` + strings.Repeat("s", 300) + `","twice":1,"twice":2,` +
		`"$geoip_country_code":"Germany","revenue":5,"currency":"Euro"}`
	records, err := readAll(t, "posthog", dump.Options{}, text("x", page("a", more)))
	if err != nil || records[0].Error != "" {
		t.Fatal(err, records[0].Error)
	}
	in := asNative(t, records)[0]
	e := in.Event
	if len(in.Source.URL) != 8192 || len(e.Title) != 2048 || len(e.SessionID) != 255 || in.Source.IP != "" || e.Country != "" || e.Currency != "" || e.Revenue.Value != 5 {
		t.Errorf("event is %.300v", in)
	}
	for _, want := range []string{`"a` + "\ufffd" + `":"b` + "\ufffd" + `c"`, `"n":null`, `"big":12345678901234567890`, `"bad":"` + "\ufffd" + `"`, `"l":[null,"` + "\ufffd" + `"]`, `"twice":2`, `"currency":"Euro"`} {
		if !strings.Contains(string(e.Properties), want) {
			t.Errorf("properties have no %s: %s", want, e.Properties)
		}
	}
}

func TestPostHogExportOfAServersEventHasNoDevice(t *testing.T) {
	for _, more := range []string{
		`,"properties":{"$lib":"posthog-node","$ip":"192.0.2.1","$raw_user_agent":"node"}`,
		`,"properties":{"$is_identified":true,"$ip":"192.0.2.1"}`,
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", page("a", more)))
		if err != nil {
			t.Fatal(err)
		}
		in := records[0].Events[0]
		if in.Event.ProfileID != "d" || in.Event.DeviceID != "" || in.Source.IP != "" || in.Source.UserAgent != "" {
			t.Errorf("%s: %+v", more, in)
		}
	}
}

// A record is passed over in pieces: a zip of 306 KB once took 1.7 GB.
func TestARecordThatIsTooLongIsNotHeld(t *testing.T) {
	const size = 48_000_000 // of each filler a whole number
	head := "uuid,event,distinct_id,timestamp\n"
	for name, c := range map[string]struct{ before, filler, after string }{
		"a line":                {`{"uuid":"`, "x", "\"}\n" + page("b", "")},
		"lines in a field":      {head + `1,"`, "x\n", "\",4,5\nb,$pageview,d,1772442000\n"},
		"fields":                {head + "1", ",", "\nb,$pageview,d,1772442000\n"},
		"a text in an array":    {`[{"uuid":"`, "x", `"},` + page("b", "") + "]"},
		"objects in an array":   {`[{"uuid":[`, "{},", `{}]},` + page("b", "") + "]"},
		"beside the records":    {`{"next":[`, "[],", `[]],"results":[` + page("b", "") + "]}"},
		"brackets in an array":  {`[{"uuid":`, "[", "1" + strings.Repeat("]", size) + `},` + page("b", "") + "]"},
		"quotes within a field": {head + `1,"`, `""`, "\",4,5\nb,$pageview,d,1772442000\n"},
	} {
		table := dump.Table{Name: "x", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(c.before), &repeated{text: c.filler, left: size}, strings.NewReader(c.after))), nil
		}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		records, err := readAll(t, "posthog", dump.Options{}, table)
		runtime.ReadMemStats(&after)
		if got := ids(records); err != nil || len(got) == 0 || got[len(got)-1] != "b" || name != "beside the records" && len(got) != 2 {
			t.Errorf("%s: %.200q, %v", name, got, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
			t.Errorf("%s: %d MB were allocated", name, n>>20)
		}
	}
}

// repeated is a text that comes again and again.
type repeated struct {
	text string
	left int // bytes
	at   int // of text
}

func (r *repeated) Read(p []byte) (n int, err error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	for n < len(p) && r.left > 0 {
		p[n] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
		n++
		r.left--
	}
	return n, nil
}
