package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProfilesAreExportedAndErasedFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	s := serves(t, t.TempDir())
	made := strings.Fields(weirs(t, "project", "create", "Shop", "--url", s.url).out)
	project, key := made[1], made[len(made)-1]
	ids := []string{"u1", "a/../b?c d", "..", "."}
	for i, id := range ids {
		body := fmt.Sprintf(`[{"name":"identify","profile_id":%q,"device_id":"d%d","properties":{"$set":{"plan":"pro"}}},{"name":"x","profile_id":%q,"device_id":"d%d"}]`, id, i, id, i)
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/events", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	// erases answers the question; with "" nobody asks.
	erases := func(id, answer string) (string, string, error) {
		t.Helper()
		c := &profileEraseCmd{asking: asking{Yes: answer == "", stdin: strings.NewReader(answer)}}
		c.URL, c.Token, c.Profile, c.Project = s.url, "the administrator's own secret", id, project
		var out, asked bytes.Buffer
		err := c.Run(t.Context(), &out, logWriter{&asked})
		return out.String(), asked.String(), err
	}
	for i, id := range ids {
		exported := func() said {
			t.Helper()
			return weirs(t, "profile", "export", id, "--project", project, "--url", s.url)
		}
		var doc struct {
			Profile struct {
				ID     string `json:"profile_id"`
				Traits map[string]string
			}
			Events []struct{ Name string }
		}
		got := exported()
		if err := json.Unmarshal([]byte(got.out), &doc); err != nil || got.status != 0 || doc.Profile.ID != id || doc.Profile.Traits["plan"] != "pro" || len(doc.Events) != 2 {
			t.Errorf("%q: %v, %+v", id, err, got)
		}
		for _, answer := range []string{"\n", "y\n", "no\n", " "} {
			out, asked, err := erases(id, answer)
			if err == nil || out != "" || !strings.Contains(err.Error(), "nothing was erased") || !strings.Contains(asked, fmt.Sprintf("%q", id)) {
				t.Errorf("after %q: %q %q %v", answer, out, asked, err)
			}
		}
		_, history, _ := strings.Cut(got.out, "\n") // before it stands when it was asked for
		if again := exported(); !strings.HasSuffix(again.out, history) {
			t.Errorf("%q is not what it was: %+v", id, again)
		}
		answer := "yes\n"
		if i%2 == 1 {
			answer = ""
		}
		out, asked, err := erases(id, answer)
		if err != nil || !strings.Contains(out, "devices  1\n") || (asked == "") != (answer == "") {
			t.Errorf("%q: %q %q %v", id, out, asked, err)
		}
		if gone := exported(); gone.status != 1 || gone.out != "" || !strings.Contains(gone.stderr, "404") {
			t.Errorf("%q is still there: %+v", id, gone)
		}
	}
	if got := weirs(t, "profile", "erase", "u1", "--project", "nobody's", "--yes", "--url", s.url); got.status != 1 || !strings.Contains(got.stderr, "the server says 404") {
		t.Errorf("%+v", got)
	}
	for _, verb := range []string{"export", "erase"} {
		if got := weirs(t, "profile", verb, "", "--project", project, "--url", s.url); got.status != 1 || !strings.Contains(got.stderr, "empty") {
			t.Errorf("%s: %+v", verb, got)
		}
		if got := weirs(t, "profile", verb, "u1"); got.status != 2 || !strings.Contains(got.stderr, "--project") {
			t.Errorf("%s: %+v", verb, got)
		}
	}
	if got := s.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, s.log)
	}
}

func TestErasedPersonIsNeitherLiveNorAConsumer(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	s := serves(t, t.TempDir())
	made := strings.Fields(weirs(t, "project", "create", "Shop", "--url", s.url).out)
	project, key := made[1], made[len(made)-1]
	ask := func(method, path, token, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text, err)
		}
		return string(text)
	}
	var overview struct {
		Today        struct{ Calls int }
		LiveVisitors int                         `json:"live_visitors"`
		TopConsumers []struct{ Consumer string } `json:"top_consumers"`
	}
	look := func(want string) {
		t.Helper()
		overview.TopConsumers = nil
		text := ask("GET", "/api/v1/projects/"+project+"/stats/overview", "the administrator's own secret", "")
		if err := json.Unmarshal([]byte(text), &overview); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(overview.LiveVisitors, overview.Today.Calls, overview.TopConsumers); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	ask("POST", "/v1/events", key, `[
		{"name":"identify","profile_id":"u1","device_id":"d1"},
		{"name":"identify","profile_id":"u1","device_id":"d3","properties":{"$alias":"former"}},
		{"name":"api_call","device_id":"d1","call":{"method":"GET","route":"/a","status":200,"consumer":"u1"}},
		{"name":"api_call","profile_id":"u1","call":{"method":"GET","route":"/a","status":200,"consumer":"u1"}},
		{"name":"api_call","profile_id":"former","call":{"method":"GET","route":"/a","status":200,"consumer":"former"}},
		{"name":"api_call","device_id":"d2","call":{"method":"GET","route":"/a","status":200,"consumer":"acme"}}]`)
	before := ask("GET", "/api/v1/projects/"+project+"/stats/overview", "the administrator's own secret", "")
	for _, name := range []string{`"u1"`, `"former"`, `"acme"`} {
		if !strings.Contains(before, name) {
			t.Fatalf("%s is not among the consumers: %s", name, before)
		}
	}
	ask("DELETE", "/api/v1/projects/"+project+"/profiles/u1", "the administrator's own secret", "")
	look("1 4 [{acme}]")
	if got := s.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, s.log)
	}
}

func TestAnExportThatIsCutOffIsAnError(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"profile":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	got := weirs(t, "profile", "export", "u1", "--project", "p", "--url", s.URL, "--token", "t")
	if got.status != 1 || got.out != `{"profile":` || !strings.Contains(got.stderr, "the export is not whole") {
		t.Errorf("%+v", got)
	}
}

func TestAnExportThatDoesNotBeginIsAnError(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	c := &profileExportCmd{}
	c.URL, c.Token, c.Profile, c.Project, c.patience = s.URL, "t", "u1", "p", time.Millisecond
	if err := c.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "no answer within 1ms") {
		t.Errorf("error is %v", err)
	}
}

func TestNothingIsErasedWhenTheQuestionIsInterrupted(t *testing.T) {
	silence, end := io.Pipe()
	defer end.Close()
	c := &profileEraseCmd{asking: asking{stdin: silence}}
	c.URL, c.Token, c.Profile = "http://127.0.0.1:1", "t", "u1"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx, io.Discard, logWriter{io.Discard}); err == nil || !strings.Contains(err.Error(), "nothing was erased") {
		t.Errorf("error is %v", err)
	}
}
