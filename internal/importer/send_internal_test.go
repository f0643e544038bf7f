package importer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// smallLog returns a log of three batches.
func smallLog(t *testing.T) string { return writeLog(t, "small.log", []byte(logLines(2500))) }

// unavailable answers the first n requests with a status.
func unavailable(n, status int, header ...string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(i int, w http.ResponseWriter, _ *http.Request) bool {
		if i > n {
			return false
		}
		for j := 0; j+1 < len(header); j += 2 {
			w.Header().Set(header[j], header[j+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, `{"error":{"code":"x","message":"says the server"}}`)
		return true
	}
}

func TestImportTriesAgainWhileTheServerIsBusy(t *testing.T) {
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		server := newFakeServer(t)
		server.before = unavailable(2, status)
		run := newImportRun(server.URL, smallLog(t))
		rep, err := run.do(t)
		if err != nil {
			t.Fatalf("%d: %v", status, err)
		}
		if rep.Accepted != 2500 || server.requests != 5 {
			t.Errorf("%d: %d accepted in %d requests", status, rep.Accepted, server.requests)
		}
		if diff := cmp.Diff([]time.Duration{importBackoffMin, 2 * importBackoffMin}, run.waits); diff != "" {
			t.Errorf("%d: waits (-want +got):\n%s", status, diff)
		}
	}
}

func TestImportWaitsAsLongAsTheServerAsks(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7":                             7 * time.Second,
		"Wed, 01 Jul 2026 12:00:09 GMT": 9 * time.Second, // the run's clock stands at 12:00:00
		"soon":                          importBackoffMin,
	} {
		server := newFakeServer(t)
		server.before = unavailable(1, 503, "Retry-After", header)
		run := newImportRun(server.URL, smallLog(t))
		if _, err := run.do(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{want}, run.waits); diff != "" {
			t.Errorf("Retry-After: %s: waits (-want +got):\n%s", header, diff)
		}
	}
}

func TestImportGivesUpWhenItsPatienceEnds(t *testing.T) {
	server := newFakeServer(t)
	server.before = unavailable(1000, 503)
	run := newImportRun(server.URL, smallLog(t))
	rep, err := run.do(t)
	if err == nil || !strings.Contains(err.Error(), "gave up after") || !strings.Contains(err.Error(), "503 Service Unavailable: says the server") {
		t.Errorf("error is %v", err)
	}
	var waited time.Duration
	for _, w := range run.waits {
		waited += w
	}
	if waited > run.Options.RetryFor || waited < run.Options.RetryFor/2 {
		t.Errorf("waited %v of %v", waited, run.Options.RetryFor)
	}
	if diff := cmp.Diff([5]int{1000, 0, 0, 0, 1000}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rep.Error != err.Error() {
		t.Errorf("the report's error is %q", rep.Error)
	}
}

func TestImportSendsTheSameIDsAfterALostAnswer(t *testing.T) {
	server := newFakeServer(t)
	server.after = func(n int, _ http.ResponseWriter) bool {
		if n == 2 {
			panic(http.ErrAbortHandler) // the events are in, the answer is lost
		}
		return false
	}
	run := newImportRun(server.URL, smallLog(t))
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(server.events) != 2500 {
		t.Errorf("the server has %d events, want each once: 2500", len(server.events))
	}
	if rep.Accepted != 1500 || rep.Duplicates != 1000 || rep.OwnDuplicates != 1000 {
		t.Errorf("report is %+v", rep)
	}
}

func TestImportTriesAgainWhenTheServerIsDown(t *testing.T) {
	server := newFakeServer(t)
	url := server.URL
	server.Close()
	run := newImportRun(url, smallLog(t))
	_, err := run.do(t)
	if err == nil || !strings.Contains(err.Error(), "connection refused") || len(run.waits) < 5 {
		t.Errorf("after %d waits, error is %v", len(run.waits), err)
	}
}

func TestImportTriesAgainAfterATimeout(t *testing.T) {
	server := newFakeServer(t)
	release := make(chan struct{})
	server.before = func(n int, _ http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			server.mu.Unlock()
			<-release
			server.mu.Lock()
		}
		return n == 1
	}
	run := newImportRun(server.URL, smallLog(t))
	run.Client.Transport = timeoutOnce(release)
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Accepted != 2500 {
		t.Errorf("%d accepted", rep.Accepted)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// timeoutOnce lets the first request run into its deadline and then releases
// the server.
func timeoutOnce(release chan struct{}) http.RoundTripper {
	first := true
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !first {
			return http.DefaultTransport.RoundTrip(r)
		}
		first = false
		defer close(release)
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		defer cancel()
		return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
	})
}

