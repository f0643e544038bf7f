package insight

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// exportPage is how many events of an export are in memory.
const exportPage = 200

// Export writes all that is known of a profile as one JSON object: profile, changes of
// its traits, visits, events, dead letters, the latter as they came. Little of it is in memory at a
// time. Errors: EINVALID, and ENOTFOUND when nothing is known of it, for which nothing
// is written; any other may come in the middle.
func (e *Engine) Export(ctx context.Context, p *weir.Project, profileID string, w io.Writer) error {
	a, err := e.Profile(ctx, p, profileID, 0)
	if err != nil {
		return err
	}
	l, err := e.linkage(ctx, p)
	if err != nil {
		return fmt.Errorf("insight: export: %w", err)
	}
	x := &export{w: bufio.NewWriterSize(w, 64<<10)}
	x.field("profile", a)
	for _, part := range []struct {
		name string
		fill func() error
	}{
		{"changes", func() error { return e.exportChanges(ctx, p, profileID, x) }},
		{"visits", func() error { return e.exportVisits(ctx, p, l, profileID, x) }},
		{"events", func() error { return e.exportEvents(ctx, p, profileID, x) }},
		{"dead_letters", func() error { return e.exportDead(ctx, p, a, x) }},
	} {
		x.open(part.name)
		if err := part.fill(); err != nil {
			return fmt.Errorf("insight: export %s: %w", part.name, err)
		}
		x.close()
	}
	x.text("}\n")
	if x.err == nil {
		x.err = x.w.Flush()
	}
	return x.err
}

// export writes JSON piece by piece. After an error it writes no more.
type export struct {
	w     *bufio.Writer
	begun bool // a field was written
	items int  // of the open list
	err   error
}

func (x *export) text(s string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(s)
	}
}

func (x *export) value(v any) {
	b, err := json.Marshal(v)
	if x.err == nil {
		x.err = err
	}
	x.text(string(b))
}

func (x *export) name(name string) {
	if x.begun {
		x.text(",\n")
	} else {
		x.text("{")
	}
	x.begun = true
	x.value(name)
	x.text(":")
}

func (x *export) field(name string, v any) {
	x.name(name)
	x.value(v)
}

func (x *export) open(name string) {
	x.name(name)
	x.text("[")
	x.items = 0
}

func (x *export) item(v any) error {
	if x.items++; x.items > 1 {
		x.text(",\n")
	}
	x.value(v)
	return x.err
}

func (x *export) close() { x.text("]") }

func (e *Engine) exportChanges(ctx context.Context, p *weir.Project, profileID string, x *export) error {
	return e.changes(ctx, sql("project_id = @ AND profile_id = @", bind(p.ID), bind(profileID)), func(c *weir.TraitChange) error {
		out := profileChange{Trait: c.Trait, Op: c.Op, Time: c.At.In(p.Location())}
		if c.Op != weir.TraitUnset {
			out.Value = c.Value()
		}
		return x.item(out)
	})
}

func (e *Engine) exportVisits(ctx context.Context, p *weir.Project, l linkage, profileID string, x *export) error {
	const state = "device_id, session_id, version, start_at, end_at, entry, exit, events, screen_views, referrer, channel, country, region, city, browser, os, device_type, language"
	start, end := e.d.Micros("start_at"), e.d.Micros("end_at")
	q := sql("SELECT device_id, session_id, "+start+", "+end+", entry, exit, events, screen_views, referrer, channel, country, region, city, browser, os, device_type, language "+
		"FROM visits WHERE project_id = @ AND @ GROUP BY "+state+" HAVING SUM(sign) > 0 ORDER BY start_at, device_id, session_id", bind(p.ID), e.visitsOfProfile(p, l, profileID))
	return e.each(ctx, q, func(scan func(...any) error) error {
		var v profileVisit
		var from, to int64
		err := scan(&v.DeviceID, &v.SessionID, &from, &to, &v.Entry, &v.Exit, &v.Events, &v.ScreenViews,
			&v.Referrer, &v.Channel, &v.Country, &v.Region, &v.City, &v.Browser, &v.OS, &v.DeviceType, &v.Language)
		if err != nil {
			return err
		}
		v.Start, v.End = time.UnixMicro(from).In(p.Location()), time.UnixMicro(to).In(p.Location())
		return x.item(v)
	})
}

func (e *Engine) exportEvents(ctx context.Context, p *weir.Project, profileID string, x *export) error {
	q := EventsQuery{ProfileID: profileID, Limit: exportPage}
	for {
		page, err := e.Events(ctx, p, q, 24*time.Hour) // the barrier was passed
		if err != nil {
			return err
		}
		for i := range page.Events {
			if err := x.item(&page.Events[i]); err != nil {
				return err
			}
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return nil
		}
	}
}

// exportDead writes the events that were refused.
func (e *Engine) exportDead(ctx context.Context, p *weir.Project, a *Profile, x *export) error {
	linked, profiles := map[string]bool{}, map[string]bool{a.ProfileID: true}
	for _, d := range a.Devices {
		linked[d.DeviceID] = true
	}
	for _, former := range a.Aliases {
		profiles[former.ID] = true
	}
	return e.each(ctx, sql("SELECT reason, event FROM dead_letters WHERE project_id = @ ORDER BY refused_at, shard, seq", bind(p.ID)), func(scan func(...any) error) error {
		var reason string
		var event []byte
		if err := scan(&reason, &event); err != nil {
			return err
		}
		who := cold.PersonOf(event)
		if !profiles[who.ProfileID] && (who.ProfileID != "" || !linked[who.DeviceID]) {
			return nil
		}
		return x.item(profileDead{reason, string(event)})
	})
}

// profileDead is an event that was refused, in an export.
type profileDead struct {
	Reason string `json:"reason"`
	Event  string `json:"event" doc:"as it was kept; perhaps not valid JSON"`
}

// profileVisit is a visit in an export.
type profileVisit struct {
	DeviceID    string    `json:"device_id"`
	SessionID   string    `json:"session_id"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Entry       string    `json:"entry,omitempty"`
	Exit        string    `json:"exit,omitempty"`
	Events      int64     `json:"events"`
	ScreenViews int64     `json:"screen_views"`
	Referrer    string    `json:"referrer,omitempty"`
	Channel     string    `json:"channel,omitempty"`
	Country     string    `json:"country,omitempty"`
	Region      string    `json:"region,omitempty"`
	City        string    `json:"city,omitempty"`
	Browser     string    `json:"browser,omitempty"`
	OS          string    `json:"os,omitempty"`
	DeviceType  string    `json:"device_type,omitempty"`
	Language    string    `json:"language,omitempty"`
}

// profileChange is a change of a trait in an export.
type profileChange struct {
	Trait string          `json:"trait"`
	Op    weir.TraitOp    `json:"op"`
	Value json.RawMessage `json:"value,omitempty"`
	Time  time.Time       `json:"ts"`
}
