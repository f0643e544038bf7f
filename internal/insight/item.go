package insight

import (
	"encoding/json"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// EventItem is an event in an answer. What is unknown is left out.
type EventItem struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Time           time.Time       `json:"ts"`
	ReceivedAt     time.Time       `json:"received_at"`
	ProfileID      string          `json:"profile_id,omitempty"`
	DeviceID       string          `json:"device_id,omitempty"`
	SessionID      string          `json:"session_id,omitempty"`
	Path           string          `json:"path,omitempty"`
	Origin         string          `json:"origin,omitempty"`
	Title          string          `json:"title,omitempty"`
	Referrer       string          `json:"referrer,omitempty" doc:"of the visit, as channel and utm_source, utm_medium, utm_campaign; of the event itself if it is in no visit, or was only just accepted"`
	Channel        string          `json:"channel,omitempty"`
	UTMSource      string          `json:"utm_source,omitempty"`
	UTMMedium      string          `json:"utm_medium,omitempty"`
	UTMCampaign    string          `json:"utm_campaign,omitempty"`
	UTMTerm        string          `json:"utm_term,omitempty"`
	UTMContent     string          `json:"utm_content,omitempty"`
	Country        string          `json:"country,omitempty"`
	Region         string          `json:"region,omitempty"`
	City           string          `json:"city,omitempty"`
	Browser        string          `json:"browser,omitempty"`
	BrowserVersion string          `json:"browser_version,omitempty"`
	OS             string          `json:"os,omitempty"`
	OSVersion      string          `json:"os_version,omitempty"`
	DeviceType     string          `json:"device_type,omitempty"`
	Bot            bool            `json:"bot,omitempty"`
	Language       string          `json:"language,omitempty"`
	Library        string          `json:"library,omitempty"`
	ImportID       string          `json:"import_id,omitempty" doc:"of the import that brought it"`
	Call           *CallItem       `json:"call,omitempty"`
	Revenue        *float64        `json:"revenue,omitempty"`
	Currency       string          `json:"currency,omitempty"`
	Properties     json.RawMessage `json:"properties,omitempty" doc:"a JSON object"`
	InheritedFrom  string          `json:"inherited_from,omitempty"`
	ClosesEventID  string          `json:"closes_event_id,omitempty"`

	EventReferrer    string `json:"event_referrer,omitempty" doc:"of the event itself, as the following"`
	EventChannel     string `json:"event_channel,omitempty"`
	EventUTMSource   string `json:"event_utm_source,omitempty"`
	EventUTMMedium   string `json:"event_utm_medium,omitempty"`
	EventUTMCampaign string `json:"event_utm_campaign,omitempty"`

	Duration *int64 `json:"duration_ms,omitempty" doc:"how long the visitor stayed on the screen view, known once a later event of the visit has closed it"`
}

// CallItem is what an api_call says of the request.
type CallItem struct {
	Method    string   `json:"method,omitempty"`
	Route     string   `json:"route,omitempty"`
	Status    int      `json:"status,omitempty"`
	LatencyMS *float64 `json:"latency_ms,omitempty"`
	Consumer  string   `json:"consumer,omitempty"`

	RequestBytes  *float64 `json:"request_bytes,omitempty" doc:"size of the request's body"`
	ResponseBytes *float64 `json:"response_bytes,omitempty" doc:"size of the response's body"`
	Error         string   `json:"error,omitempty" doc:"why the call failed"`
	TraceID       string   `json:"trace_id,omitempty"`
}

// itemColumns are the columns that an EventItem is made of.
var itemColumns = schema.Without(schema.Events.Stored(), "closes_path", "closes_ms", "replaces_ms", "rest_ms")

// itemOf returns a stored event as a list of events shows it, with times in loc.
func itemOf(r *weir.EventRow, loc *time.Location) EventItem {
	it := ItemOf(&r.Event, loc)
	it.InheritedFrom, it.ClosesEventID = r.InheritedFrom, r.ClosesEventID
	return it
}

// ItemOf is an event that was just accepted as a list of events shows it, with
// times in loc. What the visit fold will find out is not in it yet.
func ItemOf(e *weir.Event, loc *time.Location) EventItem {
	it := EventItem{
		ID: e.ID, Name: e.Name, Time: e.Time.In(loc), ReceivedAt: e.ReceivedAt.In(loc),
		ProfileID: e.ProfileID, DeviceID: e.DeviceID, SessionID: e.SessionID,
		Path: e.Path, Origin: e.Origin, Title: e.Title, Referrer: e.Referrer, Channel: e.Channel,
		UTMSource: e.UTMSource, UTMMedium: e.UTMMedium, UTMCampaign: e.UTMCampaign, UTMTerm: e.UTMTerm, UTMContent: e.UTMContent,
		Country: e.Country, Region: e.Region, City: e.City,
		Browser: e.Browser, BrowserVersion: e.BrowserVersion, OS: e.OS, OSVersion: e.OSVersion,
		DeviceType: e.DeviceType, Bot: e.Bot, Language: e.Language, Library: e.Library, ImportID: e.ImportID,
		Revenue: e.Revenue.Pointer(), Currency: e.Currency, Properties: e.Properties,
		EventReferrer: e.Referrer, EventChannel: e.Channel, EventUTMSource: e.UTMSource, EventUTMMedium: e.UTMMedium, EventUTMCampaign: e.UTMCampaign,
	}
	if c := e.Call; c != nil {
		it.Call = &CallItem{
			Method: c.Method, Route: c.Route, Status: c.Status, LatencyMS: c.LatencyMS.Pointer(), Consumer: c.Consumer,
			RequestBytes: c.RequestBytes.Pointer(), ResponseBytes: c.ResponseBytes.Pointer(), Error: c.Error, TraceID: c.TraceID,
		}
	}
	return it
}
