package duckdb

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// The functions here write one row each, column by column, in the order of the
// table in migrations.

func putEvent(c *chunk, r *weir.EventRow) {
	c.next()
	c.text(r.ProjectID)
	put(c, r.Time.UnixMicro())
	put(c, cold.Quarter(&r.Event))
	c.text(r.Name)
	c.text(r.ID)
	put(c, r.ReceivedAt.UnixMicro())
	c.text(r.ProfileID)
	c.text(r.DeviceID)
	c.text(r.SessionID)
	c.text(cold.Person(&r.Event))
	c.text(r.Path)
	c.text(r.Origin)
	c.text(r.Title)
	c.text(r.Referrer)
	c.text(r.Channel)
	c.text(r.UTMSource)
	c.text(r.UTMMedium)
	c.text(r.UTMCampaign)
	c.text(r.UTMTerm)
	c.text(r.UTMContent)
	c.text(r.Country)
	c.text(r.Region)
	c.text(r.City)
	c.text(r.Browser)
	c.text(r.BrowserVersion)
	c.text(r.OS)
	c.text(r.OSVersion)
	c.text(r.DeviceType)
	put(c, r.Bot)
	c.text(r.Language)
	c.text(r.Library)
	putCall(c, r.Call)
	c.number(r.Revenue)
	c.text(r.Currency)
	if len(r.Properties) == 0 {
		c.null()
	} else {
		c.bytes(r.Properties)
	}
	c.text(r.InheritedFrom)
	c.text(r.ClosesEventID)
	c.text(r.ClosesPath)
	put(c, r.ClosesMS)
	put(c, int32(r.Shard))
	put(c, r.Seq)
}

func putCall(c *chunk, call *weir.Call) {
	if call == nil {
		for range 5 {
			c.null()
		}
		return
	}
	c.text(call.Method)
	c.text(call.Route)
	if call.Status == 0 {
		c.null()
	} else {
		put(c, int32(call.Status))
	}
	c.number(call.LatencyMS)
	c.text(call.Consumer)
}

func putSighting(c *chunk, r *cold.Sighting) {
	c.next()
	c.text(r.ProjectID)
	put(c, r.Quarter)
	c.text(r.Person)
}

func putTally(c *chunk, r *cold.Tally) {
	c.next()
	c.text(r.ProjectID)
	put(c, r.Quarter)
	c.text(r.Name)
	if r.Call {
		c.text(r.Method)
		c.text(r.Route)
	} else {
		c.null()
		c.null()
	}
	if r.Status == 0 {
		c.null()
	} else {
		put(c, int32(r.Status))
	}
	put(c, r.Events)
}

func putVisit(c *chunk, r *weir.VisitRow) {
	c.next()
	c.clean(r.ProjectID)
	c.clean(r.DeviceID)
	c.clean(r.SessionID)
	put(c, r.Sign)
	put(c, r.Version)
	c.clean(r.ProfileID)
	put(c, r.Start.UnixMicro())
	put(c, r.End.UnixMicro())
	c.clean(r.Entry)
	c.clean(r.Exit)
	c.time(r.EntryAt)
	c.time(r.ExitAt)
	put(c, r.Events)
	put(c, r.ScreenViews)
	put(c, r.Interactive)
	put(c, r.Calls)
	put(c, r.Revenue)
	put(c, r.Ended)
	put(c, r.Bot)
	c.clean(r.Referrer)
	c.clean(r.Channel)
	c.clean(r.UTMSource)
	c.clean(r.UTMMedium)
	c.clean(r.UTMCampaign)
	c.clean(r.Country)
	c.clean(r.Region)
	c.clean(r.City)
	c.clean(r.Browser)
	c.clean(r.OS)
	c.clean(r.DeviceType)
	c.clean(r.Language)
	c.time(r.ReceivedAt)
	c.clean(string(r.Beside))
}

// putLink writes a link, also to aliases.
func putLink(c *chunk, r *weir.Link) {
	c.next()
	c.clean(r.ProjectID)
	c.clean(r.DeviceID)
	c.clean(r.ProfileID)
	put(c, r.At.UnixMicro())
	c.time(r.ReceivedAt)
}

func putTrait(c *chunk, r *weir.TraitChange) {
	c.next()
	c.clean(r.ProjectID)
	c.clean(r.Trait)
	c.clean(r.ProfileID)
	c.clean(r.Place)
	put(c, r.At.UnixMicro())
	c.clean(string(r.Op))
	c.clean(r.Text)
	put(c, r.Quoted)
	if r.Number {
		put(c, r.Micros)
	} else {
		c.null()
	}
	c.time(r.ReceivedAt)
}

func putMark(c *chunk, m *cold.Mark) {
	c.next()
	c.clean(m.ProjectID)
	c.clean(m.Person)
	put(c, m.At.UnixMicro())
	c.clean(m.By)
}

func putDead(c *chunk, r *weir.DeadLetter) {
	c.next()
	c.clean(r.ProjectID)
	put(c, int32(r.Shard))
	put(c, r.Seq)
	c.clean(r.Reason)
	c.bytes(r.Event)
	put(c, r.At.UnixMicro())
}

func putToken(c *chunk, b *cold.Batch) {
	c.next()
	c.clean(b.Token)
	put(c, int32(b.Shard))
	put(c, b.First)
	put(c, b.Last)
	put(c, b.Now.UnixMicro())
}
