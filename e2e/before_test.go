package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// testdata/before has stores that an earlier version of weir wrote, some events of which
// it had accepted and not drained yet, and that version's answers. The version of today
// must open these stores, answer the same and go on writing. Its clock shows the time at which
// that version was asked: a visit that was open then is open still.
//
// To make them anew, with the binary of that version:
//
//	WEIR_BEFORE=path/to/weir go test ./e2e -run TestMakeStoresOfTheVersionBefore
//
// Where a definition changed since (the changelog says which), the answers are those of the
// version that changed it. To store them, once each difference that the test shows is
// explained:
//
//	WEIR_BEFORE_REVIEWED=1 go test ./e2e -run TestStoresOfTheVersionBefore

const (
	beforeFolder = "testdata/before"
	beforeDay    = "2026-11-24" // in the project's timezone, as the two days after it
	beforeEnd    = "2026-11-26"
	beforeZone   = "Europe/Berlin"
)

// beforeWorlds are the archives, and whether their stores are Redis and ClickHouse.
var beforeWorlds = map[string]bool{"embedded": false, "remote": true}

// archiveOf is the file with the stores of a world, answersOf that with the answers.
func archiveOf(world string) string { return filepath.Join(beforeFolder, world+".tar.zst") }
func answersOf(world string) string { return filepath.Join(beforeFolder, world+".json.zst") }

func TestStoresOfTheVersionBeforeOpenAndAnswerTheSame(t *testing.T) {
	t.Parallel()
	for world, remote := range beforeWorlds {
		t.Run(world, func(t *testing.T) {
			var before earlierAnswers
			if err := json.Unmarshal(unpacked(t, answersOf(world)), &before); err != nil {
				t.Fatal(err)
			}
			s := newStores(t, remote)
			s.load(t, archiveOf(world))
			w := s.startAt(t, before.Asked)
			p := w.theProject()
			now := w.answers(p)
			if os.Getenv("WEIR_BEFORE_REVIEWED") != "" {
				raw, err := json.MarshalIndent(earlierAnswers{before.Asked, now}, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				pack(t, answersOf(world), raw)
			}
			sameAnswers(t, before.Answers, now)

			// It goes on writing: a visit that was open, a link and a trait of who was known.
			stored := w.storedEvents(p)
			w.send(p, `[{"id":"new-1","name":"screen_view","ts":"`+beforeEnd+`T23:59:00+01:00","device_id":"d-1","path":"/new"},
				{"id":"new-2","name":"identify","profile_id":"ada","device_id":"d-9","ts":"`+beforeEnd+`T23:59:01+01:00","properties":{"$add":{"logins":1}}},
				{"id":"new-3","name":"api_call","ts":"`+beforeEnd+`T23:59:02+01:00","call":{"method":"GET","route":"/new","status":200}}]`)
			if got := w.storedEvents(p); got != stored+3 {
				t.Errorf("%d events after 3 more than %d", got, stored)
			}
			var ada struct{ Traits map[string]any }
			w.call("GET", "/api/v1/projects/"+p.ID+"/profiles/ada", nil, &ada, http.StatusOK)
			if ada.Traits["logins"] != 3.0 {
				t.Errorf("traits %v, want 3 logins", ada.Traits)
			}
			w.stop()
			w = s.startAt(t, before.Asked)
			if got := w.storedEvents(p); got != stored+3 {
				t.Errorf("%d events after a restart, want %d", got, stored+3)
			}
		})
	}
}

// sameAnswers compares answers. A later version may have more fields.
func sameAnswers(t *testing.T, want, got []answered) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d answers, want %d", len(got), len(want))
	}
	for i := range want {
		got[i].Answer = common(got[i].Answer, want[i].Answer)
		if d := cmp.Diff(want[i], got[i], cmpopts.EquateApprox(0, 1e-9)); d != "" {
			t.Errorf("%s %s (-before +now):\n%s", want[i].Question, want[i].Body, d)
		}
	}
}

// theProject returns the first project, with a key of its own.
func (s *server) theProject() project {
	s.t.Helper()
	var list struct{ Projects []project }
	s.call("GET", "/api/v1/projects", nil, &list, http.StatusOK)
	if len(list.Projects) != 1 {
		s.t.Fatalf("%d projects, want 1", len(list.Projects))
	}
	p := list.Projects[0]
	var key struct {
		Key string `json:"write_key"`
	}
	s.call("POST", "/api/v1/projects/"+p.ID+"/keys", struct{}{}, &key, http.StatusCreated)
	p.Key = key.Key
	return p
}

