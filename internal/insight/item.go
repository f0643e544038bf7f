package insight

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

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
		DeviceType: e.DeviceType, Bot: e.Bot, Language: e.Language, Library: e.Library,
		Revenue: e.Revenue, Currency: e.Currency, Properties: e.Properties,
	}
	if c := e.Call; c != nil {
		it.Call = &CallItem{Method: c.Method, Route: c.Route, Status: c.Status, LatencyMS: c.LatencyMS, Consumer: c.Consumer}
	}
	return it
}
