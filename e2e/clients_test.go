package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// driverReport is what a driver prints: how many calls it has made, and at its end what
// its client says.
type driverReport struct {
	Sent    int
	Offered int
	Stored  int // accepted, or a duplicate
	Full    int // dropped for want of room
	Lost    int // dropped for any other reason
	Retries int
	Memory  int     // bytes that it takes more than before; flood only
	Queued  int     `json:"queued_bytes"`
	Slow    float64 // a call that took long
}

// driver is a service in a process of its own whose calls are recorded.
type driver struct {
	name  string
	t     *testing.T
	stdin io.WriteCloser
	log   lockedBuffer
	done  chan struct{} // closed when the process has ended

	mu   sync.Mutex
	last driverReport
	slow []float64
	err  error
}

// drivers starts one for each language. All of them record a call i under the
// consumer "NAME-i".
func drivers(t *testing.T, url, key string, args ...string) []*driver {
	t.Helper()
	_, err := os.Stat("../clients/node/test/frameworks/node_modules/express")
	needed(t, "no Express; run make clients", err)
	for _, tool := range []string{"node", "python3"} {
		_, err := exec.LookPath(tool)
		needed(t, "no "+tool, err)
	}
	env := append(os.Environ(), "WEIR_URL="+url, "WEIR_KEY="+key)
	var all []*driver
	for name, command := range map[string][]string{
		"go":     {os.Args[0], "-test.run=^TestClientDriver$"},
		"node":   {"node", "--expose-gc", "testdata/clients/driver.js"},
		"python": {"python3", "testdata/clients/driver.py"},
	} {
		d := &driver{name: name, t: t, done: make(chan struct{})}
		cmd := exec.Command(command[0], append(command[1:], args...)...)
		cmd.Env = env
		if name == "go" {
			cmd.Args = command
			cmd.Env = append(env, "WEIR_CLIENT_DRIVER="+strings.Join(append([]string{"on"}, args...), " "))
		}
		cmd.Stderr = &d.log
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if d.stdin, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go d.read(out, cmd)
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-d.done })
		all = append(all, d)
	}
	return all
}

// needed skips the test, or fails it when nothing may be skipped.
func needed(t *testing.T, what string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("WEIR_TEST_STRICT") != "":
		t.Fatalf("%s: %v", what, err)
	default:
		t.Skipf("%s: %v", what, err)
	}
}

func (d *driver) read(out io.Reader, cmd *exec.Cmd) {
	defer close(d.done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r driverReport
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue // the test binary's own words
		}
		d.mu.Lock()
		if r.Slow > 0 {
			d.slow = append(d.slow, r.Slow)
		} else {
			d.last = r
		}
		d.mu.Unlock()
	}
	err := cmd.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *driver) report() driverReport {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// finish has the drivers close their clients and end; it returns their last reports.
func finish(t *testing.T, all []*driver) map[string]driverReport {
	t.Helper()
	for _, d := range all {
		if _, err := io.WriteString(d.stdin, "stop\n"); err != nil {
			t.Fatalf("%s: %v\n%s", d.name, err, &d.log)
		}
	}
	reports := map[string]driverReport{}
	for _, d := range all {
		select {
		case <-d.done:
		case <-time.After(60 * time.Second):
			t.Fatalf("%s does not end\n%s", d.name, &d.log)
		}
		if d.err != nil {
			t.Fatalf("%s: %v\n%s", d.name, d.err, &d.log)
		}
		if len(d.slow) > 0 {
			t.Errorf("%s: calls of the service took %v", d.name, d.slow)
		}
		reports[d.name] = d.report()
	}
	return reports
}

// noon is a timezone in which it is about noon, so that no test sees midnight.
func noon() string { return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) }

// storedCall is a call as the API lists it.
type storedCall struct {
	ID   string
	Call struct {
		Method, Route, Consumer string
		Status                  int
		LatencyMS               float64 `json:"latency_ms"`
	}
}