// storedEvents counts the events of all days.
func (s *server) storedEvents(p project) int {
	s.t.Helper()
	var tr trend
	s.query(p, map[string]any{"kind": "trend", "from": beforeDay, "to": beforeEnd, "series": []any{map[string]any{"math": "total"}}}, &tr)
	return int(tr.Series[0].Total)
}

func TestMakeStoresOfTheVersionBefore(t *testing.T) {
	path := os.Getenv("WEIR_BEFORE")
	if path == "" {
		t.Skip("WEIR_BEFORE is not set: it is the binary that makes testdata/before")
	}
	for world, remote := range beforeWorlds {
		s := newStores(t, remote)
		w := start(t, path, append(s.args(), "--listen", freeAddr(t))...)
		p := w.project(beforeZone)
		w.call("POST", "/api/v1/projects/"+p.ID+"/alerts", json.RawMessage(beforeAlert), nil, http.StatusCreated)
		w.call("PUT", "/api/v1/projects/"+p.ID+"/reports/schedule", map[string]string{"at": "off"}, nil, http.StatusOK)
		w.send(p, beforeEvents(1, 400))
		w.storedEvents(p) // waits until all is drained
		w.call("DELETE", "/api/v1/projects/"+p.ID+"/profiles/gone", nil, nil, http.StatusOK)
		w.call("POST", "/api/v1/projects/"+p.ID+"/reports/daily/"+beforeDay, nil, nil, http.StatusOK)
		w.stop()
		s.addDeadLetter(t, p)

		roles := []string{"--listen", freeAddr(t)}
		if remote {
			roles = append(roles, "--roles", "ingest")
		}
		w = start(t, path, append(s.args(), roles...)...)
		w.send(p, beforeEvents(400, 440))
		w.kill() // before they are drained
		s.save(t, archiveOf(world))

		s = newStores(t, remote)
		s.load(t, archiveOf(world))
		if n := s.undrained(t); n < 40 {
			t.Fatalf("%s: %d events wait to be drained, want 40", world, n)
		}
		s = newStores(t, remote)
		s.load(t, archiveOf(world))
		asked := time.Now()
		w = start(t, path, append(s.args(), "--listen", freeAddr(t))...)
		raw, err := json.MarshalIndent(earlierAnswers{asked, w.answers(p)}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		pack(t, answersOf(world), raw)
		w.stop()
	}
}

const beforeAlert = `{"name":"Errors","measure":{"kind":"error_rate"},"window":5,"condition":{"op":"above","value":0.05,"clear":0.02},
	"for":3,"clear_for":5,"min_volume":100,"channels":[{"type":"webhook","url":"https://example.org/weir"}]}`

// beforeEvents are the events from one number to another, of three days: pages, calls,
// purchases, and identify events with traits and aliases.
func beforeEvents(from, to int) string {
	var out []string
	for i := from; i < to; i++ {
		at := fmt.Sprintf(`"id":"e-%d","ts":"2026-11-%02dT%02d:%02d:%02d.%03dZ"`, i, 24+i/6%3, (i*7)%24, (i*13)%60, i%60, i)
		device, profile := fmt.Sprintf("d-%d", i%11), []string{"ada", "bob", "gone", "zoe"}[i/6%4]
		switch i % 6 {
		case 0, 1:
			out = append(out, fmt.Sprintf(`{%s,"name":"screen_view","device_id":%q,"url":"https://shop.example.com/p/%d?utm_source=news&utm_medium=email&utm_campaign=c%d",
				"referrer":"https://www.example.org/","title":"Page %d","language":"de","country":"DE","city":"Köln","browser":"Firefox","browser_version":"%d","os":"Linux","device_type":"desktop"}`, at, device, i%5, i%2, i%5, 100+i%9))
		case 2:
			out = append(out, fmt.Sprintf(`{%s,"name":"api_call","profile_id":%q,"library":"weir-go/1","call":{"method":"GET","route":"/v1/r%d","status":%d,"latency_ms":%d.5,"consumer":"c%d"}}`, at, profile, i%4, 200+100*(i%4), i, i%3))
		case 3:
			out = append(out, fmt.Sprintf(`{%s,"name":"purchase","device_id":%q,"revenue":%d.25,"currency":"EUR","properties":{"plan":"p%d","n":%d,"list":[1,"x"]}}`, at, device, i, i%3, i))
		case 4:
			out = append(out, fmt.Sprintf(`{%s,"name":"signup","device_id":%q,"session_id":"s-%d","path":"/signup","user_agent":"Mozilla/5.0 (compatible; Googlebot/2.1)","properties":{"deep":{"a":null}}}`, at, device, i%7))
		case 5:
			out = append(out, fmt.Sprintf(`{%s,"name":"screen_leave","device_id":%q,"profile_id":%q}`, at, device, profile))
		}
	}
	if from == 1 {
		out = append(out,
			`{"id":"i-1","name":"identify","profile_id":"ada","device_id":"d-1","ts":"2026-11-24T08:00:00Z","properties":{"name":"Ada","$set_once":{"plan":"pro"},"$add":{"logins":1}}}`,
			`{"id":"i-2","name":"identify","profile_id":"gone","device_id":"d-2","ts":"2026-11-24T08:00:01Z","properties":{"name":"Nobody"}}`,
			`{"id":"i-3","name":"identify","profile_id":"bob","ts":"2026-11-24T08:00:02Z","properties":{"$alias":"d-5","plan":"free"}}`,
			`{"id":"i-4","name":"identify","profile_id":"bob","ts":"2026-11-24T08:00:03Z","properties":{"$alias":"ada","$unset":["plan"]}}`,
			`{"id":"v-1","name":"screen_view","device_id":"d-20","ts":"2026-11-25T10:00:00Z","url":"https://shop.example.com/a"}`,
			`{"id":"v-2","name":"cart","device_id":"d-20","ts":"2026-11-25T10:00:30Z","revenue":3.5,"currency":"EUR"}`,
			`{"id":"v-3","name":"screen_view","device_id":"d-20","ts":"2026-11-25T10:01:00Z","url":"https://shop.example.com/b"}`,
			`{"id":"v-4","name":"screen_leave","device_id":"d-20","ts":"2026-11-25T10:03:00Z"}`)
	} else {
		out = append(out, `{"id":"i-5","name":"identify","profile_id":"ada","device_id":"d-7","ts":"2026-11-26T08:00:00Z","properties":{"$add":{"logins":1},"plan":"max"}}`,
			`{"id":"v-5","name":"screen_view","device_id":"d-20","ts":"2026-11-25T10:05:00Z","url":"https://shop.example.com/c"}`)
	}
	return "[" + strings.Join(out, ",") + "]"
}

// beforeQuestions are asked of the version before and of this one.
func beforeQuestions() (out []answered) {
	for _, path := range []string{
		"", "/alerts", "/reports/schedule", "/reports/daily/" + beforeDay,
		"/events?from=" + beforeDay + "&to=" + beforeEnd + "&limit=500", "/events?from=" + beforeDay + "&to=" + beforeEnd + "&name=purchase&limit=3",
		"/profiles", "/profiles?search=Ada", "/profiles/ada", "/profiles/bob", "/profiles/gone", "/profiles/zoe", "/profiles/d-5",
		"/profiles/ada/events?limit=20", "/profiles/zoe/export",
	} {
		out = append(out, answered{Question: "GET " + path})
	}
	for _, q := range []string{
		`"kind":"trend","interval":"hour","series":[{"math":"total"},{"math":"unique"},{"event":"purchase","math":"sum","property":"revenue"},{"event":"api_call","math":"p95","property":"latency_ms"}]`,
		`"kind":"trend","interval":"day","compare":"previous","series":[{"math":"unique"}],"breakdown":"country"`,
		`"kind":"trend","interval":"month","series":[{"event":"purchase","math":"avg","property":"properties.n"}],"breakdown":"properties.plan"`,
		`"kind":"trend","interval":"week","series":[{"math":"unique"}],"breakdown":"traits.plan","filter":[{"column":"bot","op":"=","value":false}]`,
		`"kind":"pages"`,
		`"kind":"pages","bots":true,"filter":[{"column":"utm_campaign","op":"=","value":"c1"}]`,
		`"kind":"calls","interval":"day","compare":"previous"`,
		`"kind":"calls","breakdown":"consumer","sort":"latency"`,
		`"kind":"growth","interval":"day"`,
		`"kind":"growth","interval":"week","bots":true,"series":[{"event":"signup"}],"compare":"previous"`,
	} {
		out = append(out, answered{Question: "POST /query", Body: `{"from":"` + beforeDay + `","to":"` + beforeEnd + `",` + q + `}`})
	}
	return out
}
