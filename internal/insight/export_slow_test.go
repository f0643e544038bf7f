package insight_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// noted is a store that remembers for whom its statements run.
type noted struct {
	cold.Store
	asked []context.Context
}

func (w *noted) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w.asked = append(w.asked, ctx)
	return w.Store.Query(ctx, query, args...)
}

// slowReader is who reads an export: while it gets a piece no statement may run, and so
// no limit of a statement's time.
type slowReader struct {
	bytes.Buffer
	t      *testing.T
	s      *noted
	pieces int
}

func (w *slowReader) Write(b []byte) (int, error) {
	w.pieces++
	for _, ctx := range w.s.asked {
		if ctx.Err() == nil {
			w.t.Fatal("a statement runs while the reader gets a piece")
		}
	}
	return w.Buffer.Write(b)
}

func TestNoStatementRunsWhileAnExportIsWritten(t *testing.T) {
	s := &noted{Store: newStore(t)}
	b := &cold.Batch{Token: "more", Log: "log", First: 1, Last: 1, Now: noon}
	for i := range 1200 { // more than a page of each
		r := weir.EventRow{Seq: uint64(i + 1)}
		r.ID, r.ProjectID, r.Name, r.ProfileID, r.Time, r.ReceivedAt = fmt.Sprint("e", i), "p", "click", "u", noon, noon
		b.Events = append(b.Events, r)
		b.Visits = append(b.Visits, weir.VisitRow{ProjectID: "p", SessionID: fmt.Sprint("s", i), ProfileID: "u", Sign: 1, Version: 1, Start: noon, End: noon})
		b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: "p", Seq: uint64(i), Event: []byte(`{"ProfileID":"u"}`), At: noon})
		b.Traits = append(b.Traits, weir.TraitChange{ProjectID: "p", ProfileID: "u", Trait: "t", Op: weir.TraitSet, At: noon, Place: fmt.Sprintf("%06d", i), Text: "w", Quoted: true})
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	e := insight.New(s, done{}, time.Now, insight.Options{})
	w := &slowReader{t: t, s: s}
	if err := e.Export(t.Context(), berlin(t), "u", w); err != nil {
		t.Fatal(err)
	}
	if w.pieces < 5 {
		t.Errorf("written in %d pieces only", w.pieces)
	}
}

func TestMoreExportsThanMayGoOnAreRefused(t *testing.T) {
	r := view("d1", "/", 1)
	r.ProfileID = "u1"
	e := insight.New(newStore(t, r), done{}, time.Now, insight.Options{Memory: 8 << 20})
	reading, end := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- e.Export(t.Context(), berlin(t), "u1", writer(func(b []byte) (int, error) {
			close(reading)
			<-end
			return len(b), nil
		}))
	}()
	<-reading
	if err := e.Export(t.Context(), berlin(t), "u1", &bytes.Buffer{}); weir.ErrorCode(err) != weir.EUNAVAILABLE {
		t.Errorf("error %v, want EUNAVAILABLE", err)
	}
	if _, err := e.Events(t.Context(), berlin(t), insight.EventsQuery{Limit: 1000}, 0); err != nil {
		t.Errorf("a question meanwhile: %v", err)
	}
	close(end)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := e.Export(t.Context(), berlin(t), "u1", &bytes.Buffer{}); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// meanwhile is a store in which something happens after a page's rows were counted.
type meanwhile struct {
	cold.Store
	then func()
}

func (m *meanwhile) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.Contains(query, "FROM events") && strings.Contains(query, "ORDER BY ts DESC, shard DESC") && m.then != nil {
		then := m.then
		m.then = nil
		then()
	}
	return m.Store.Query(ctx, query, args...)
}

func TestAPageThatAnErasureShortensIsNotTakenForTheLast(t *testing.T) {
	var all []weir.EventRow
	for i := range 12 {
		r := view("", "/x", float64(i)/100)
		r.ProfileID = []string{"ada", "bob"}[i%2]
		all = append(all, r)
	}
	s := newStore(t, all...)
	m := &meanwhile{Store: s, then: func() {
		if err := s.Erase(t.Context(), cold.Erasure{ProjectID: "p", ProfileID: "ada", At: noon.AddDate(1, 0, 0)}); err != nil {
			t.Error(err)
		}
	}}
	e := insight.New(m, done{}, time.Now, insight.Options{})
	q := insight.EventsQuery{Limit: 3, Filter: []weir.Condition{{Column: "path", Op: "=", Values: []string{"/x"}}}}
	var got []int
	for range 5 {
		page, err := e.Events(t.Context(), berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, len(page.Events))
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	if m.then != nil || fmt.Sprint(got) != "[3 3]" {
		t.Errorf("pages of %v events, want 3 and 3", got)
	}
}
