package meta_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func describe(text string, hidden bool) func(*meta.Description) {
	return func(d *meta.Description) { d.Text, d.Hidden = text, hidden }
}

func TestADescriptionIsKeptUntilItSaysNothing(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	for _, name := range []string{"signup", "a/b 用户"} {
		must(f.Describe(t.Context(), p.ID, meta.DescribedEvent, name, describe(" made an account ", false)))(t)
	}
	must(f.Describe(t.Context(), p.ID, meta.DescribedColumn, "signup", describe("", true)))(t)
	got := must(f.Describe(t.Context(), p.ID, meta.DescribedEvent, "signup", func(d *meta.Description) { d.Hidden = true }))(t)
	want := meta.Description{Name: "signup", Text: "made an account", Hidden: true}
	if got != want {
		t.Errorf("described as %+v, want %+v", got, want)
	}
	if d := cmp.Diff([]meta.Description{{Name: "a/b 用户", Text: "made an account"}, want}, must(f.Descriptions(t.Context(), p.ID, meta.DescribedEvent))(t)); d != "" {
		t.Error(d)
	}
	must(f.Describe(t.Context(), p.ID, meta.DescribedEvent, "signup", describe("  ", false)))(t)
	if got := must(f.Descriptions(t.Context(), p.ID, meta.DescribedEvent))(t); len(got) != 1 {
		t.Errorf("%+v are left, want one", got)
	}
	if got := must(f.Descriptions(t.Context(), other.ID, meta.DescribedEvent))(t); len(got) != 0 {
		t.Errorf("another project has %+v", got)
	}
}

func TestDescriptionsAreBounded(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	for name, c := range map[string]struct {
		project, name, text string
		code                string
	}{
		"no name":      {p.ID, "", "x", weir.EINVALID},
		"a long name":  {p.ID, strings.Repeat("n", 513), "x", weir.EINVALID},
		"no UTF-8":     {p.ID, "a\xff", "x", weir.EINVALID},
		"a zero byte":  {p.ID, "a\x00", "x", weir.EINVALID},
		"a long text":  {p.ID, "n", strings.Repeat("ä", 1001), weir.EINVALID},
		"a bad text":   {p.ID, "n", "a\xff", weir.EINVALID},
		"no project":   {"none", "n", "x", weir.ENOTFOUND},
		"all in order": {p.ID, "n", strings.Repeat("ä", 1000), ""},
	} {
		if _, err := f.Describe(t.Context(), c.project, meta.DescribedEvent, c.name, describe(c.text, false)); (err == nil) != (c.code == "") || err != nil && weir.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
	const many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1998) INSERT INTO descriptions SELECT ?, 'event', 'n' || i, 'x', 0, 0 FROM n"
	if err := f.Exec(t.Context(), many, p.ID); err != nil {
		t.Fatal(err)
	}
	must(f.Describe(t.Context(), p.ID, meta.DescribedEvent, "the 2,000th", describe("x", false)))(t)
	if _, err := f.Describe(t.Context(), p.ID, meta.DescribedEvent, "one more", describe("x", false)); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("the 2,001st: %v, want EINVALID", err)
	}
	must(f.Describe(t.Context(), p.ID, meta.DescribedEvent, "n", describe("y", true)))(t)
	must(f.Describe(t.Context(), p.ID, meta.DescribedColumn, "path", describe("y", true)))(t)
}
