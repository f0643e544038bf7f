package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// steady sends so many events a second, in requests of 100, whatever the answers take.
func (c *crowd) steady(rate int, d time.Duration) {
	const each = 100
	var running sync.WaitGroup
	slots := make(chan struct{}, 64) // requests under way
	began := time.Now()
	for n := 0; ; n++ {
		at := began.Add(time.Duration(n) * each * time.Second / time.Duration(rate))
		if at.Sub(began) >= d {
			break
		}
		time.Sleep(time.Until(at))
		slots <- struct{}{}
		running.Go(func() {
			c.send(each, time.Now, false)
			<-slots
		})
	}
	running.Wait()
}

// burst sends on so many connections as fast as answers come.
func (c *crowd) burst(connections int, d time.Duration) {
	var running sync.WaitGroup
	for end := time.Now().Add(d); connections > 0; connections-- {
		running.Go(func() {
			for time.Now().Before(end) {
				c.send(500, time.Now, false)
			}
		})
	}
	running.Wait()
}

// past sends n events of the 30 days before, in order of time.
func (c *crowd) past(n int) {
	const each = 1000
	at := time.Now().UTC().AddDate(0, 0, -30)
	step := 30 * 24 * time.Hour / time.Duration(max(n, 1))
	for sent := 0; sent < n; sent += each {
		c.send(min(each, n-sent), func() time.Time {
			at = at.Add(step)
			return at
		}, true)
	}
}

// send posts n events until they are acknowledged.
func (c *crowd) send(n int, now func() time.Time, historical bool) {
	request := c.next.Add(1)
	r := rand.New(rand.NewPCG(uint64(request), 5))
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, `{"id":"%s-%d-%d","name":%q,"device_id":"%s-d%d","path":"/articles/%d","referrer":"https://search.example/","ts":"%s"}`+"\n",
			c.name, request, i, names[r.IntN(len(names))], c.name, r.IntN(c.devices), r.IntN(500), now().UTC().Format(time.RFC3339Nano))
	}
	h := map[string]string{"Authorization": "Bearer " + c.p.Key, "Content-Type": "application/x-ndjson"}
	if historical {
		h["X-Weir-Historical"] = "true"
	}
	for began := time.Now(); ; {
		status, header, answer := c.post(h, body.Bytes())
		var reply reply
		switch {
		case status == http.StatusOK && json.Unmarshal(answer, &reply) == nil && reply.Accepted+reply.Duplicates == n:
			c.acked.Add(int64(n))
			return
		case time.Since(began) > 5*time.Minute:
			c.s.t.Errorf("%s: %d events are not taken in 5 minutes: %d: %.200s", c.name, n, status, answer)
			return
		case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
			c.refused.Add(1)
			after, err := strconv.Atoi(header.Get("Retry-After"))
			if err != nil {
				c.s.t.Errorf("%d without Retry-After: %.200s", status, answer)
			}
			time.Sleep(time.Duration(max(1, min(after, 10))) * time.Second)
		case status == 0:
			select {
			case <-c.s.done:
				return // the watcher has told
			default:
				time.Sleep(100 * time.Millisecond)
			}
		default:
			c.s.t.Errorf("%s: %d: %.200s", c.name, status, answer)
			return
		}
	}
}

func (c *crowd) post(h map[string]string, body []byte) (status int, header http.Header, answer []byte) {
	req, err := http.NewRequest("POST", c.s.url+"/v1/events", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	for name, value := range h {
		req.Header.Set(name, value)
	}
	return fetch(req)
}

// browser asks what the dashboard's first page asks.
type browser struct {
	s         *server
	questions []shot

	mu    sync.Mutex
	tally asked
}

// asked is what became of questions.
type asked struct {
	answered, refused, failed int
	slowest                   time.Duration
	last                      string // failure
}

func newBrowser(s *server, p project) *browser {
	b := &browser{s: s}
	path := "/api/v1/projects/" + p.ID
	for _, get := range []string{"/stats/overview", "/stats/trend?range=day", "/events?limit=50"} {
		b.questions = append(b.questions, shot{method: "GET", path: path + get})
	}
	today := time.Now().UTC()
	ask := func(q map[string]any) {
		q["from"], q["to"], q["filter"] = today.AddDate(0, 0, -29).Format(time.DateOnly), today.Format(time.DateOnly), []any{}
		raw, err := json.Marshal(q)
		if err != nil {
			panic(err)
		}
		b.questions = append(b.questions, shot{method: "POST", path: path + "/query", body: raw})
	}
	series := func(maths ...string) (all []any) {
		for _, m := range maths {
			all = append(all, map[string]string{"math": m})
		}
		return all
	}
	ask(map[string]any{"kind": "trend", "interval": "day", "series": series("total", "unique"), "compare": "previous"})
	ask(map[string]any{"kind": "pages", "limit": 8})
	for _, column := range []string{"channel", "country", "browser", "path"} {
		ask(map[string]any{"kind": "trend", "interval": "month", "series": series("total"), "breakdown": column, "limit": 8})
	}
	ask(map[string]any{"kind": "calls", "breakdown": "route", "sort": "calls", "limit": 8})
	return b
}

// start asks all of the questions at once, every so often, until stop.
func (b *browser) start(every time.Duration) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			var page sync.WaitGroup
			for _, q := range b.questions {
				page.Go(func() { b.ask(q) })
			}
			page.Wait()
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

// ask asks one. It has to be answered, or refused with 503 or 429 and a reason, within
// a minute: that a statement may take 30 s is documented.
func (b *browser) ask(q shot) {
	req, err := http.NewRequest(q.method, b.s.url+q.path, bytes.NewReader(q.body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	began := time.Now()
	status, _, answer := fetch(req)
	took := time.Since(began)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tally.slowest = max(b.tally.slowest, took)
	var e struct {
		Error struct{ Code, Message string }
	}
	switch refused := status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests; {
	case status == http.StatusOK:
		b.tally.answered++
	case refused && json.Unmarshal(answer, &e) == nil && e.Error.Message != "":
		b.tally.refused++
	default:
		b.tally.failed++
		b.tally.last = fmt.Sprintf("%s %s %s: %d after %v: %.200s", q.method, q.path, q.body, status, took, answer)
	}
}

// take is what became of the questions since the last take.
func (b *browser) take() asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.tally
	b.tally = asked{}
	return got
}

// total is how many events there are, -1 when no answer came.
func (b *browser) total() int {
	path := b.questions[0].path
	path = path[:len(path)-len("/stats/overview")]
	tr, ok := askTrend(b.s.url+path+"/query", []byte(`{"kind":"trend","from":"-40d","interval":"day","series":[{"math":"total"}]}`))
	if !ok {
		return -1
	}
	return int(tr.Series[0].Total)
}
