package importer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// importReply is the server's answer to a batch.
type importReply struct {
	Accepted   int              `json:"accepted"`
	Duplicates int              `json:"duplicates"`
	Rejected   []weir.Rejection `json:"rejected"`

	retried bool // an earlier attempt may have been taken too
}

// quotaExceeded is the reason of an event of a month that is used up, which may come
// again when the month is over.
const quotaExceeded = wire.ReasonQuota

// importPart is what of a batch is sent at once: all of it, or the events that wait.
type importPart struct {
	body []byte // NDJSON, compressed
	at   []int  // the events' places in the batch
}

func wholeBatch(b *importBatch) importPart {
	p := importPart{b.body, make([]int, b.events())}
	for i := range p.at {
		p.at[i] = i
	}
	return p
}

// only returns those of the part's events; some are their places in it, in order.
func (p importPart) only(some []int) (importPart, error) {
	z, err := gzip.NewReader(bytes.NewReader(p.body))
	if err != nil {
		return p, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return p, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	var body bytes.Buffer
	out := importPart{at: make([]int, 0, len(some))}
	w := gzip.NewWriter(&body)
	for _, i := range some {
		if _, err := w.Write(lines[i]); err != nil {
			return p, err
		}
		out.at = append(out.at, p.at[i])
	}
	err = w.Close()
	out.body = body.Bytes()
	return out, err
}

// add adds the answer to a part, and returns the places in the part of the events that wait.
func (r *importReply) add(reply *importReply, p importPart) (waiting []int) {
	r.Accepted += reply.Accepted
	r.Duplicates += reply.Duplicates
	for _, x := range reply.Rejected {
		if x.Reason == quotaExceeded {
			waiting = append(waiting, x.Index)
			continue
		}
		x.Index = p.at[x.Index]
		r.Rejected = append(r.Rejected, x)
	}
	slices.Sort(waiting)
	return waiting
}

// importSender posts batches, again and again if need be. The ids make that
// safe: what the server took the first time is a duplicate the second.
type importSender struct {
	im       *Importer
	endpoint string
	tell     func(format string, args ...any) // says something to the user
	endless  bool                             // never gives up, whatever --retry-for says
}

// Backoff between attempts.
const (
	importBackoffMin = 250 * time.Millisecond
	importBackoffMax = 10 * time.Second
)

// passingError is a failure that may be over by the next attempt.
type passingError struct {
	err   error
	after time.Duration // the server's Retry-After; 0 is none
}

func (e *passingError) Error() string { return e.err.Error() }
func (e *passingError) Unwrap() error { return e.err }

// post sends a batch until the server has it, patience runs out, or trying again
// cannot help. A cancelled ctx lets the request in flight finish.
func (s *importSender) post(ctx context.Context, b *importBatch) (*importReply, error) {
	var failedAt time.Time
	backoff := importBackoffMin
	total, rest := new(importReply), wholeBatch(b)
	for {
		reply, err := s.once(context.WithoutCancel(ctx), rest)
		if err == nil {
			waiting := total.add(reply, rest)
			if len(waiting) == 0 {
				total.retried = !failedAt.IsZero()
				if s.endless && total.retried {
					s.tell("the server takes batches again")
				}
				return total, nil
			}
			if len(waiting) < len(rest.at) {
				if rest, err = rest.only(waiting); err != nil {
					return nil, fmt.Errorf("import: %w", err)
				}
				continue // the answer says when to send them again
			}
			err = &passingError{err: errQuota}
		}
		var passing *passingError
		if !errors.As(err, &passing) {
			return nil, fmt.Errorf("import: %w", err)
		}
		now := s.im.Clock.Now()
		if failedAt.IsZero() {
			failedAt = now
			if s.endless {
				s.tell("the server did not take a batch (%v); trying again until it does", err)
			} else {
				s.tell("the server did not take a batch (%v); trying again for up to %v", err, s.im.Options.RetryFor)
			}
		}
		pause := max(backoff, passing.after)
		backoff = min(2*backoff, importBackoffMax)
		if tried := now.Sub(failedAt); tried+pause > s.im.Options.RetryFor && !s.endless {
			return nil, fmt.Errorf("import: gave up after %v of trying (--retry-for %v): %w",
				tried.Round(time.Second), s.im.Options.RetryFor, err)
		}
		if s.im.Wait(ctx, pause) != nil {
			return nil, fmt.Errorf("import: interrupted while the server was away: %w", err)
		}
	}
}

// errQuota is why events wait.
var errQuota = errors.New("the quota of the events' month is used up")

// last makes one attempt for all of a batch.
func (s *importSender) last(ctx context.Context, b *importBatch) (*importReply, error) {
	all := wholeBatch(b)
	reply, err := s.once(ctx, all)
	if err != nil {
		return nil, err
	}
	total := new(importReply)
	if len(total.add(reply, all)) > 0 {
		return nil, errQuota
	}
	return total, nil
}

// once makes one attempt.
func (s *importSender) once(ctx context.Context, p importPart) (*importReply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.im.Options.Key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "weir-import")
	res, err := s.im.Client.Do(req)
	if err != nil {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, err
		}
		return nil, &passingError{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return nil, &passingError{err: fmt.Errorf("read the answer: %w", err)}
	}
	if res.StatusCode == http.StatusBadRequest { // maybe each of the events is wrong
		if reply, err := readReply(body, len(p.at)); err == nil {
			return reply, nil
		}
	}
	if res.StatusCode != http.StatusOK {
		return nil, s.refusal(res, body)
	}
	return readReply(body, len(p.at))
}

// readReply reads what became of the events. It must account for every event.
func readReply(body []byte, events int) (*importReply, error) {
	var reply importReply
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, fmt.Errorf("the answer is not that of a Weir server: %w", err)
	}
	if n := reply.Accepted + reply.Duplicates + len(reply.Rejected); n != events {
		return nil, fmt.Errorf("the server accounts for %d of %d events", n, events)
	}
	for _, r := range reply.Rejected {
		if r.Index < 0 || r.Index >= events {
			return nil, fmt.Errorf("the server rejects event %d of %d", r.Index, events)
		}
	}
	return &reply, nil
}

// refusal is the error of any status but 200.
func (s *importSender) refusal(res *http.Response, body []byte) error {
	err := fmt.Errorf("%s%s", res.Status, serverMessage(body))
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &passingError{err: err, after: retryAfter(res.Header.Get("Retry-After"), s.im.Clock.Now())}
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the server does not accept this write key (--key): %w", err)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return fmt.Errorf("there is no Weir server at %s: %w", s.im.Options.URL, err)
	}
	if to := res.Header.Get("Location"); to != "" {
		return fmt.Errorf("the server is elsewhere: use --url for %s: %w", to, err)
	}
	return fmt.Errorf("the server refuses the batch: %w", err)
}

// serverMessage returns the message of a JSON error, after a colon.
func serverMessage(body []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Message == "" {
		return ""
	}
	return ": " + e.Error.Message
}

// retryAfter reads the header's two forms, seconds and a date.
func retryAfter(value string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(value); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}
