package coldtest

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// each calls f for every row of a statement.
func each(t *testing.T, s cold.Store, query string, f func(*sql.Rows) error) {
	t.Helper()
	rows, err := s.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// nullTime scans a nullable timestamp; NULL is the zero time.
type nullTime struct{ t *time.Time }

func (n nullTime) Scan(v any) error {
	if v == nil {
		return nil
	}
	*n.t = v.(time.Time).UTC()
	return nil
}

func readEvents(t *testing.T, s cold.Store) []weir.EventRow {
	t.Helper()
	var out []weir.EventRow
	each(t, s, `SELECT id, project_id, name, ts, received_at, profile_id, device_id, session_id, path, origin, title, referrer, channel,
utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, region, city, browser, browser_version, os, os_version, device_type, bot,
language, library, method, route, status, latency_ms, consumer, revenue, currency, properties,
inherited_from, closes_event_id, closes_path, closes_ms, shard, seq, import_id, request_bytes, response_bytes, error, error_shape, trace_id, replaces_ms, rest_ms FROM events ORDER BY seq DESC, ts`, func(rows *sql.Rows) error {
		var e weir.EventRow
		var method, route, consumer, properties, imported, message, shape, trace sql.NullString
		var status, request, response sql.NullInt64
		var latency, revenue, replaces, rest sql.NullFloat64
		err := rows.Scan(&e.ID, &e.ProjectID, &e.Name, &e.Time, &e.ReceivedAt, &e.ProfileID, &e.DeviceID, &e.SessionID, &e.Path, &e.Origin, &e.Title, &e.Referrer, &e.Channel,
			&e.UTMSource, &e.UTMMedium, &e.UTMCampaign, &e.UTMTerm, &e.UTMContent, &e.Country, &e.Region, &e.City, &e.Browser, &e.BrowserVersion, &e.OS, &e.OSVersion, &e.DeviceType, &e.Bot,
			&e.Language, &e.Library, &method, &route, &status, &latency, &consumer, &revenue, &e.Currency, &properties,
			&e.InheritedFrom, &e.ClosesEventID, &e.ClosesPath, &e.ClosesMS, &e.Shard, &e.Seq, &imported, &request, &response, &message, &shape, &trace, &replaces, &rest)
		if err != nil {
			return err
		}
		e.ImportID = imported.String
		e.Time, e.ReceivedAt = e.Time.UTC(), e.ReceivedAt.UTC()
		e.Revenue = weir.Number{Value: revenue.Float64, Known: revenue.Valid}
		e.ReplacesMS, e.RestMS = weir.Number{Value: replaces.Float64, Known: replaces.Valid}, weir.Number{Value: rest.Float64, Known: rest.Valid}
		if properties.String != "" {
			e.Properties = json.RawMessage(properties.String)
		}
		if e.Name == weir.NameCall || status.Valid {
			e.Call = &weir.Call{
				Method: method.String, Route: route.String, Status: int(status.Int64), LatencyMS: weir.Number{Value: latency.Float64, Known: latency.Valid}, Consumer: consumer.String,
				RequestBytes: size(request), ResponseBytes: size(response), Error: message.String, TraceID: trace.String,
			}
		}
		if want := weir.ErrorShape(message.String); shape.String != want || shape.Valid != (want != "") {
			t.Errorf("%s: error_shape is %+v, want %q", e.ID, shape, want)
		}
		out = append(out, e)
		return nil
	})
	return out
}

func size(n sql.NullInt64) weir.Number { return weir.Number{Value: float64(n.Int64), Known: n.Valid} }

func readVisits(t *testing.T, s cold.Store) []weir.VisitRow {
	t.Helper()
	var out []weir.VisitRow
	each(t, s, `SELECT project_id, device_id, session_id, sign, version, profile_id, start_at, end_at, entry, exit, entry_at, exit_at,
events, screen_views, interactive, calls, revenue, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign,
country, region, city, browser, os, device_type, language, received_at, beside, formerly FROM visits ORDER BY start_at`, func(rows *sql.Rows) error {
		var v weir.VisitRow
		err := rows.Scan(&v.ProjectID, &v.DeviceID, &v.SessionID, &v.Sign, &v.Version, &v.ProfileID, nullTime{&v.Start}, nullTime{&v.End}, &v.Entry, &v.Exit, nullTime{&v.EntryAt}, nullTime{&v.ExitAt},
			&v.Events, &v.ScreenViews, &v.Interactive, &v.Calls, &v.Revenue, &v.Ended, &v.Bot, &v.Referrer, &v.Channel, &v.UTMSource, &v.UTMMedium, &v.UTMCampaign,
			&v.Country, &v.Region, &v.City, &v.Browser, &v.OS, &v.DeviceType, &v.Language, nullTime{&v.ReceivedAt}, &v.Beside, &v.Formerly)
		out = append(out, v)
		return err
	})
	return out
}

func readLinks(t *testing.T, s cold.Store) []weir.Link {
	t.Helper()
	var out []weir.Link
	each(t, s, "SELECT project_id, device_id, profile_id, linked_at, received_at FROM identities ORDER BY linked_at", func(rows *sql.Rows) error {
		var l weir.Link
		err := rows.Scan(&l.ProjectID, &l.DeviceID, &l.ProfileID, nullTime{&l.At}, nullTime{&l.ReceivedAt})
		out = append(out, l)
		return err
	})
	return out
}

func readDead(t *testing.T, s cold.Store) []weir.DeadLetter {
	t.Helper()
	var out []weir.DeadLetter
	each(t, s, "SELECT project_id, shard, seq, reason, event, refused_at FROM dead_letters ORDER BY seq", func(rows *sql.Rows) error {
		var d weir.DeadLetter
		err := rows.Scan(&d.ProjectID, &d.Shard, &d.Seq, &d.Reason, &d.Event, nullTime{&d.At})
		out = append(out, d)
		return err
	})
	return out
}
