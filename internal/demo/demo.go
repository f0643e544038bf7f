// Package demo fills two projects that keep moving: a site, from a real access log, and an
// API that is made up. Their write keys are known to all, so a demo is for loopback only.
package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
	"golang.org/x/sync/errgroup"
)

// Write keys of the two projects.
const (
	siteKey = "wk_demodemodemodemo"
	apiKey  = "wk_demoapidemoapi"
)

// Demo sends the events of both projects.
type Demo struct {
	Meta   *meta.Store
	Ingest *ingest.Ingester
	Log    *slog.Logger
}

// Run fills the projects, then sends events until ctx is done.
func (d *Demo) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.runSite(ctx) })
	g.Go(func() error { return d.runAPI(ctx) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// Greet prints how to look at the demo on the server at url.
func Greet(w io.Writer, url, login string) {
	fmt.Fprintf(w, `Sign in with %s

Send an event, and see it at once:

    curl %s/v1/events -H 'Authorization: Bearer %s' \
      -d '{"name":"signup","profile_id":"ada","properties":{"plan":"pro"}}'

Count the views of a page of yours:

    <script defer src="%s/weir.js" data-key="%s"></script>

`, login, url, siteKey, url, siteKey)
}

// project returns the project of a key. If there is none it makes it, and fresh is true.
func (d *Demo) project(ctx context.Context, name, key string) (p *weir.Project, fresh bool, err error) {
	p, err = d.Meta.ProjectByKey(ctx, key)
	if code := weir.ErrorCode(err); code != weir.EUNAUTHORIZED && code != weir.ENOTFOUND {
		return p, false, err
	}
	p, _, err = d.Meta.CreateProject(ctx, meta.NewProject{Name: name, Timezone: "UTC"})
	if err != nil {
		return nil, false, err
	}
	_, err = d.Meta.AddKey(ctx, p.ID, key)
	return p, true, err
}

// pause waits for d, or until ctx is done.
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
