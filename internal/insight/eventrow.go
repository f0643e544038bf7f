package insight

import (
	"encoding/json"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// eventColumns are the columns that scanEvent reads, in its order.
func eventColumns(d cold.Dialect) string {
	return d.Micros("ts") + ", shard, seq, " + d.Micros("received_at") + `, id, name,
profile_id, device_id, session_id, path, origin, title, referrer, channel,
utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, region, city,
browser, browser_version, os, os_version, device_type, bot, language, library,
method, route, status, latency_ms, consumer, revenue, currency, properties, inherited_from, closes_event_id`
}

// scanEvent reads one row and its place in the list.
func scanEvent(scan func(...any) error, loc *time.Location) (EventItem, cursor, error) {
	var it EventItem
	var at cursor
	var received int64
	var method, route, consumer, properties *string
	var status *int
	var latency, revenue *float64
	err := scan(&at.us, &at.shard, &at.seq, &received, &it.ID, &it.Name,
		&it.ProfileID, &it.DeviceID, &it.SessionID, &it.Path, &it.Origin, &it.Title, &it.Referrer, &it.Channel,
		&it.UTMSource, &it.UTMMedium, &it.UTMCampaign, &it.UTMTerm, &it.UTMContent, &it.Country, &it.Region, &it.City,
		&it.Browser, &it.BrowserVersion, &it.OS, &it.OSVersion, &it.DeviceType, &it.Bot, &it.Language, &it.Library,
		&method, &route, &status, &latency, &consumer, &revenue, &it.Currency, &properties, &it.InheritedFrom, &it.ClosesEventID)
	if err != nil {
		return EventItem{}, cursor{}, err
	}
	it.Time = time.UnixMicro(at.us).In(loc)
	it.ReceivedAt = time.UnixMicro(received).In(loc)
	it.Revenue = or(revenue)
	if p := or(properties); p != "" {
		it.Properties = json.RawMessage(p)
	}
	if it.Name == weir.NameCall {
		it.Call = &CallItem{Method: or(method), Route: or(route), Status: or(status), LatencyMS: or(latency), Consumer: or(consumer)}
	}
	return it, at, nil
}

// or is what p points to, or the zero value.
func or[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