func TestImportStopsAtOnceWhereTryingAgainCannotHelp(t *testing.T) {
	for status, want := range map[int]string{
		401: "the server does not accept this write key (--key): 401 Unauthorized: says the server",
		403: "the server does not accept this write key (--key)",
		404: "there is no Weir server at http://127.0.0.1",
		400: "the server refuses the batch: 400 Bad Request: says the server",
		413: "the server refuses the batch: 413",
		307: "the server is elsewhere: use --url for https://weir.example.com/",
	} {
		server := newFakeServer(t)
		server.before = unavailable(1000, status, "Location", map[bool]string{true: "https://weir.example.com/"}[status == 307])
		run := newImportRun(server.URL, smallLog(t))
		_, err := run.do(t)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: error is %v, want one with %q", status, err, want)
		}
		if server.requests != 1 || len(run.waits) != 0 {
			t.Errorf("%d: %d requests, %d waits", status, server.requests, len(run.waits))
		}
	}
}

func TestImportDoesNotBelieveAnAnswerThatDoesNotAddUp(t *testing.T) {
	for answer, want := range map[string]string{
		`{"accepted":1,"duplicates":0,"rejected":[]}`:                         "accounts for 1 of 2 events",
		`{"accepted":1,"duplicates":0,"rejected":[{"index":2,"reason":"x"}]}`: "rejects event 2 of 2",
		`<html>welcome</html>`: "not that of a Weir server",
		`{"accepted":2,"duplicates":0,"rejected":[{"index":0,"reason":"x","detail":1}]}`: "not that of a Weir server",
	} {
		server := newFakeServer(t)
		server.before = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, answer)
			return true
		}
		run := newImportRun(server.URL, writeLog(t, "log", []byte(logLines(2))))
		if _, err := run.do(t); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", answer, err, want)
		}
	}
}

func TestImportGoesOnWhenAllLinesOfABatchAreRejected(t *testing.T) {
	server := newFakeServer(t)
	server.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > 1 {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":"invalid","message":"no event was taken"},"accepted":0,"duplicates":0,"rejected":[{"index":0,"reason":"x"}`)
		for i := range 999 {
			fmt.Fprintf(w, `,{"index":%d,"reason":"x"}`, i+1)
		}
		fmt.Fprint(w, "]}")
		return true
	}
	rep, err := newImportRun(server.URL, writeLog(t, "log", []byte(logLines(1500)))).do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{1500, 500, 0, 1000, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportNamesTheLinesThatTheServerRejects(t *testing.T) {
	server := newFakeServer(t)
	server.reject = func(e importEvent) string {
		if e.Path == "/1" || e.Path == "/1200" {
			return "too_old"
		}
		return ""
	}
	path := writeLog(t, "log", []byte("rubbish\n\n"+logLines(1500)))
	run := newImportRun(server.URL, path)
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{1501, 1498, 0, 3, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []importReject{
		{importLine{File: path, Line: 1}, "column 8: expected the client's identity, or -"},
		{importLine{File: path, Line: 4}, "the server rejected it: too_old"},
		{importLine{File: path, Line: 1203}, "the server rejected it: too_old"},
	}
	if diff := cmp.Diff(want, rep.RejectedLines, cmp.AllowUnexported(importReject{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportFinishesTheBatchInFlightWhenInterrupted(t *testing.T) {
	server := newFakeServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	server.before = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			interrupt()
		}
		return false
	}
	run := newImportRun(server.URL, smallLog(t))
	err := run.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "interrupted") || errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if len(server.events) != 2000 || !strings.Contains(run.out.String(), `"accepted": 2000`) {
		t.Errorf("the server has %d events, the report is %s", len(server.events), run.out.String())
	}
}

func TestImportStopsWaitingWhenInterrupted(t *testing.T) {
	server := newFakeServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	server.before = func(n int, w http.ResponseWriter, r *http.Request) bool {
		interrupt()
		return unavailable(1000, 503)(n, w, r)
	}
	run := newImportRun(server.URL, smallLog(t))
	if err := run.run(ctx); err == nil || !strings.Contains(err.Error(), "interrupted while the server was away") {
		t.Errorf("error is %v", err)
	}
	if server.requests != 1 {
		t.Errorf("%d requests after the interrupt", server.requests)
	}
}

// The others are in, so only what waits is sent again.
func TestImportSendsAgainOnlyWhatTheQuotaRefused(t *testing.T) {
	server := newFakeServer(t)
	over := true
	server.before = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n != 2 {
			return false
		}
		over = false // the month is over
		return unavailable(2, 429, "Retry-After", "7")(n, w, r)
	}
	place := map[string]int{} // by id
	server.reject = func(e importEvent) string {
		if place[e.ID] == 0 {
			place[e.ID] = len(place)
		}
		if over && place[e.ID]%100 == 99 {
			return quotaExceeded
		}
		return ""
	}
	run := newImportRun(server.URL, smallLog(t))
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Accepted != 2500 || rep.Rejected != 0 || rep.Duplicates != 0 || len(server.events) != 2500 {
		t.Errorf("%d accepted, %d rejected, %d twice, %d there", rep.Accepted, rep.Rejected, rep.Duplicates, len(server.events))
	}
	if diff := cmp.Diff([]int{1000, 10, 1000, 500}, server.sizes); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second}, run.waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}
