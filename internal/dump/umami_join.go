package dump

import (
	"context"
	"errors"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// join reads the tables that others are joined with, and returns the others. One
// that breaks off ends the import before an event is sent without its data.
func (u *umami) join(ctx context.Context, tables []Table, o Options, emit func(*Record) error) ([]Table, error) {
	var rest []Table
	for _, t := range tables {
		if t.Once {
			rest = append(rest, t)
			continue
		}
		into := u.indexOf(t, o)
		if into == nil {
			rest = append(rest, t)
			continue
		}
		if err := u.fill(ctx, into, t, o, emit); err != nil {
			return nil, err
		}
	}
	for _, x := range []*index{u.data, u.sessions} {
		if x != nil {
			if err := x.done(); err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// indexOf returns the index for the rows of a table; nil if the table is not joined. Errors of
// its content are reported when it is read.
func (u *umami) indexOf(t Table, o Options) *index {
	in, err := t.Open()
	if err != nil {
		return nil
	}
	defer in.Close()
	kind := umamiNone
	s := &scanner{name: t.Name}
	_ = s.each(in, func(x scanned) error {
		if x.err != nil {
			return nil
		}
		kind = umamiKindOf(row{fields: x.fields})
		return errStop
	})
	into := &u.data
	switch kind {
	case umamiEventData:
	case umamiSession:
		into = &u.sessions
	default:
		return nil
	}
	if *into == nil {
		*into = &index{dir: o.Temp, budget: o.Memory / 2}
	}
	return *into
}

// fill adds the rows of a table to an index. What is wrong with one is emitted.
func (u *umami) fill(ctx context.Context, into *index, t Table, o Options, emit func(*Record) error) error {
	in, err := t.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	s := &scanner{name: t.Name}
	var cause error
	err = s.each(in, func(x scanned) error {
		if cause = ctx.Err(); cause != nil {
			return errStop
		}
		err := x.err
		if err == nil {
			var key string
			var value []byte
			if key, value, err = u.keyed(row{x.fields, o.Zone}); err == nil {
				if cause = into.add(key, value); cause != nil {
					return errStop
				}
				return nil
			}
		}
		if cause = emit(&Record{Place: Place{Table: t.Name, Line: x.line, Offset: x.offset}, Text: x.text, Err: err}); cause != nil {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return cause
	}
	if err != nil {
		return errors.New(t.Name + ": " + err.Error())
	}
	return nil
}

// keyed is what a row is found by, and what is kept of it.
func (u *umami) keyed(r row) (key string, value []byte, err error) {
	kept := map[string]any{}
	switch umamiKindOf(r) {
	case umamiEventData:
		key = r.text("website_event_id", "event_id")
		name := r.text("data_key", "event_key")
		if name == "" {
			return "", nil, errors.New("there is no data_key")
		}
		kept[name] = umamiValue(r)
	case umamiSession:
		key = r.text("session_id")
		for _, name := range []string{
			"hostname", "browser", "os", "device", "screen", "language", "country", "region", "subdivision1", "city", "distinct_id",
		} {
			put(kept, name, r.text(name))
		}
	default:
		return "", nil, errors.New("this is a row of another table")
	}
	if key == "" {
		return "", nil, errors.New("there is no id to join it by")
	}
	value, err = encode(mend(kept, 1))
	return key, value, err
}

func (u *umami) close() {
	for _, x := range []*index{u.data, u.sessions} {
		if x != nil {
			x.close()
		}
	}
}

// campaignOf reads from a query what the event does not say of its campaign.
func campaignOf(e *weir.Event, query string) {
	v, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	if err != nil && len(v) == 0 {
		return
	}
	for name, field := range map[string]*string{
		"utm_source": &e.UTMSource, "utm_medium": &e.UTMMedium, "utm_campaign": &e.UTMCampaign, "utm_term": &e.UTMTerm, "utm_content": &e.UTMContent,
	} {
		if *field == "" {
			*field = v.Get(name)
		}
	}
}
