package retention

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/meta"
)

// deleting notes what is done to a project, and fails where told to.
type deleting struct {
	did   []string
	fails string
}

func (d *deleting) do(what string) error {
	d.did = append(d.did, what)
	if what == d.fails {
		return errors.New("no connection")
	}
	return nil
}

func (d *deleting) DueDeletions(context.Context) ([]meta.ProjectDeletion, error) {
	return []meta.ProjectDeletion{{ProjectID: "p"}}, nil
}

func (d *deleting) DeletionStep(_ context.Context, _, step string) error { return d.do("note " + step) }

func (d *deleting) DeletionFailed(_ context.Context, _, reason string) error {
	return d.do("failed: " + reason)
}

func (d *deleting) DeletionPassed(context.Context, meta.ProjectDeletion) error { return d.do("passed") }

func (d *deleting) DropProject(_ context.Context, project string) error {
	return d.do("drop " + project)
}

func (d *deleting) DeleteRows(_ context.Context, parts ...cold.Part) error {
	for _, p := range parts {
		if p.Where != "project_id = ?" || p.Args[0] != "p" {
			return errors.New("deletes something else")
		}
	}
	return d.do("rows")
}

func TestAProjectIsDeletedFromTheColdTierAndThenFromTheHotOne(t *testing.T) {
	for fails, want := range map[string][]string{
		"":       {"note drain", "flush", "note cold", "rows", "note hot", "drop p", "passed"},
		"flush":  {"note drain", "flush", "failed: no connection"},
		"rows":   {"note drain", "flush", "note cold", "rows", "failed: no connection"},
		"drop p": {"note drain", "flush", "note cold", "rows", "note hot", "drop p", "failed: no connection"},
	} {
		d := &deleting{fails: fails}
		p := &ProjectDeleter{
			Deletions: d, Cold: d, Hot: d, MayRun: always, Log: slog.New(slog.DiscardHandler),
			Flush: func(context.Context) (time.Time, error) { return time.Time{}, d.do("flush") },
		}
		if err := p.deleteDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, d.did); diff != "" {
			t.Errorf("%q fails: %s", fails, diff)
		}
	}
}
