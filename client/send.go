package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	firstBackoff  = 250 * time.Millisecond
	longestAfter  = 15 * time.Minute // of a Retry-After
	compressFrom  = 1 << 10          // bytes
	longestAnswer = 8 << 20          // bytes
)

// run sends batches, one after the other, until the client is closed and empty.
func (c *Client) run() {
	defer close(c.done)
	for {
		b, wait, over := c.queue.take(time.Now(), c.cfg.Interval)
		switch {
		case over:
			c.tell()
			return
		case b != nil:
			c.deliver(b, 0, len(b.ends), time.Now())
			c.queue.settle()
		case wait > 0:
			t := time.NewTimer(wait)
			select {
			case <-c.queue.wake:
			case <-t.C:
			}
			t.Stop()
		default:
			<-c.queue.wake
		}
		c.tell()
	}
}

// outcome is what became of a request.
type outcome int

const (
	acknowledged outcome = iota
	again                // nothing is known of it, or it may do later
	tooLarge
	refused
)

// deliver sends the events from lo up to hi until they are delivered, or given up
// and counted.
func (c *Client) deliver(b *batch, lo, hi int, began time.Time) {
	body, encoding := c.compress(b.lines(lo, hi))
	for try := 0; ; try++ {
		if try > 0 {
			c.count(func(s *Stats) { s.Retries++ })
		}
		result, after, err := c.attempt(b, lo, hi, body, encoding)
		c.note(err)
		n := uint64(hi - lo)
		switch {
		case result == acknowledged:
			return
		case result == tooLarge && n > 1:
			mid := lo + int(n/2)
			c.deliver(b, lo, mid, began)
			c.deliver(b, mid, hi, began)
			return
		case result == tooLarge:
			c.count(func(s *Stats) { s.Dropped.Large += n })
			return
		case result == refused:
			c.count(func(s *Stats) { s.Dropped.Refused += n })
			return
		}
		wait := max(backoff(try, c.cfg.MaxBackoff), after)
		if time.Since(began)+wait > c.cfg.RetryFor {
			c.count(func(s *Stats) { s.Dropped.Expired += n })
			return
		}
		c.tell()
		woken, ok := c.pause(wait, after > 0)
		if !ok {
			c.abandoned.Add(n)
			c.count(func(s *Stats) { s.Dropped.Closed += n })
			return
		}
		if woken {
			try = 0 // of the few that Close has time for
		}
	}
}

// compress returns the body to send, which is not changed any more: a transport may
// read it after it has answered.
func (c *Client) compress(text []byte) (body []byte, encoding string) {
	if len(text) < compressFrom {
		return bytes.Clone(text), ""
	}
	var out bytes.Buffer
	out.Grow(len(text) / 8)
	if c.gzip == nil {
		c.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a known one
	}
	c.gzip.Reset(&out)
	_, _ = c.gzip.Write(text) // a bytes.Buffer takes everything
	_ = c.gzip.Close()
	return out.Bytes(), "gzip"
}

// reply is the server's answer.
type reply struct {
	Accepted, Duplicates *uint64
	Rejected             []rejection
}

type rejection struct {
	Index          int
	Reason, Detail string
}

