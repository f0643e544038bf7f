package importer

import (
	"archive/zip"
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// exportFiles returns files of package dump's tests.
func exportFiles(vendor string, names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, filepath.Join("..", "dump", "testdata", vendor, n))
	}
	return out
}

// emptyZip returns an archive without files.
func emptyZip(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := zip.NewWriter(&b).Close(); err != nil {
		t.Fatal(err)
	}
	return writeLog(t, "export.zip", b.Bytes())
}

func TestAnExportOfAnotherToolIsTold(t *testing.T) {
	for _, c := range []struct {
		from string
		file string
		want string
	}{
		{"posthog", exportFiles("umami", "website_event.csv")[0], "looks like one of umami: use --from umami"},
		{"ga4", exportFiles("plausible", "events.jsonl")[0], "looks like one of plausible: use --from plausible"},
		{"matomo", exportFiles("ga4", "events.jsonl")[0], "looks like one of ga4: use --from ga4"},
		{"openpanel", exportFiles("posthog", "events.jsonl")[0], "looks like one of posthog: use --from posthog"},
		{"plausible", exportFiles("plausible", "imported_visitors_20230209_20240123.csv")[0], "imported_visitors_20230209_20240123.csv: these are daily totals"},
		{"plausible", exportFiles("plausible", "imported_custom_events_20230209_20240123.csv")[0], "Export the table events_v2"},
		{"umami", writeLog(t, "x.csv", []byte("a,b\n1,2\n")), "want its table website_event"},
		{"posthog", writeLog(t, "x.jsonl", []byte("")), "the file is empty"},
		{"posthog", writeLog(t, "x.parquet", []byte("PAR1\x15\x00\x15")), "neither JSON nor CSV"},
	} {
		server := newFakeServer(t)
		run := newImportRun(server.URL, c.file)
		run.Options.From = c.from
		if _, err := run.do(t); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s from %s: error is %v, want %q", c.file, c.from, err, c.want)
		}
		if server.requests != 0 {
			t.Errorf("%s: something was sent", c.file)
		}
	}
}

func TestADryRunOfAnExportSendsNothing(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, exportFiles("matomo", "visits.json")...)
	run.Options.From, run.Options.DryRun, run.Options.Key, run.Options.JSON = "matomo", true, "", false
	if err := run.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"3 records in ", "10 could be read (nothing was sent)", "0 rejected", "from 2026-03-02T10:00:00Z to 2026-03-02T11:00:00Z",
		"left out:\n         1 visits without actions\n", "events by name:\n         3 screen_view\n",
	} {
		if !strings.Contains(run.out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, run.out.String())
		}
	}
	if server.requests != 0 {
		t.Errorf("%d requests", server.requests)
	}
}

func TestFlagsThatDoNotGoWithAnExport(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"is not one of posthog":      func(c *Options) { c.From = "mixpanel" },
		"goes with none of --follow": func(c *Options) { c.Follow = true },
		"--shift-to-now and --map":   func(c *Options) { c.ShiftToNow = true },
		"--timezone: unknown time":   func(c *Options) { c.Timezone = "Mars/Olympus" },
		"there is no file to be":     func(c *Options) { c.Files = []string{"there is no file to be"} },
		"the archive is empty":       func(c *Options) { c.Files = []string{emptyZip(t)} },
	} {
		run := newImportRun("http://127.0.0.1:1", exportFiles("posthog", "events.jsonl")...)
		run.Options.From = "posthog"
		change(&run.Options)
		if err := run.run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestTimesWithoutAZoneAreOfTheOneThatIsGiven(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, writeLog(t, "x.csv", []byte("event,distinct_id,timestamp\na,d,2026-07-01 12:00:00\nb,d,2026-07-01 12:00:00Z\n")))
	run.Options.From, run.Options.Timezone = "posthog", "Asia/Kolkata"
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	if a, b := server.events[0].TS.Format("15:04"), server.events[1].TS.Format("15:04"); a != "06:30" || b != "12:00" {
		t.Errorf("times are %s and %s, want 06:30 and 12:00", a, b)
	}
}
