package importer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

const importSample = "../../internal/demo/access.log.gz"

func TestImportOfARealLogTakesAllButItsBrokenLine(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, importSample)
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{10000, 9999, 0, 1, 0}, counts(rep)); diff != "" {
		t.Errorf("lines, accepted, duplicates, rejected, unsent (-want +got):\n%s", diff)
	}
	if want := importSample + ":8899: column 111: the user agent has no closing quote\n"; run.errs.String() != want {
		t.Errorf("stderr is %q, want %q", run.errs.String(), want)
	}
	if len(rep.RejectedLines) != 1 || rep.RejectedLines[0].Line != 8899 {
		t.Errorf("rejected lines are %v", rep.RejectedLines)
	}
	if len(server.seen) != 9999 {
		t.Errorf("%d distinct ids, want 9999", len(server.seen))
	}
	days, icons := map[string]int{}, 0
	for _, e := range server.events {
		days[e.TS.Format(time.DateOnly)]++
		if e.Call["route"] == "/favicon.ico" {
			icons++
		}
	}
	want := map[string]int{"2015-05-17": 1632, "2015-05-18": 2893, "2015-05-19": 2896, "2015-05-20": 2578}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if icons != 807 {
		t.Errorf("/favicon.ico was asked for %d times, want 807", icons)
	}
	if got, want := rep.From.Format(time.RFC3339)+" "+rep.To.Format(time.RFC3339), "2015-05-17T10:05:00Z 2015-05-20T21:05:59Z"; got != want {
		t.Errorf("range is %s, want %s", got, want)
	}
}

