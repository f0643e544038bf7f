package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// answers are to questions that were asked while events were sent.
type answers struct {
	all      int
	complete int // that are as of the question, or later
}

// ask asks each of the nodes again and again how many events there are, until stop
// is called. An answer may be refused, or say that it is as of earlier; it must not
// have less than was acknowledged before, if it says that it is complete, nor more
// than was sent.
func (l *load) ask(p project, addrs []string) (stop func() answers) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	question, err := json.Marshal(map[string]any{
		"kind": "trend", "from": today.AddDate(0, 0, -3).Format(time.DateOnly), "to": today.AddDate(0, 0, 20).Format(time.DateOnly),
		"interval": "day", "series": []any{map[string]any{"math": "total"}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	var mu sync.Mutex
	var got answers
	var running sync.WaitGroup
	done := make(chan struct{})
	for _, addr := range addrs {
		running.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(100 * time.Millisecond):
				}
				a := l.askOnce("http://"+addr+"/api/v1/projects/"+p.ID+"/query", question)
				mu.Lock()
				got.all += a.all
				got.complete += a.complete
				mu.Unlock()
			}
		})
	}
	return func() answers {
		close(done)
		running.Wait()
		return got
	}
}

// askOnce asks, and looks at the answer, if there is one.
func (l *load) askOnce(url string, question []byte) (got answers) {
	acked := l.count()
	asked, steps := l.clock.now()
	tr, ok := askTrend(url, question)
	if !ok {
		return got
	}
	got.all++
	if _, now := l.clock.now(); now != steps {
		return got // its time means nothing
	}
	n := int(tr.Series[0].Total)
	if made := int(l.made.Load()); n > made {
		l.t.Errorf("%d events in an answer, %d were sent", n, made)
	}
	if tr.AsOf.Before(asked) {
		return got
	}
	got.complete++
	if n < acked {
		l.t.Errorf("%d events in an answer as of %v, %d were acknowledged before %v", n, tr.AsOf, acked, asked)
	}
	return got
}

func askTrend(url string, question []byte) (tr trend, ok bool) {
	req, err := http.NewRequest("POST", url, bytes.NewReader(question))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return tr, false
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&tr) != nil {
		return tr, false
	}
	return tr, len(tr.Series) == 1
}
