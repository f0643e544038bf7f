package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Lag is how long after the last answer a query saw everything.
type Lag struct {
	Seconds  float64 `json:"seconds"`  // from the last answer until the query that saw all was answered
	QueryMS  float64 `json:"query_ms"` // the last query alone
	Queries  int     `json:"queries"`
	Expected int64   `json:"expected"` // events accepted
	Seen     int64   `json:"seen"`     // events that the last query saw beyond those from before
	Complete bool    `json:"complete"`
}

const (
	lagPoll     = 20 * time.Millisecond
	lagPatience = 60 * time.Second
)

// counter asks a server how many events a project has.
type counter struct {
	client   *http.Client
	endpoint string
	token    string
	from, to time.Time
}

func newCounter(target *url.URL, project, token string, from, to time.Time) *counter {
	base := strings.TrimRight(target.String(), "/")
	return &counter{
		client:   &http.Client{Timeout: requestTimeout},
		endpoint: base + "/api/v1/projects/" + url.PathEscape(project) + "/query",
		token:    token, from: from, to: to,
	}
}

func (c *counter) count(ctx context.Context) (int64, error) {
	body := fmt.Appendf(nil, `{"kind":"trend","from":%q,"to":%q,"interval":"hour","series":[{"math":"total"}]}`,
		c.from.UTC().Format(time.RFC3339), c.to.UTC().Format(time.RFC3339))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("bench: query: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("bench: query: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return 0, fmt.Errorf("bench: query: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("bench: query: %s: %.200s", res.Status, answer)
	}
	var a struct {
		Series []struct {
			Total *float64 `json:"total"`
		} `json:"series"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return 0, fmt.Errorf("bench: query: %w", err)
	}
	if len(a.Series) != 1 || a.Series[0].Total == nil {
		return 0, fmt.Errorf("bench: query: no total in %.200s", answer)
	}
	return int64(*a.Series[0].Total), nil
}

// lag asks until the project has expected events more than before.
func (c *counter) lag(ctx context.Context, lastAnswer time.Time, before, expected int64) (*Lag, error) {
	l := &Lag{Expected: expected}
	for {
		asked := time.Now()
		n, err := c.count(ctx)
		if err != nil {
			return nil, err
		}
		answered := time.Now()
		l.Queries++
		l.Seen = n - before
		l.QueryMS = millis(answered.Sub(asked))
		l.Seconds = answered.Sub(lastAnswer).Seconds()
		if l.Seen >= expected {
			l.Complete = true
			return l, nil
		}
		if answered.Sub(lastAnswer) > lagPatience {
			return l, nil
		}
		if err := pause(ctx, lagPoll); err != nil {
			return l, nil //nolint:nilerr // an interrupted wait is an incomplete lag
		}
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// pause waits for d or until ctx is done, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
