package clickhouse

import (
	"crypto/sha256"
	"encoding/binary"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// table is a table to write to.
type table struct {
	name   string
	fields []field
}

var events = &table{"events", []field{
	{"project_id", low},
	{"ts", micros},
	{"quarter", i32},
	{"name", low},
	{"id", str},
	{"received_at", micros},
	{"profile_id", str},
	{"device_id", str},
	{"session_id", str},
	{"person", str},
	{"path", str},
	{"origin", low},
	{"title", str},
	{"referrer", low},
	{"channel", low},
	{"utm_source", low},
	{"utm_medium", low},
	{"utm_campaign", low},
	{"utm_term", low},
	{"utm_content", low},
	{"country", low},
	{"region", low},
	{"city", low},
	{"browser", low},
	{"browser_version", low},
	{"os", low},
	{"os_version", low},
	{"device_type", low},
	{"bot", flag},
	{"language", low},
	{"library", low},
	{"method", lowN},
	{"route", lowN},
	{"status", i32N},
	{"latency_ms", f64N},
	{"consumer", lowN},
	{"revenue", f64N},
	{"currency", low},
	{"properties", strN},
	{"inherited_from", str},
	{"closes_event_id", str},
	{"closes_path", str},
	{"closes_ms", i64},
	{"shard", i32},
	{"seq", u64},
	{"log", low},
}}

// putEvent writes an event of the batch, in the order of the fields.
func putEvent(batch *cold.Batch) func(*block, *weir.EventRow) {
	return func(b *block, r *weir.EventRow) {
		b.low(r.ProjectID)
		b.time(r.Time)
		b.int32(cold.Quarter(&r.Event))
		b.low(r.Name)
		b.text(r.ID)
		b.time(r.ReceivedAt)
		b.text(r.ProfileID)
		b.text(r.DeviceID)
		b.text(r.SessionID)
		b.text(cold.Person(&r.Event))
		b.text(r.Path)
		b.low(r.Origin)
		b.text(r.Title)
		b.low(r.Referrer)
		b.low(r.Channel)
		b.low(r.UTMSource)
		b.low(r.UTMMedium)
		b.low(r.UTMCampaign)
		b.low(r.UTMTerm)
		b.low(r.UTMContent)
		b.low(r.Country)
		b.low(r.Region)
		b.low(r.City)
		b.low(r.Browser)
		b.low(r.BrowserVersion)
		b.low(r.OS)
		b.low(r.OSVersion)
		b.low(r.DeviceType)
		b.flag(r.Bot)
		b.low(r.Language)
		b.low(r.Library)
		putCall(b, r.Call)
		b.floatOrNull(r.Revenue)
		b.low(r.Currency)
		b.bytesOrNull(r.Properties)
		b.text(r.InheritedFrom)
		b.text(r.ClosesEventID)
		b.text(r.ClosesPath)
		b.int64(r.ClosesMS)
		b.int32(int32(r.Shard))
		b.uint64(r.Seq)
		b.low(batch.Log)
	}
}

func putCall(b *block, call *weir.Call) {
	if call == nil {
		b.lowNull()
		b.lowNull()
		b.intOrNull(0)
		b.floatOrNull(0)
		b.lowNull()
		return
	}
	b.low(call.Method)
	b.low(call.Route)
	b.intOrNull(int32(call.Status))
	b.floatOrNull(call.LatencyMS)
	b.low(call.Consumer)
}

var sightings = &table{"sightings", []field{{"project_id", low}, {"quarter", i32}, {"person", str}}}

func putSighting(b *block, r *cold.Sighting) {
	b.low(r.ProjectID)
	b.int32(r.Quarter)
	b.text(r.Person)
}

var visits = &table{"visits", []field{
	{"project_id", low},
	{"device_id", str},
	{"session_id", str},
	{"profile_id", str},
	{"start_at", micros},
	{"end_at", micros},
	{"entry", str},
	{"exit", str},
	{"entry_at", timeN},
	{"exit_at", timeN},
	{"events", i64},
	{"screen_views", i64},
	{"interactive", i64},
	{"calls", i64},
	{"revenue", f64},
	{"ended", flag},
	{"bot", flag},
	{"referrer", low},
	{"channel", low},
	{"utm_source", low},
	{"utm_medium", low},
	{"utm_campaign", low},
	{"country", low},
	{"region", low},
	{"city", low},
	{"browser", low},
	{"os", low},
	{"device_type", low},
	{"language", low},
	{"sign", i8},
	{"version", u32},
	{"received_at", timeN},
	{"beside", str},
	{"batch", u64},
}}

// putVisit writes a state of a visit that the batch brings.
func putVisit(batch *cold.Batch) func(*block, *weir.VisitRow) {
	id := batchID(batch)
	return func(b *block, r *weir.VisitRow) {
		putState(b, r)
		b.uint64(id)
	}
}

// batchID names a batch in a column: the first 64 bits of the SHA-256 of its token, which has
// the log, the shard, the range and the time in it. 0 is a row of before there was the column.
func batchID(b *cold.Batch) uint64 {
	h := sha256.Sum256([]byte(b.Token))
	return max(binary.BigEndian.Uint64(h[:8]), 1)
}

func putState(b *block, r *weir.VisitRow) {
	b.low(clean(r.ProjectID))
	b.text(clean(r.DeviceID))
	b.text(clean(r.SessionID))
	b.text(clean(r.ProfileID))
	b.time(r.Start)
	b.time(r.End)
	b.text(clean(r.Entry))
	b.text(clean(r.Exit))
	b.timeOrNull(r.EntryAt)
	b.timeOrNull(r.ExitAt)
	b.int64(r.Events)
	b.int64(r.ScreenViews)
	b.int64(r.Interactive)
	b.int64(r.Calls)
	b.float(r.Revenue)
	b.flag(r.Ended)
	b.flag(r.Bot)
	b.low(clean(r.Referrer))
	b.low(clean(r.Channel))
	b.low(clean(r.UTMSource))
	b.low(clean(r.UTMMedium))
	b.low(clean(r.UTMCampaign))
	b.low(clean(r.Country))
	b.low(clean(r.Region))
	b.low(clean(r.City))
	b.low(clean(r.Browser))
	b.low(clean(r.OS))
	b.low(clean(r.DeviceType))
	b.low(clean(r.Language))
	b.int8(r.Sign)
	b.uint32(r.Version)
	b.timeOrNull(r.ReceivedAt)
	b.text(clean(string(r.Beside)))
}

var tallies = &table{"tallies", []field{
	{"project_id", low},
	{"quarter", i32},
	{"name", low},
	{"method", lowN},
	{"route", lowN},
	{"status", i32N},
	{"events", i64},
	{"log", low},
	{"shard", i32},
	{"last_seq", u64},
	{"batch", u64},
}}

// putTally writes a tally of the batch.
func putTally(batch *cold.Batch) func(*block, *cold.Tally) {
	id := batchID(batch)
	return func(b *block, r *cold.Tally) {
		b.low(r.ProjectID)
		b.int32(r.Quarter)
		b.low(r.Name)
		if r.Call {
			b.low(r.Method)
			b.low(r.Route)
		} else {
			b.lowNull()
			b.lowNull()
		}
		b.intOrNull(int32(r.Status))
		b.int64(r.Events)
		b.low(batch.Log)
		b.int32(int32(batch.Shard))
		b.uint64(batch.Last)
		b.uint64(id)
	}
}

var identities = &table{"identities", []field{{"project_id", low}, {"device_id", str}, {"profile_id", str}, {"linked_at", micros}, {"received_at", timeN}}}

var aliases = &table{"aliases", []field{{"project_id", low}, {"alias", str}, {"profile_id", str}, {"linked_at", micros}, {"received_at", timeN}}}

// putLink writes a link, also to aliases.
func putLink(b *block, r *weir.Link) {
	b.low(clean(r.ProjectID))
	b.text(clean(r.DeviceID))
	b.text(clean(r.ProfileID))
	b.time(r.At)
	b.timeOrNull(r.ReceivedAt)
}

var traits = &table{"traits", []field{
	{"project_id", low}, {"trait", low}, {"profile_id", str}, {"place", str}, {"changed_at", micros}, {"op", low}, {"text", str}, {"quoted", flag}, {"micros", i64N}, {"received_at", timeN},
}}

func putTrait(b *block, r *weir.TraitChange) {
	b.low(clean(r.ProjectID))
	b.low(clean(r.Trait))
	b.text(clean(r.ProfileID))
	b.text(clean(r.Place))
	b.time(r.At)
	b.low(clean(string(r.Op)))
	b.text(clean(r.Text))
	b.flag(r.Quoted)
	b.longOrNull(r.Micros, r.Number)
	b.timeOrNull(r.ReceivedAt)
}

var deadLetters = &table{"dead_letters", []field{{"project_id", str}, {"shard", i32}, {"seq", u64}, {"reason", str}, {"event", str}, {"refused_at", micros}, {"log", low}}}

func putDead(batch *cold.Batch) func(*block, *weir.DeadLetter) {
	return func(b *block, r *weir.DeadLetter) {
		b.text(clean(r.ProjectID))
		b.int32(int32(r.Shard))
		b.uint64(r.Seq)
		b.text(clean(r.Reason))
		b.bytes(r.Event)
		b.time(r.At)
		b.low(batch.Log)
	}
}

var batches = &table{"batches", []field{{"token", str}, {"shard", i32}, {"first_seq", u64}, {"last_seq", u64}, {"written_at", micros}}}

func putBatch(b *block, r **cold.Batch) {
	b.text(clean((*r).Token))
	b.int32(int32((*r).Shard))
	b.uint64((*r).First)
	b.uint64((*r).Last)
	b.time((*r).Now)
}
