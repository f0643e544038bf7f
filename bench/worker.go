package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// worker drives one connection and counts what becomes of its requests.
type worker struct {
	load *load
	conn *conn
	gen  *generator

	requests, sent                 int64 // with an answer or an error; events in them
	accepted, duplicates, rejected int64
	bytes                          int64 // of bodies
	latency                        Histogram
	errors, reasons                map[string]int64
	last                           time.Time
}

// How long to leave a server alone that refuses or is gone.
const (
	errorPause    = 10 * time.Millisecond
	errorPauseMax = time.Second
)

// run sends until the time is over. Its error is a *fatalError.
func (w *worker) run(ctx context.Context) error {
	defer w.conn.close()
	var request, scratch []byte
	for {
		due, ok := w.load.next(ctx)
		if !ok {
			return nil
		}
		now := time.Now()
		w.gen.setClock(now)
		request = w.conn.begin(request)
		head := len(request)
		request = w.gen.appendBody(request, w.load.cfg.Batch)
		w.conn.end(request)

		// Coordinated omission: in the open loop a request that had to wait for a
		// connection has waited for the server.
		sent := time.Now()
		if w.load.step > 0 {
			sent = due
		}
		// The request in flight is let finish when ctx ends.
		r, err := w.conn.do(context.WithoutCancel(ctx), request, scratch)
		w.last = time.Now()
		w.requests++
		w.sent += int64(w.load.cfg.Batch)
		w.bytes += int64(len(request) - head)
		if err != nil {
			if w.requests == 1 {
				return &fatalError{fmt.Sprintf("bench: %s: %v", w.conn.target.Host, err)}
			}
			w.errors["connection"]++
			if pause(ctx, errorPause) != nil {
				return nil
			}
			continue
		}
		if r.body != nil {
			scratch = r.body
		}
		if r.status == 200 {
			w.latency.Add(w.last.Sub(sent))
			if err := w.readAnswer(r.body); err != nil {
				return err
			}
			continue
		}
		w.errors[strconv.Itoa(r.status)]++
		switch r.status {
		case 401, 403, 404, 405:
			return &fatalError{fmt.Sprintf("bench: the server answers %d: %.200s", r.status, r.body)}
		}
		if pause(ctx, min(max(r.retryAfter, errorPause), errorPauseMax)) != nil {
			return nil
		}
	}
}

// answer is that of POST /v1/events.
type answer struct {
	Accepted   *int64 `json:"accepted"`
	Duplicates int64  `json:"duplicates"`
	Rejected   []struct {
		Reason string `json:"reason"`
	} `json:"rejected"`
}

// taken reads the answer of a request that went through.
func (w *worker) readAnswer(body []byte) error {
	// Nearly every answer is this, so it is not decoded.
	if n, ok := allAccepted(body); ok && n == int64(w.load.cfg.Batch) {
		w.accepted += n
		return nil
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil || a.Accepted == nil {
		return &fatalError{fmt.Sprintf("bench: not the answer of a Weir server: %.200s", body)}
	}
	w.accepted += *a.Accepted
	w.duplicates += a.Duplicates
	w.rejected += int64(len(a.Rejected))
	for _, r := range a.Rejected {
		w.reasons[r.Reason]++
	}
	return nil
}

// allAccepted reads {"accepted":N,"duplicates":0,"rejected":[]}.
func allAccepted(body []byte) (n int64, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(`{"accepted":`))
	if !ok {
		return 0, false
	}
	i := 0
	for ; i < len(rest) && i < 9 && rest[i] >= '0' && rest[i] <= '9'; i++ {
		n = n*10 + int64(rest[i]-'0')
	}
	return n, i > 0 && string(bytes.TrimSpace(rest[i:])) == `,"duplicates":0,"rejected":[]}`
}
