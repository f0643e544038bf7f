package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
)

// demoLog is a real site's log of four days; demo/NOTICE.md says whose.
//
//go:embed demo/access.log.gz
var demoLog []byte

// The demo's key is known to all, so it is served on loopback only.
const (
	demoProject = "Demo"
	demoSite    = "http://www.semicomplete.com"
	demoEmail   = "demo@example.com"
	demoKey     = "wk_demodemodemodemo"
	demoPause   = 700 * time.Millisecond // mean time between replayed requests
)

// greetDemo tells how to look at the demo.
func (s *server) greetDemo(url string, stdout io.Writer) {
	fmt.Fprintf(stdout, `Sign in with %s

Send an event, and see it at once:

    curl %s/v1/events -H 'Authorization: Bearer %s' \
      -d '{"name":"signup","profile_id":"ada","properties":{"plan":"pro"}}'

Count the views of a page of yours:

    <script defer src="%s/weir.js" data-key="%s"></script>

`, s.demoLogin, url, demoKey, url, demoKey)
}

// demo fills the demo project once, then replays its log as if it happened now.
func (s *server) demo(ctx context.Context) error {
	p, fill, err := s.demoProject(ctx, demoProject, demoKey)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	entries, err := readDemo()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if fill {
		if err := s.fillDemo(ctx, p, entries); err != nil && ctx.Err() == nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	for i := 0; ctx.Err() == nil; i = (i + 1) % len(entries) {
		pause := time.Duration(rand.ExpFloat64() * float64(demoPause))
		if err := waitFor(ctx, min(pause, 5*demoPause)); err != nil {
			break
		}
		in := demoEvents(nil, &entries[i], time.Now(), "")
		if _, err := s.ingest.Accept(ctx, p, in, ingest.Remote{Historical: true}); err != nil && ctx.Err() == nil {
			s.log.Warn("demo: event was not taken", "error", err)
		}
	}
	return nil
}

// demoProject is the project of a key, made now where fresh says so.
func (s *server) demoProject(ctx context.Context, name, key string) (p *weir.Project, fresh bool, err error) {
	p, err = s.meta.ProjectByKey(ctx, key)
	if code := weir.ErrorCode(err); code != weir.EUNAUTHORIZED && code != weir.ENOTFOUND {
		return p, false, err
	}
	p, _, err = s.meta.CreateProject(ctx, meta.NewProject{Name: name, Timezone: "UTC"})
	if err != nil {
		return nil, false, err
	}
	_, err = s.meta.AddKey(ctx, p.ID, key)
	return p, true, err
}

// readDemo parses the log; the one line that is no entry is left out.
func readDemo() ([]accesslog.Entry, error) {
	raw, err := gzip.NewReader(bytes.NewReader(demoLog))
	if err != nil {
		return nil, err
	}
	parser, err := accesslog.New(accesslog.Combined, nil)
	if err != nil {
		return nil, err
	}
	var entries []accesslog.Entry
	lines := bufio.NewScanner(raw)
	for lines.Scan() {
		var e accesslog.Entry
		if err := parser.Parse(lines.Bytes(), &e); err == nil {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil, errors.Join(errors.New("the log is empty"), lines.Err())
	}
	return entries, lines.Err()
}

// fillDemo stores the log as if its latest request were now. (The log is not
// quite in order.)
func (s *server) fillDemo(ctx context.Context, p *weir.Project, entries []accesslog.Entry) error {
	latest := slices.MaxFunc(entries, func(a, b accesslog.Entry) int { return a.Time.Compare(b.Time) })
	shift := time.Since(latest.Time)
	var in []weir.Incoming
	for i := range entries {
		in = demoEvents(in, &entries[i], entries[i].Time.Add(shift), fmt.Sprintf("demo-%d", i))
		if len(in) >= 1000 || i == len(entries)-1 {
			if _, err := s.ingest.Accept(ctx, p, in, ingest.Remote{Historical: true}); err != nil {
				return err
			}
			in = in[:0]
		}
	}
	return nil
}

// demoEvents appends a call for the request and, when it was for a page, a
// screen view.
func demoEvents(in []weir.Incoming, e *accesslog.Entry, at time.Time, id string) []weir.Incoming {
	src := weir.Source{URL: demoSite + e.URI, Referrer: e.Referrer, IP: e.IP, UserAgent: e.UserAgent}
	call := weir.Event{
		Name: weir.NameCall, Time: at.UTC().Truncate(time.Microsecond), ID: id,
		Call: &weir.Call{Method: e.Method, Route: e.Path, Status: e.Status},
	}
	if demoPage(e) {
		view := weir.Event{Name: weir.NameScreenView, Time: call.Time, ID: id}
		if id != "" {
			view.ID += "-view"
		}
		in = append(in, weir.Incoming{Event: view, Source: src})
	}
	return append(in, weir.Incoming{Event: call, Source: src})
}

// demoPage says whether the request was for a page rather than for a part of one.
func demoPage(e *accesslog.Entry) bool {
	switch path.Ext(e.Path) {
	case "", ".html", ".php":
		return e.Method == "GET" && e.Status == 200
	}
	return false
}
