package dump

import (
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// umami reads the tables of Umami: website_event, and beside it session,
// event_data and session_data, as Umami Cloud exports them as CSV, or as a
// PostgreSQL, MySQL or ClickHouse writes them as CSV or JSON lines.
// Source: db/clickhouse/schema.sql and prisma/schema.prisma of
// github.com/umami-software/umami.
//
// Events are joined with their data and sessions by an index of these two
// tables, which are read first.
type umami struct {
	data, sessions *index
}

func (*umami) pages() ([]string, string) { return nil, "" }

// umamiKind is which table a row is of.
type umamiKind int

const (
	umamiNone umamiKind = iota
	umamiEvent
	umamiSession
	umamiEventData
	umamiSessionData
	umamiRevenue
)

func umamiKindOf(r row) umamiKind {
	keyed := r.has("data_key") || r.has("event_key") || r.has("session_key")
	switch {
	case keyed && (r.has("website_event_id") || r.has("event_id")):
		return umamiEventData
	case keyed && r.has("session_id"):
		return umamiSessionData
	case r.has("event_type", "session_id", "created_at"):
		return umamiEvent
	case r.has("revenue", "currency", "event_id"):
		return umamiRevenue
	case r.has("session_id", "browser", "os"):
		return umamiSession
	}
	return umamiNone
}

func (*umami) fits(r row) bool { return umamiKindOf(r) != umamiNone }

func (*umami) wanted() string {
	return "its table website_event (with event_type, session_id and created_at), and beside it session, event_data or session_data"
}

func (u *umami) read(r row, out *recordEvents) error {
	switch umamiKindOf(r) {
	case umamiEvent:
		return u.event(r, out)
	case umamiSessionData:
		return u.identify(r, out)
	case umamiRevenue:
		out.skip("rows of the table revenue, which event_data has too")
		return nil
	case umamiSession, umamiEventData:
		return errors.New("give this table together with website_event, as files: from standard input it cannot be joined")
	}
	return errors.New("this is a row of another table")
}

// umamiTypes are the event types of Umami's constants.
const (
	umamiPageView    = "1"
	umamiCustom      = "2"
	umamiLink        = "3"
	umamiPixel       = "4"
	umamiPerformance = "5"
)

func (u *umami) event(r row, out *recordEvents) error {
	at, err := r.time("created_at")
	if err != nil {
		return err
	}
	id := r.text("event_id")
	properties, err := u.properties(id)
	if err != nil {
		return err
	}
	name := r.text("event_name")
	switch kind := r.text("event_type"); kind {
	case umamiPageView:
		name = weir.NameScreenView
	case umamiCustom:
	case umamiLink, umamiPixel:
		if name == "" {
			name = map[string]string{umamiLink: "link", umamiPixel: "pixel"}[kind]
		}
	case umamiPerformance:
		out.skip("performance measurements")
		return nil
	default:
		return errors.New("the event_type is not known")
	}
	in := out.add(name, at, properties)
	e, s := &in.Event, &in.Source
	if id != "" {
		e.ID = "umami_" + id
	}
	session, err := u.session(r.text("session_id"))
	if err != nil {
		return err
	}
	has := func(names ...string) string {
		if t := r.text(names...); t != "" {
			return t
		}
		return session.text(names...)
	}
	e.DeviceID, e.SessionID, e.ProfileID = r.text("session_id"), r.text("visit_id"), has("distinct_id")
	e.Title = r.text("page_title")
	if domain := r.text("referrer_domain"); domain != "" {
		s.Referrer = "https://" + domain + r.text("referrer_path")
	}
	e.UTMSource, e.UTMMedium, e.UTMCampaign = r.text("utm_source"), r.text("utm_medium"), r.text("utm_campaign")
	e.UTMTerm, e.UTMContent = r.text("utm_term"), r.text("utm_content")
	umamiPage(in, has("hostname"), r)
	e.Country, e.Region, e.City = has("country"), has("region", "subdivision1"), has("city")
	agent(e, has("browser"), "", has("os"), "", has("device"))
	e.Language, s.IP = has("language"), r.text("ip")
	e.Library = "umami"
	put(properties, "screen", has("screen"))
	put(properties, "tag", r.text("tag"))
	p := row{properties, r.zone}
	if amount, ok := p.number("revenue"); ok {
		money(e, amount, ok, p.text("currency"))
		p.drop("revenue")
		if letters(e.Currency, 3) != "" {
			p.drop("currency")
		}
	}
	return nil
}

// umamiPage sets the page's address, as far as its host is known.
func umamiPage(in *weir.Incoming, host string, r row) {
	path := r.text("url_path")
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	query := r.text("url_query")
	if query != "" {
		query = "?" + strings.TrimPrefix(query, "?")
	}
	if host == "" {
		// The server reads campaigns from a whole address only.
		in.Event.Path = path
		campaignOf(&in.Event, query)
		return
	}
	in.Source.URL = "https://" + host + path + query
}

// identify makes a trait of what a session was given.
func (u *umami) identify(r row, out *recordEvents) error {
	at, err := r.time("created_at")
	if err != nil {
		return err
	}
	id := r.text("session_id")
	session, err := u.session(id)
	if err != nil {
		return err
	}
	who := r.text("distinct_id")
	if who == "" {
		who = session.text("distinct_id")
	}
	if who == "" {
		out.skip("data of sessions without a distinct_id: traits need a user")
		return nil
	}
	key := r.text("data_key", "session_key")
	if key == "" {
		return errors.New("there is no data_key")
	}
	in := out.add(weir.NameIdentify, at, map[string]any{"$set": map[string]any{key: umamiValue(r)}})
	e := &in.Event
	if own := r.text("session_data_id"); own != "" {
		e.ID = "umami_" + own
	}
	e.DeviceID, e.ProfileID, e.Library = id, who, "umami"
	return nil
}

// properties are an event's data.
func (u *umami) properties(event string) (map[string]any, error) {
	out := map[string]any{}
	if u.data == nil || event == "" {
		return out, nil
	}
	err := u.data.find(event, func(value []byte) {
		if len(out) > limits.Properties { // the server takes no more
			return
		}
		if m, err := object(value); err == nil {
			maps.Copy(out, m)
		}
	})
	return out, err
}

// session is the row of a session; without fields when it is not known.
func (u *umami) session(id string) (row, error) {
	out := row{fields: map[string]any{}}
	if u.sessions == nil || id == "" {
		return out, nil
	}
	err := u.sessions.find(id, func(value []byte) {
		if m, err := object(value); err == nil {
			out.fields = m
		}
	})
	return out, err
}

// umamiValue is the value of a row of data, by its data_type: 1 is a string, 2 a
// number, 3 a boolean, 4 a date, 5 an array.
func umamiValue(r row) any {
	text := r.text("string_value")
	switch r.text("data_type", "event_data_type") {
	case "2":
		if f, ok := r.number("number_value", "string_value"); ok {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		}
	case "3":
		return text == "true" || text == "1"
	case "4":
		if t, err := readTime(r.text("date_value", "string_value"), r.zone); err == nil {
			return t.Format(time.RFC3339Nano)
		}
	case "5":
		if l := r.list("string_value"); l != nil {
			return l
		}
	}
	if text == "" {
		text = r.text("number_value", "date_value")
	}
	return text
}
