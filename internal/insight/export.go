package insight

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/visit"
)

// ProfileExport describes what Export writes.
type ProfileExport struct {
	Profile     Profile         `json:"profile"`
	Devices     []string        `json:"devices" nullable:"false" doc:"all that are linked to it"`
	Changes     []profileChange `json:"changes" nullable:"false" doc:"of its traits"`
	Visits      []profileVisit  `json:"visits" nullable:"false"`
	Events      []EventItem     `json:"events" nullable:"false" doc:"newest first"`
	DeadLetters []profileDead   `json:"dead_letters" nullable:"false" doc:"events that the cold tier refused"`
}

// Export writes all data of a profile as one JSON object: the profile, all its devices,
// changes of its traits, visits, events, and dead letters as they came. It reads one page
// of exportBytes after another. A page's statements have ended before the page is written,
// so a slow w holds nothing.
//
// Errors before anything is written: EINVALID; ENOTFOUND if there is no such profile;
// EUNAVAILABLE while mostExports run. Any other error may come in the middle.
func (e *Engine) Export(ctx context.Context, p *weir.Project, profileID string, w io.Writer) error {
	select {
	case e.exports <- struct{}{}:
		defer func() { <-e.exports }()
	default:
		return weir.Errorf(weir.EUNAVAILABLE, "%d exports go on, which is the most: ask again when one has ended", cap(e.exports))
	}
	a, err := e.Profile(ctx, p, profileID, 0)
	if err != nil {
		return err
	}
	r, err := e.reader(ctx, p, true)
	if err != nil {
		return fmt.Errorf("insight: export: %w", err)
	}
	// The lists in Profile are bounded. Here all devices are needed, to find the dead letters.
	devices, err := r.devicesOf(ctx, profileID)
	former := []string(nil)
	if err == nil {
		former, err = r.mergedInto(ctx, profileID)
	}
	if err != nil {
		return fmt.Errorf("insight: export: %w", err)
	}
	x := &export{w: bufio.NewWriterSize(w, 64<<10)}
	x.field("profile", a)
	x.open("devices")
	for _, d := range devices {
		_ = x.item(d)
	}
	x.close()
	for _, part := range []struct {
		name string
		fill func() error
	}{
		{"changes", func() error { return e.exportChanges(ctx, p, profileID, x) }},
		{"visits", func() error { return r.exportVisits(ctx, profileID, x) }},
		{"events", func() error { return e.exportEvents(ctx, p, profileID, x) }},
		{"dead_letters", func() error { return e.exportDead(ctx, p, append(former, profileID), devices, x) }},
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

// field writes a member of the object.
func (x *export) field(name string, v any) {
	x.name(name)
	x.value(v)
}

// open begins a member that is an array.
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
	var at keyset[[2]string] // trait and place
	return writePages(x, func(add func(profileChange, int) bool) (bool, error) {
		pg := at.page()
		where := sql("project_id = @ AND profile_id = @", bind(p.ID), bind(profileID))
		if at.rows > 0 {
			where = sql("@ AND (trait > @ OR (trait = @ AND place >= @))", where, bind(at.last[0]), bind(at.last[0]), bind(at.last[1]))
		}
		err := e.changes(ctx, where, pg.limit, func(c *weir.TraitChange) error {
			if !pg.new([2]string{c.Trait, c.Place}) {
				return nil
			}
			out := profileChange{Trait: c.Trait, Op: c.Op, Time: c.At.In(p.Location())}
			if c.Op != weir.TraitUnset {
				out.Value = c.Value()
			}
			return pg.more(add(out, len(c.Trait)+len(out.Value)))
		})
		return pg.end(err)
	})
}

func (r *reader) exportVisits(ctx context.Context, profileID string, x *export) error {
	const state = "start_at, device_id, session_id, version, end_at, entry, exit, events, screen_views, interactive, calls, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign, country, region, city, browser, os, device_type, language"
	start, end := r.d.Micros("start_at"), r.d.Micros("end_at")
	type key struct {
		us              int64
		device, session string
	}
	var at keyset[key]
	return writePages(x, func(add func(profileVisit, int) bool) (bool, error) {
		pg := at.page()
		where := sql("project_id = @ AND @", bind(r.project.ID), r.visitsOfProfile(profileID))
		if k := at.last; at.rows > 0 {
			where = sql("@ AND start_at >= @ AND (start_at > @ OR device_id > @ OR (device_id = @ AND session_id >= @))", where, r.at(k.us), r.at(k.us), bind(k.device), bind(k.device), bind(k.session))
		}
		q := sql("SELECT device_id, session_id, "+start+", "+end+", entry, exit, events, screen_views, interactive, calls, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign, country, region, city, browser, os, device_type, language "+
			"FROM visits WHERE @ GROUP BY "+state+" HAVING SUM(sign) > 0 ORDER BY "+state+" LIMIT "+strconv.Itoa(pg.limit), where)
		err := r.each(ctx, q, func(scan func(...any) error) error {
			var v profileVisit
			var from, to int64
			err := scan(&v.DeviceID, &v.SessionID, &from, &to, &v.Entry, &v.Exit, &v.Events, &v.ScreenViews, &v.Interactive, &v.Calls, &v.Ended, &v.Bot,
				&v.Referrer, &v.Channel, &v.UTMSource, &v.UTMMedium, &v.UTMCampaign, &v.Country, &v.Region, &v.City, &v.Browser, &v.OS, &v.DeviceType, &v.Language)
			if err != nil || !pg.new(key{from, v.DeviceID, v.SessionID}) {
				return err
			}
			v.Start, v.End = r.local(from), r.local(to)
			v.Ended = v.Ended || r.clock.Now().Sub(v.End) > visit.Idle
			return pg.more(add(v, 500+len(v.Entry)+len(v.Exit)+len(v.Referrer)))
		})
		return pg.end(err)
	})
}

func (e *Engine) exportEvents(ctx context.Context, p *weir.Project, profileID string, x *export) error {
	q := EventsQuery{ProfileID: profileID, Limit: exportEvents}
	for {
		page, err := e.eventPage(ctx, p, q, 24*time.Hour, exportBytes/2) // the barrier was passed
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
func (e *Engine) exportDead(ctx context.Context, p *weir.Project, ids, devices []string, x *export) error {
	linked, profiles := map[string]bool{}, map[string]bool{}
	for _, d := range devices {
		linked[d] = true
	}
	for _, id := range ids {
		profiles[id] = true
	}
	type key struct{ us, shard, seq int64 }
	var at keyset[key]
	return writePages(x, func(add func(profileDead, int) bool) (bool, error) {
		pg := at.page()
		where := sql("project_id = @", bind(p.ID))
		if k := at.last; at.rows > 0 {
			where = sql("@ AND refused_at >= @ AND (refused_at > @ OR shard > @ OR (shard = @ AND seq >= @))", where, e.at(k.us), e.at(k.us), bind(k.shard), bind(k.shard), bind(k.seq))
		}
		q := sql("SELECT "+e.d.Micros("refused_at")+", shard, seq, reason, event FROM dead_letters WHERE @ ORDER BY refused_at, shard, seq, reason, event LIMIT "+strconv.Itoa(pg.limit), where)
		err := e.each(ctx, q, func(scan func(...any) error) error {
			var k key
			var reason string
			var event []byte
			if err := scan(&k.us, &k.shard, &k.seq, &reason, &event); err != nil || !pg.new(k) {
				return err
			}
			who := cold.OwnerOf(event)
			if !profiles[who.ProfileID] && (who.ProfileID != "" || !linked[who.DeviceID]) {
				return nil
			}
			return pg.more(add(profileDead{reason, string(event)}, len(event)))
		})
		return pg.end(err)
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
	Interactive int64     `json:"interactive,omitempty" doc:"events that are neither views nor calls, as bounces go by"`
	Calls       int64     `json:"calls,omitempty"`
	Ended       bool      `json:"ended,omitempty" doc:"by its session_end, or since its last event is more than 30 minutes ago"`
	Bot         bool      `json:"bot,omitempty"`
	Referrer    string    `json:"referrer,omitempty"`
	Channel     string    `json:"channel,omitempty"`
	UTMSource   string    `json:"utm_source,omitempty"`
	UTMMedium   string    `json:"utm_medium,omitempty"`
	UTMCampaign string    `json:"utm_campaign,omitempty"`
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
