package insight

import (
	"cmp"
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Limits of discovery. All of it is bounded, because whoever holds a write key can send any
// number of names and values.
const (
	// MaxDiscovered is the most names or values of one answer, defaultDiscovered how many
	// there are when the query names no limit.
	MaxDiscovered     = 1000
	defaultDiscovered = 100
	// valueRows are the newest events that are read for the values of a column.
	valueRows = 50_000
	// maxValue is the longest value of an answer, in characters. A longer one is no choice
	// for a filter.
	maxValue = 200
)

// Discovery asks what there is to ask about, over a range. Fields that are zero do not restrict.
type Discovery struct {
	From, To time.Time // From inclusive, To exclusive; both are needed
	Event    string    // only events of this name
	Contains string    // part of a name or value; case counts
	Limit    int       // 0 is 100, at most MaxDiscovered
	// Hidden are names that are left out.
	Hidden map[string]bool
	// People also asks for what tells persons apart: their traits.
	People bool
}

func (q *Discovery) validate() error {
	for what, s := range map[string]string{"event": q.Event, "q": q.Contains} {
		if err := weir.CheckText(what, s); err != nil {
			return err
		}
	}
	if q.Limit < 0 || q.Limit > MaxDiscovered {
		return weir.Errorf(weir.EINVALID, "limit must be 1 to %d", MaxDiscovered)
	}
	q.Limit = cmp.Or(q.Limit, defaultDiscovered)
	if !q.From.Before(q.To) {
		return weir.Errorf(weir.EINVALID, "from must be before to")
	}
	return nil
}

// DiscoveredIn says what an answer is of.
type DiscoveredIn struct {
	From time.Time `json:"from" doc:"inclusive"`
	To   time.Time `json:"to" doc:"exclusive"`
	Meta
}

// discover answers a query about a range: it checks it, waits for memory and for the barrier,
// and reads.
func (e *Engine) discover(ctx context.Context, p *weir.Project, q *Discovery, freshness time.Duration, bytes int64, read func(context.Context, *reader) error) (in DiscoveredIn, err error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	if err := q.validate(); err != nil {
		return in, err
	}
	release, err := e.hold(ctx, min(bytes, e.held.all))
	if err != nil {
		return in, err
	}
	defer release()
	done, err := e.passBarrier(ctx, p, freshness)
	if err != nil {
		return in, err
	}
	if err := read(ctx, &reader{Engine: e, project: p}); err != nil {
		return in, fmt.Errorf("insight: discovery: %w", err)
	}
	return DiscoveredIn{From: q.From.In(p.Location()), To: q.To.In(p.Location()), Meta: done()}, nil
}

// Names are the names of a project's events.
type Names struct {
	Names []NamedEvent `json:"names" nullable:"false" doc:"the name with the most events first; equal ones by name"`
	More  bool         `json:"more,omitempty" doc:"there are more names than the limit"`
	DiscoveredIn
}

// NamedEvent is a name of events, with how many there are in the range.
type NamedEvent struct {
	Name     string    `json:"name"`
	Count    int64     `json:"count" doc:"events in the range"`
	LastSeen time.Time `json:"last_seen" doc:"the time of the newest of them"`
	Described
}

// Described is what people wrote about an event or a column.
type Described struct {
	Description string `json:"description,omitempty"`
	Hidden      bool   `json:"hidden,omitempty" doc:"it is left out of lists unless they are asked for with hidden=true"`
}

// Names returns the names of the events of a range, with exact counts. freshness is as in
// Asker. Error: EINVALID.
func (e *Engine) Names(ctx context.Context, p *weir.Project, q Discovery, freshness time.Duration) (*Names, error) {
	a := &Names{Names: []NamedEvent{}}
	var err error
	a.DiscoveredIn, err = e.discover(ctx, p, &q, freshness, answerBytes, func(ctx context.Context, r *reader) error {
		if err := a.count(ctx, r, q); err != nil {
			return err
		}
		return a.seen(ctx, r, q)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// count fills in the names and their counts, from tallies if the range has whole quarters of
// an hour.
func (a *Names) count(ctx context.Context, r *reader, q Discovery) error {
	b := oneBucket(q.From, q.To)
	g := grouped{tallied: !r.o.Raw}
	from := g.counted(b)
	where := r.in(b)
	if q.Contains != "" {
		where = all(where, fragment{sql: r.d.Contains("name", "?"), args: []any{q.Contains}})
	}
	if q.Event != "" {
		where = all(where, sql("name = @", bind(q.Event)))
	}
	counted := selection{
		columns: raw("name, CAST(" + from.count + " AS BIGINT) AS n"), from: raw(from.table), where: where,
		groupBy: "name", orderBy: "n DESC, name", limit: q.Limit + len(q.Hidden) + 1,
	}
	return r.each(ctx, counted.statement(), func(scan func(...any) error) error {
		var n NamedEvent
		if err := scan(&n.Name, &n.Count); err != nil {
			return err
		}
		switch {
		case q.Hidden[n.Name]:
		case len(a.Names) == q.Limit:
			a.More = true
		default:
			a.Names = append(a.Names, n)
		}
		return nil
	})
}

// seen fills in when the names were seen last.
func (a *Names) seen(ctx context.Context, r *reader, q Discovery) error {
	if len(a.Names) == 0 {
		return nil
	}
	var names []fragment
	of := map[string]*NamedEvent{}
	for i := range a.Names {
		names = append(names, bind(a.Names[i].Name))
		of[a.Names[i].Name] = &a.Names[i]
	}
	last := selection{
		columns: raw("name, " + r.d.Micros("MAX(ts)")), from: raw("events"),
		where: all(r.in(oneBucket(q.From, q.To)), isOneOf(raw("name"), names)), groupBy: "name",
	}
	return r.each(ctx, last.statement(), func(scan func(...any) error) error {
		var name string
		var us int64
		if err := scan(&name, &us); err != nil {
			return err
		}
		of[name].LastSeen = r.local(us)
		return nil
	})
}
