package demo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/ingest"
)

// accessLog is a real site's log of four days; NOTICE.md says whose.
//
//go:embed access.log.gz
var accessLog []byte

const (
	siteProject = "Demo"
	siteAddress = "http://www.semicomplete.com"
	sitePause   = 700 * time.Millisecond // mean time between replayed requests
)

// runSite fills the project once, then replays its log as if it happened now.
func (d *Demo) runSite(ctx context.Context) error {
	p, fill, err := d.project(ctx, siteProject, siteKey)
	if err != nil {
		return err
	}
	entries, err := readLog()
	if err != nil {
		return err
	}
	if fill {
		if err := d.fillSite(ctx, p, entries); err != nil && ctx.Err() == nil {
			return err
		}
	}
	for i := 0; ctx.Err() == nil; i = (i + 1) % len(entries) {
		wait := time.Duration(rand.ExpFloat64() * float64(sitePause))
		if err := pause(ctx, min(wait, 5*sitePause)); err != nil {
			break
		}
		in := siteEvents(nil, &entries[i], time.Now(), "")
		if _, err := d.Ingest.Accept(ctx, p, in, ingest.Remote{Historical: true}); err != nil && ctx.Err() == nil {
			d.Log.Warn("demo: an event was refused", "error", err)
		}
	}
	return nil
}

// readLog parses the log; the one line that is no entry is left out.
func readLog() ([]accesslog.Entry, error) {
	raw, err := gzip.NewReader(bytes.NewReader(accessLog))
	if err != nil {
		return nil, err
	}
	parser, err := accesslog.New(accesslog.Combined, accesslog.Options{})
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

// fillSite stores the log as if its latest request were now. (The log is not
// quite in order.)
func (d *Demo) fillSite(ctx context.Context, p *weir.Project, entries []accesslog.Entry) error {
	latest := slices.MaxFunc(entries, func(a, b accesslog.Entry) int { return a.Time.Compare(b.Time) })
	shift := time.Since(latest.Time)
	var in []weir.Incoming
	for i := range entries {
		in = siteEvents(in, &entries[i], entries[i].Time.Add(shift), fmt.Sprintf("demo-%d", i))
		if len(in) >= 1000 || i == len(entries)-1 {
			if _, err := d.Ingest.Accept(ctx, p, in, ingest.Remote{Historical: true}); err != nil {
				return err
			}
			in = in[:0]
		}
	}
	return nil
}

// siteEvents appends a call for the request and, when it was for a page, a
// screen view.
func siteEvents(in []weir.Incoming, e *accesslog.Entry, at time.Time, id string) []weir.Incoming {
	src := weir.Source{URL: siteAddress + e.URI, Referrer: e.Referrer, IP: e.IP, UserAgent: e.UserAgent}
	call := weir.Event{
		Name: weir.NameCall, Time: at.UTC().Truncate(time.Microsecond), ID: id,
		Call: &weir.Call{Method: e.Method, Route: e.Path, Status: e.Status},
	}
	if isPage(e) {
		view := weir.Event{Name: weir.NameScreenView, Time: call.Time, ID: id}
		if id != "" {
			view.ID += "-view"
		}
		in = append(in, weir.Incoming{Event: view, Source: src})
	}
	return append(in, weir.Incoming{Event: call, Source: src})
}

// isPage says whether the request was for a page rather than for a part of one.
func isPage(e *accesslog.Entry) bool {
	switch path.Ext(e.Path) {
	case "", ".html", ".php":
		return e.Method == "GET" && e.Status == 200
	}
	return false
}