func TestImportOfTheSameFileAgainAddsNothing(t *testing.T) {
	server := newFakeServer(t)
	if _, err := newImportRun(server.URL, importSample).do(t); err != nil {
		t.Fatal(err)
	}
	// Elsewhere, uncompressed, under another name.
	again := newImportRun(server.URL, writeLog(t, "access.log.1", demoLines(t)))
	rep, err := again.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{10000, 0, 9999, 1, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportOfAFileThatGrewAddsOnlyItsNewLines(t *testing.T) {
	server := newFakeServer(t)
	all := demoLines(t)
	cut := bytes.LastIndexByte(all[:len(all)/2], '\n') + 1
	first, err := newImportRun(server.URL, writeLog(t, "access.log", all[:cut])).do(t)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newImportRun(server.URL, writeLog(t, "access.log", all)).do(t)
	if err != nil {
		t.Fatal(err)
	}
	if second.Duplicates != first.Accepted || first.Accepted+second.Accepted != 9999 {
		t.Errorf("first %v, then %v", counts(first), counts(second))
	}
}

func TestImportIDsTellEqualLinesApartAndOutliveChange(t *testing.T) {
	ids := func(lines ...string) (got []string) {
		var x importIDs
		for _, l := range lines {
			got = append(got, x.next([]byte(l)))
		}
		return got
	}
	a := ids("a", "b", "a", "a")
	distinct := map[string]bool{}
	for _, id := range a {
		distinct[id] = true
		if len(id) != 28 || !strings.HasPrefix(id, "i_") {
			t.Errorf("id is %q", id)
		}
	}
	if len(distinct) != 4 {
		t.Errorf("ids are %v", a)
	}
	if diff := cmp.Diff(a, ids("a", "b", "a", "a", "c")[:4]); diff != "" {
		t.Errorf("a grown file has other ids (-want +got):\n%s", diff)
	}
	if without := ids("a", "a"); without[0] != a[0] || without[1] != a[2] {
		t.Error("a line cut out renames the equal lines around it")
	}
	if other := ids("z", "b"); other[1] == a[1] {
		t.Error("the same line in another file has the same id")
	}
}

func TestImportMakesOneNativeEventOfALine(t *testing.T) {
	server := newFakeServer(t)
	log := `192.0.2.7 - ada [17/May/2015:10:05:03 +0000] "GET /docs?q=\"x\" HTTP/1.1" 404 512 "https://example.com/?a=\"b\"" "Mozilla/5.0"` + "\n" +
		`host.example.com - - [17/May/2015:12:05:03.5 +0200] "GET http://shop.example.com/ HTTP/1.1" - - "-" "-" 0.012` + "\n"
	run := newImportRun(server.URL, writeLog(t, "log", []byte(log)))
	run.Options.Format = "nginx"
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	want := []importEvent{
		{
			ID: server.events[0].ID, Name: "api_call", TS: time.Date(2015, 5, 17, 10, 5, 3, 0, time.UTC),
			Path: "/docs", Referrer: `https://example.com/?a="b"`, IP: "192.0.2.7", UserAgent: "Mozilla/5.0",
			Call: map[string]any{"method": "GET", "route": "/docs", "status": 404.0, "consumer": "ada", "response_bytes": 512.0},
		},
		{
			ID: server.events[1].ID, Name: "api_call", TS: time.Date(2015, 5, 17, 10, 5, 3, 5e8, time.UTC),
			Path: "/", DeviceID: hostDevice("host.example.com", ""),
			Call:       map[string]any{"method": "GET", "route": "/", "status": 0.0, "latency_ms": 12.0, "response_bytes": 0.0},
			Properties: map[string]any{"host": "shop.example.com"},
		},
	}
	if diff := cmp.Diff(want, server.events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportLeavesOutReferrersOfTheLogsOwnHost(t *testing.T) {
	server := newFakeServer(t)
	line := func(request, referrer string) string {
		return `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET ` + request + ` HTTP/1.1" 200 1 "` + referrer + `" "Mozilla/5.0"` + "\n"
	}
	log := line("/a", "http://www.shop.example/x") + line("/b", "https://shop.example:8443/") + line("/c", "https://blog.shop.example/") +
		line("http://other.example/d", "http://shop.example/") + line("http://other.example/e", "http://other.example/")
	run := newImportRun(server.URL, writeLog(t, "log", []byte(log)))
	run.Options.Host = "shop.example"
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range server.events {
		got[e.Path] = e.Referrer
	}
	want := map[string]string{"/a": "", "/b": "", "/c": "https://blog.shop.example/", "/d": "http://shop.example/", "/e": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("referrers by path (-want +got):\n%s", diff)
	}
}

func TestImportSendsBatchesInTheLogsOrder(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, "-")
	run.Stdin = strings.NewReader(logLines(2500))
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1000, 1000, 500}, server.sizes); diff != "" {
		t.Errorf("batch sizes (-want +got):\n%s", diff)
	}
	for i, e := range server.events {
		if want := fmt.Sprintf("/%d", i); e.Path != want {
			t.Fatalf("event %d is of %s, want %s", i, e.Path, want)
		}
	}
}

func TestImportReadsGzipAndZstdByTheirContent(t *testing.T) {
	plain := []byte(logLines(3))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := newFakeServer(t)
	run := newImportRun(server.URL,
		writeLog(t, "a.log", zipped.Bytes()), writeLog(t, "b.log", enc.EncodeAll(plain, nil)), writeLog(t, "c.gz", plain))
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{9, 3, 6, 0, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportShiftsTheLatestLineToNow(t *testing.T) {
	server := newFakeServer(t)
	log := `192.0.2.7 - - [17/May/2015:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"` + "\n" +
		`192.0.2.7 - - [17/May/2015:11:00:00 +0000] "GET /b HTTP/1.1" 200 5 "-" "-"` + "\n" +
		`192.0.2.7 - - [17/May/2015:10:30:00 +0000] "GET /c HTTP/1.1" 200 5 "-" "-"` + "\n"
	path := writeLog(t, "log", []byte(log))
	if _, err := newImportRun(server.URL, path).do(t); err != nil {
		t.Fatal(err)
	}
	plain := server.events
	server.events, server.seen = nil, map[string]bool{}
	run := newImportRun(server.URL, path)
	run.Options.ShiftToNow = true
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{-time.Hour, 0, -30 * time.Minute} {
		e := server.events[i]
		if got := e.TS.Sub(run.clock); got != want {
			t.Errorf("line %d is at now%v, want now%v", i+1, got, want)
		}
		if e.ID != plain[i].ID {
			t.Errorf("line %d has another id when it is shifted", i+1)
		}
	}
}

func TestImportReadsOnWhenAFileBreaksOff(t *testing.T) {
	server := newFakeServer(t)
	b, err := os.ReadFile(importSample)
	if err != nil {
		t.Fatal(err)
	}
	cut := writeLog(t, "cut.gz", b[:len(b)/2])
	rep, err := newImportRun(server.URL, cut, writeLog(t, "whole.log", []byte(logLines(2)))).do(t)
	if err == nil || !strings.Contains(err.Error(), "cut.gz: after line") {
		t.Errorf("error is %v", err)
	}
	if n := len(server.events); n < 1000 || server.events[n-1].Path != "/1" || rep.Accepted != n {
		t.Errorf("%d events arrived, %d reported as accepted", n, rep.Accepted)
	}
}

func TestImportNamesAtMostTwentyRejectedLines(t *testing.T) {
	server := newFakeServer(t)
	path := writeLog(t, "log", []byte(logLines(1)+strings.Repeat("rubbish\n", 25)+strings.Repeat("x", 2<<20)+"\n"))
	run := newImportRun(server.URL, path)
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(run.errs.String(), "\n"); n != 21 || !strings.Contains(run.errs.String(), "and 6 more rejected lines") {
		t.Errorf("stderr has %d lines:\n%s", n, run.errs.String())
	}
	last := rep.RejectedLines[25]
	if last.Line != 27 || last.Reason != "the line is longer than 1 MiB" {
		t.Errorf("last rejected line is %+v", last)
	}
	verbose := newImportRun(server.URL, path)
	verbose.Options.Verbose = true
	if _, err := verbose.do(t); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(verbose.errs.String(), "\n"); n != 26 {
		t.Errorf("stderr has %d lines with --verbose, want 26", n)
	}
}

func TestImportFailsWhenNoLineAtAllIsTaken(t *testing.T) {
	server := newFakeServer(t)
	rep, err := newImportRun(server.URL, writeLog(t, "log", []byte("{}\n{}\n"))).do(t)
	if err == nil || !strings.Contains(err.Error(), "is --format combined right?") || rep.Rejected != 2 {
		t.Errorf("error is %v, report %v", err, counts(rep))
	}
}

func TestImportOfAnEmptyFileIsNoError(t *testing.T) {
	server := newFakeServer(t)
	rep, err := newImportRun(server.URL, writeLog(t, "log", nil)).do(t)
	if err != nil || rep.Lines != 0 || server.requests != 0 {
		t.Errorf("error is %v, report %v, %d requests", err, counts(rep), server.requests)
	}
}

func TestImportDryRunSendsNothing(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, importSample)
	run.Options.DryRun, run.Options.Key = true, ""
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if server.requests != 0 || rep.Parsed != 9999 || rep.Rejected != 1 || rep.Unsent != 0 {
		t.Errorf("%d requests, report %+v", server.requests, rep)
	}
}

func TestImportRefusesFlagsThatCannotWork(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no key":       {func(c *Options) { c.Key = "" }, "--key is missing"},
		"address":      {func(c *Options) { c.URL = "localhost:8080" }, "is not an address such as"},
		"mapping":      {func(c *Options) { c.Format, c.Map = "json", "when=t" }, `unknown field "when"`},
		"map on nginx": {func(c *Options) { c.Format, c.Map = "nginx", "ts=t" }, "a field mapping is for"},
		"no file":      {func(c *Options) { c.Files = nil }, "no file given"},
		"missing file": {func(c *Options) { c.Files = []string{"no/such/file"} }, "no/such/file"},
		"directory":    {func(c *Options) { c.Files = []string{"../../internal/demo"} }, "is a directory"},
		"stdin twice":  {func(c *Options) { c.Files = []string{"-", "-"} }, "only once"},
		"stdin shift":  {func(c *Options) { c.Files, c.ShiftToNow = []string{"-"}, true }, "reads its input twice"},
	} {
		t.Run(name, func(t *testing.T) {
			run := newImportRun("http://127.0.0.1:1", importSample)
			c.change(&run.Options)
			if _, err := run.do(t); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestImportReportAsText(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, importSample)
	run.Options.JSON, run.Options.ID = false, "spring"
	if err := run.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `10000 lines in 0.0 s (10000000/s)
import spring
      9999 accepted
         0 duplicates
         1 rejected (` + importSample + `:8899)
from 2015-05-17T10:05:00Z to 2015-05-20T21:05:59Z
`
	if diff := cmp.Diff(want, run.out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportDrawsABarOnATerminalAlone(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, importSample)
	run.Terminal = true
	tick := run.Clock
	run.Clock = func() time.Time { run.clock = run.clock.Add(50 * time.Millisecond); return tick() }
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	if s := run.errs.String(); !strings.Contains(s, "█") || !strings.Contains(s, " left") || !strings.HasSuffix(s, "\r\x1b[K") {
		t.Errorf("stderr is %q", s)
	}
}

// BenchmarkImport reads, parses, renders and compresses the demo's log.
func BenchmarkImport(b *testing.B) {
	lines := 0
	for b.Loop() {
		run := newImportRun("http://127.0.0.1:1", importSample)
		run.Options.DryRun = true
		if err := run.run(b.Context()); err != nil {
			b.Fatal(err)
		}
		lines += 10_000
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
}
