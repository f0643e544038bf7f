package meta_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func purchase(name string) weir.ActionSpec {
	return weir.ActionSpec{
		Name: name, Revenue: &weir.ActionRevenue{Value: new(2.5), Currency: "EUR"},
		Any: []weir.ActionEvent{{Event: "purchase", Path: "/a/*", Filter: weir.Filter{{Column: "country", Op: "in", Values: []string{"DE", "FR"}}}}},
	}
}

func TestActionsAreMadeChangedAndDeleted(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	b := must(f.CreateAction(t.Context(), p.ID, purchase(" b ")))(t)
	a := must(f.CreateAction(t.Context(), p.ID, purchase("a")))(t)
	must(f.CreateAction(t.Context(), other.ID, purchase("a")))(t)
	if d := cmp.Diff([]weir.Action{*a, *b}, must(f.Actions(t.Context(), p.ID))(t)); d != "" || b.Name != "b" {
		t.Errorf("(-made +stored):\n%s", d)
	}
	changed := must(f.ChangeAction(t.Context(), p.ID, b.ID, func(s *weir.ActionSpec) error { s.Name, s.Revenue = "c", nil; return nil }))(t)
	if d := cmp.Diff(changed, must(f.Action(t.Context(), p.ID, b.ID))(t)); d != "" || changed.Name != "c" || changed.Revenue != nil {
		t.Errorf("%+v (-changed +stored):\n%s", changed, d)
	}
	_, err := f.CreateAction(t.Context(), p.ID, purchase("a"))
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.ChangeAction(t.Context(), p.ID, b.ID, func(s *weir.ActionSpec) error { s.Name = "a"; return nil })
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.ChangeAction(t.Context(), p.ID, b.ID, func(s *weir.ActionSpec) error { s.Any = nil; return nil })
	wantCode(t, err, weir.EINVALID)
	broken := errors.New("broken")
	if _, err = f.ChangeAction(t.Context(), p.ID, b.ID, func(s *weir.ActionSpec) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want that of the change", err)
	}
	for _, project := range []string{other.ID, "none"} {
		_, err = f.Action(t.Context(), project, b.ID)
		wantCode(t, err, weir.ENOTFOUND)
		wantCode(t, f.DeleteAction(t.Context(), project, b.ID), weir.ENOTFOUND)
	}
	if err := f.DeleteAction(t.Context(), p.ID, b.ID); err != nil {
		t.Fatal(err)
	}
	if got := must(f.Actions(t.Context(), p.ID))(t); len(got) != 1 || got[0].ID != a.ID {
		t.Errorf("left: %+v", got)
	}
}

func TestActionsAreBounded(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	for i := range 200 {
		must(f.CreateAction(t.Context(), p.ID, purchase(fmt.Sprint("a", i))))(t)
	}
	_, err := f.CreateAction(t.Context(), p.ID, purchase("one more"))
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.CreateAction(t.Context(), "none", purchase("x"))
	wantCode(t, err, weir.ENOTFOUND)
	large := purchase("large")
	for range 9 {
		e := large.Any[0]
		e.Event = string(make([]byte, 8000))
		large.Any = append(large.Any, e)
	}
	id := must(f.Actions(t.Context(), p.ID))(t)[0].ID
	_, err = f.ChangeAction(t.Context(), p.ID, id, func(s *weir.ActionSpec) error { *s = large; return nil })
	wantCode(t, err, weir.EINVALID)
}