// attempt makes one request, and counts what was acknowledged. after is how long
// the server asks to be left alone.
func (c *Client) attempt(b *batch, lo, hi int, body []byte, encoding string) (result outcome, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(c.life, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return refused, 0, fmt.Errorf("client: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("User-Agent", "weir-go/"+Version)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return again, 0, fmt.Errorf("client: send: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	switch code := resp.StatusCode; {
	case code == http.StatusRequestEntityTooLarge:
		return tooLarge, 0, nil
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code == http.StatusTooEarly || code >= 500:
		return again, retryAfter(resp.Header.Get("Retry-After"), time.Now()), fmt.Errorf("client: send: %s", resp.Status)
	case code != http.StatusOK && code != http.StatusBadRequest:
		return refused, 0, fmt.Errorf("client: send: %s: %.200s", resp.Status, raw)
	case err != nil:
		return again, 0, fmt.Errorf("client: read the answer: %w", err)
	}
	var r reply
	switch err := json.Unmarshal(raw, &r); {
	case resp.StatusCode == http.StatusBadRequest && len(r.Rejected) != hi-lo: // of the request, not of its events
		return refused, 0, fmt.Errorf("client: send: %s: %.200s", resp.Status, raw)
	case err != nil || r.Accepted == nil || r.Duplicates == nil:
		return again, 0, errors.New("client: send: the answer is not Weir's")
	}
	unknown := func(at rejection) bool { return at.Index < 0 || at.Index >= hi-lo }
	if *r.Accepted+*r.Duplicates+uint64(len(r.Rejected)) != uint64(hi-lo) || slices.ContainsFunc(r.Rejected, unknown) {
		return again, 0, errors.New("client: send: the answer is not of this request")
	}
	c.count(func(s *Stats) {
		s.Accepted += *r.Accepted
		s.Duplicates += *r.Duplicates
		s.Rejected += uint64(len(r.Rejected))
	})
	c.rejected(b, lo, r)
	return acknowledged, 0, nil
}

// rejected reports the events that the server rejected.
func (c *Client) rejected(b *batch, lo int, r reply) {
	if len(r.Rejected) == 0 {
		return
	}
	first := r.Rejected[0]
	c.cfg.Logger.Warn("weir: events were rejected", "events", len(r.Rejected), "reason", first.Reason, "detail", first.Detail)
	if c.cfg.Rejected == nil {
		return
	}
	defer c.guard("Rejected")
	out := make([]Rejection, len(r.Rejected))
	for i, at := range r.Rejected {
		line := b.lines(lo+at.Index, lo+at.Index+1)
		out[i] = Rejection{Reason: at.Reason, Detail: at.Detail, Event: bytes.TrimSpace(bytes.Clone(line))}
	}
	c.cfg.Rejected(out)
}

func (c *Client) count(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.stats)
}

// note logs when the server begins to fail, and when it is back.
func (c *Client) note(err error) {
	if failing := err != nil; failing != c.failing {
		c.failing = failing
		if failing {
			c.cfg.Logger.Warn("weir: events cannot be sent", "error", err)
		} else {
			c.cfg.Logger.Info("weir: events are sent again")
		}
	}
}

// tell reports which events were dropped since the last time.
func (c *Client) tell() {
	c.mu.Lock()
	now, before := c.stats.Dropped, c.warned
	c.warned = now
	c.mu.Unlock()
	for _, d := range [...]struct {
		reason string
		events uint64
	}{
		{"full", now.Full - before.Full},
		{"large", now.Large - before.Large},
		{"invalid", now.Invalid - before.Invalid},
		{"refused", now.Refused - before.Refused},
		{"expired", now.Expired - before.Expired},
		{"closed", now.Closed - before.Closed},
	} {
		if d.events == 0 {
			continue
		}
		c.cfg.Logger.Warn("weir: events were dropped", "reason", d.reason, "events", d.events)
		if c.cfg.Dropped != nil {
			func() {
				defer c.guard("Dropped")
				c.cfg.Dropped(d.reason, d.events)
			}()
		}
	}
}

// guard keeps a panic of one of the service's functions from ending the service.
func (c *Client) guard(function string) {
	if v := recover(); v != nil {
		c.cfg.Logger.Error("weir: a function panicked", "function", function, "panic", v)
	}
}

// pause waits, unless the client ends before that: then ok is false, at once if
// Close's deadline is known to be earlier. Close wakes it, unless the server asked
// for the time.
func (c *Client) pause(d time.Duration, asked bool) (woken, ok bool) {
	until := time.Now().Add(d)
	t := time.NewTimer(d)
	defer t.Stop()
	closing := c.closing
	if c.closeBy.Load() != nil {
		closing, asked = nil, true
	}
	for {
		if by := c.closeBy.Load(); asked && by != nil && by.Before(until) {
			return false, false
		}
		select {
		case <-c.life.Done():
			return false, false
		case <-closing:
			if !asked {
				return true, true
			}
			closing = nil
		case <-t.C:
			return false, true
		}
	}
}

// backoff doubles with each try; the upper half of it is random, so that services
// do not come back all at once.
func backoff(try int, longest time.Duration) time.Duration {
	d := min(firstBackoff<<min(try, 20), longest)
	return d/2 + rand.N(d/2+1)
}

// retryAfter reads the header (RFC 9110, section 10.2.3): seconds, or a date. Up
// to a tenth is added at random.
func retryAfter(header string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	if d <= 0 {
		return 0
	}
	d = min(d, longestAfter)
	return d + rand.N(d/10+1)
}