// calls lists all calls of a project, by consumer.
func (s *server) calls(p project) map[string][]storedCall {
	s.t.Helper()
	byConsumer := map[string][]storedCall{}
	for cursor := ""; ; {
		var page struct {
			Events     []storedCall
			NextCursor string `json:"next_cursor"`
		}
		s.call("GET", "/api/v1/projects/"+p.ID+"/events?name=api_call&limit=1000"+cursor, nil, &page, http.StatusOK)
		for _, e := range page.Events {
			byConsumer[e.Call.Consumer] = append(byConsumer[e.Call.Consumer], e)
		}
		if page.NextCursor == "" {
			return byConsumer
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// counted is what overview and trend say of a project's calls.
func (s *server) counted(p project) (today, day int) {
	s.t.Helper()
	var overview struct{ Today struct{ Calls int } }
	s.call("GET", "/api/v1/projects/"+p.ID+"/stats/overview", nil, &overview, http.StatusOK)
	var trend struct{ Data []struct{ Count int } }
	s.call("GET", "/api/v1/projects/"+p.ID+"/stats/trend?range=hour&event=api_call", nil, &trend, http.StatusOK)
	for _, point := range trend.Data {
		day += point.Count
	}
	return overview.Today.Calls, day
}

func TestClientsLoseNothingWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	addr, data := freeAddr(t), t.TempDir()
	s := start(t, binary(t, ""), "--listen", addr, "--data", data)
	p := s.project(noon())
	all := drivers(t, "http://"+addr, p.Key)
	reach := func(n int) {
		t.Helper()
		for _, d := range all {
			until(t, fmt.Sprintf("%s has made %d calls", d.name, n), func() bool {
				select {
				case <-d.done:
					t.Fatalf("%s has ended\n%s", d.name, &d.log)
				default:
				}
				return d.report().Sent >= n
			})
		}
	}
	for n := 300; n <= 1500; n += 600 {
		reach(n)
		s.kill()
		reach(n + 300) // while the server is away
		s = start(t, binary(t, ""), "--listen", addr, "--data", data)
	}
	reach(2100)
	reports := finish(t, all)

	stored, total := s.calls(p), 0
	for name, r := range reports {
		if r.Lost+r.Full > 0 || r.Offered != r.Sent || r.Stored != r.Sent || r.Retries == 0 {
			t.Errorf("%s: %+v", name, r)
		}
		total += r.Sent
		for i := range r.Sent {
			consumer := name + "-" + strconv.Itoa(i)
			method, route, status := wantedCall(i)
			switch got := stored[consumer]; {
			case len(got) != 1:
				t.Errorf("%s is stored %d times: %+v", consumer, len(got), got)
			case got[0].Call.Method != method || got[0].Call.Route != route || got[0].Call.Status != status ||
				got[0].Call.LatencyMS <= 0 || got[0].Call.LatencyMS > 60_000 || len(got[0].ID) != 36 || got[0].ID[14] != '7':
				t.Errorf("%s: %+v, want %s %s %d", consumer, got[0], method, route, status)
			}
		}
		t.Logf("%s: %d calls, %d requests were sent again", name, r.Sent, r.Retries)
	}
	if len(stored) != total {
		t.Errorf("%d calls are stored, %d were made", len(stored), total)
	}
	if today, day := s.counted(p); today != total || day != total {
		t.Errorf("the overview counts %d calls, the trend %d; %d were made", today, day, total)
	}
	s.stop()
}

// wantedCall is what each driver asks of its service in call i, and gets.
func wantedCall(i int) (method, route string, status int) {
	switch {
	case i%7 == 3:
		return "POST", "/orders/:id", 201
	case i%11 == 5:
		return "GET", "/orders/:id", 500
	}
	return "GET", "/users/:id", 200
}

func TestClientsKeepTheirMemoryBoundedWhileTheServerIsAway(t *testing.T) {
	addr, data := freeAddr(t), t.TempDir()
	s := start(t, binary(t, ""), "--listen", addr, "--data", data)
	p := s.project(noon())
	s.stop()
	const events, queue, slack = 100_000, 1 << 20, 12 << 20
	all := drivers(t, "http://"+addr, p.Key, "flood", strconv.Itoa(events))
	for _, d := range all {
		until(t, d.name+" has sent all", func() bool { return d.report().Sent == events })
		r := d.report()
		if r.Queued > queue || r.Memory > queue+slack || r.Full < events/2 || r.Full == events || r.Stored+r.Lost > 0 {
			t.Errorf("%s: %+v", d.name, r)
		}
		t.Logf("%s: %d of %d events wait in %d bytes; memory grew by %d KiB", d.name, events-r.Full, events, r.Queued, r.Memory>>10)
	}
	s = start(t, binary(t, ""), "--listen", addr, "--data", data)
	want := 0
	for name, r := range finish(t, all) {
		if r.Lost > 0 || r.Stored != events-r.Full {
			t.Errorf("%s: %+v", name, r)
		}
		want += r.Stored
	}
	if today, day := s.counted(p); today != want || day != want {
		t.Errorf("the overview counts %d calls, the trend %d; %d were taken", today, day, want)
	}
	s.stop()
}
