package meta_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestARotatedKeyIsGoodUntilTheOverlapIsOver(t *testing.T) {
	f := open(t)
	other := reopen(t, f) // of another node
	p, _ := newProject(t, f)
	k, old, err := f.CreateKey(t.Context(), p.ID, "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	fresh, key, err := f.RotateKey(t.Context(), p.ID, k.ID, 90*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(k.Origins, fresh.Origins); d != "" {
		t.Error(d)
	}
	for _, after := range []time.Duration{0, 59 * time.Second, 30 * time.Second} {
		f.watch.add(after)
		for _, good := range []string{old, key} {
			must(f.ProjectByKey(t.Context(), good))(t)
			must(other.ProjectByKey(t.Context(), good))(t)
		}
	}
	f.watch.add(time.Second) // although both remember it for a minute
	must(f.ProjectByKey(t.Context(), key))(t)
	for _, s := range []interface {
		ProjectByKey(ctx context.Context, key string) (*weir.Project, error)
	}{f, other} {
		_, err := s.ProjectByKey(t.Context(), old)
		wantCode(t, err, weir.ENOTFOUND)
	}
	ends := map[string]time.Time{}
	for _, k := range must(f.Keys(t.Context(), p.ID))(t) {
		ends[k.ID] = k.RevokedAt
	}
	if !ends[fresh.ID].IsZero() || !ends[k.ID].Equal(f.watch.now()) {
		t.Errorf("keys end %v", ends)
	}
}

func TestAKeyIsRotatedOnceAndCanBeRevokedEarlier(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	k, old, err := f.CreateKey(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, overlap := range []time.Duration{-1, 367 * 24 * time.Hour} {
		_, _, err = f.RotateKey(t.Context(), p.ID, k.ID, overlap)
		wantCode(t, err, weir.EINVALID)
	}
	_, _, err = f.RotateKey(t.Context(), "nothing", k.ID, time.Hour)
	wantCode(t, err, weir.ENOTFOUND)
	if _, _, err = f.RotateKey(t.Context(), p.ID, k.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	_, _, err = f.RotateKey(t.Context(), p.ID, k.ID, time.Hour)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.ProjectByKey(t.Context(), old))(t)
	wantCode(t, f.RevokeKey(t.Context(), p.ID, k.ID), "")
	_, err = f.ProjectByKey(t.Context(), old)
	wantCode(t, err, weir.ENOTFOUND)
	wantCode(t, f.RevokeKey(t.Context(), p.ID, k.ID), weir.ENOTFOUND)
}

func TestAProjectIsRenamed(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	must(f.Project(t.Context(), p.ID))(t)
	wantCode(t, f.Rename(t.Context(), p.ID, " New "), "")
	if got := must(f.Project(t.Context(), p.ID))(t).Name; got != "New" {
		t.Errorf("name = %q", got)
	}
	wantCode(t, f.Rename(t.Context(), p.ID, ""), weir.EINVALID)
	wantCode(t, f.Rename(t.Context(), "nothing", "x"), weir.ENOTFOUND)
}
