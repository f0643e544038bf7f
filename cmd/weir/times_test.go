package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var moment = regexp.MustCompile(`"[^"]*":"\d{4}-\d\d-\d\dT[^"]*"`)

func TestTimesInAnswersAreInTheProjectsTimezone(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	do := func(method, path, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(path, "/v1/") {
			req.Header.Set("Authorization", "Bearer the administrator's own secret")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode > 299 {
			t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text, err)
		}
		return string(text)
	}
	var p struct {
		ID       string
		WriteKey string `json:"write_key"`
	}
	if err := json.Unmarshal([]byte(do("POST", "/api/v1/projects", `{"name":"Shop","timezone":"Asia/Kolkata"}`)), &p); err != nil {
		t.Fatal(err)
	}
	do("POST", "/v1/events?key="+p.WriteKey, `[{"name":"identify","profile_id":"u1","device_id":"d1","properties":{"plan":"pro"}},
		{"name":"api_call","call":{"method":"GET","route":"/pay","status":200}}]`)
	api := "/api/v1/projects/" + p.ID
	var alert struct{ ID string }
	if err := json.Unmarshal([]byte(do("POST", api+"/alerts", `{"name":"x","measure":{"kind":"calls"},"condition":{"op":"above","value":1}}`)), &alert); err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().In(loc).AddDate(0, 0, -1).Format(time.DateOnly)
	since := `"from":"-2d"`
	for _, c := range []struct {
		method, path, body string
		least              int // times in the answer
	}{
		{"GET", "/stats/overview", "", 3},
		{"GET", "/stats/trend?range=hour", "", 25},
		{"GET", "/events", "", 5},
		{"GET", "/profiles", "", 3},
		{"GET", "/profiles/u1", "", 4},
		{"GET", "/profiles/u1/events", "", 3},
		{"GET", "/profiles/u1/export", "", 8},
		{"POST", "/query", `{"kind":"trend",` + since + `}`, 4},
		{"POST", "/query", `{"kind":"pages",` + since + `}`, 1},
		{"POST", "/query", `{"kind":"calls","interval":"day","compare":"previous",` + since + `}`, 6},
		{"POST", "/query", `{"kind":"growth","compare":"previous",` + since + `}`, 6},
		{"POST", "/reports/daily/" + yesterday, "", 4},
		{"GET", "/reports/daily", "", 4},
		{"GET", "/reports/schedule", "", 1},
		{"POST", "/alerts/" + alert.ID + "/silence", `{"minutes":5}`, 4},
		{"GET", "/alerts", "", 4},
		{"GET", "/alerts/" + alert.ID, "", 4},
		{"GET", "/usage", "", 3},
		{"GET", "/keys", "", 1},
	} {
		found := moment.FindAllString(do(c.method, api+c.path, c.body), -1)
		if len(found) < c.least {
			t.Errorf("%s %s has the times %v", c.path, c.body, found)
		}
		for _, m := range found {
			if !strings.HasSuffix(m, `+05:30"`) {
				t.Errorf("%s: %s", c.path, m)
			}
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(do("GET", api+"/reports/daily?format=csv", "")), "\n") {
		if !strings.HasPrefix(line, "date,") && strings.Count(line, "+05:30,") != 4 {
			t.Errorf("CSV: %s", line)
		}
	}
}
