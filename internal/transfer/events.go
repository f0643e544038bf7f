package transfer

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"

	"github.com/cespare/xxhash/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

var events = &table[weir.EventRow]{
	relation: relation{
		name: "events", at: "ts", order: "shard, seq, ts, id, received_at, name, method, route, status, latency_ms", count: "COUNT(*)",
		columns: `id, shard, seq, project_id, name, ts, received_at, profile_id, device_id, session_id, path, origin, title, referrer, channel,
utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, region, city, browser, browser_version, os, os_version, device_type, bot,
language, library, method, route, status, latency_ms, consumer, revenue, currency, properties,
inherited_from, closes_event_id, closes_path, closes_ms`,
	},
	scanner: scanEvents,
	encode:  encodeEvent,
	put:     func(b *cold.Batch, r *weir.EventRow, _ int) { b.Events = append(b.Events, *r) },
	rows:    func(b *cold.Batch) []weir.EventRow { return b.Events },
	label:   func(r *weir.EventRow) string { return r.ID },
	time:    func(r *weir.EventRow) int64 { return r.Time.UnixMicro() },
	nameLen: func(r *weir.EventRow) int {
		if !cold.IsErasedID(r.ID) || cold.Person(&r.Event) != "" {
			return 0
		}
		return len(encoding{}.text(r.ID))
	},
	place: func(r *weir.EventRow) (int, uint64) { return r.Shard, r.Seq },
	person: func(r *weir.EventRow) uint64 {
		if p := cold.Person(&r.Event); p != "" {
			return presence(cold.Quarter(&r.Event), p)
		}
		return 0
	},
}

// presence stands for a row of sightings.
func presence(quarter int32, person string) uint64 {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), uint32(quarter))
	return max(xxhash.Sum64(append(b, person...)), 1)
}

func scanEvents() func(scan func(...any) error, r *weir.EventRow) (int, error) {
	var method, route, consumer sql.NullString
	var status sql.NullInt64
	var latency, revenue sql.NullFloat64
	return func(scan func(...any) error, r *weir.EventRow) (int, error) {
		err := scan(&r.ID, &r.Shard, &r.Seq, &r.ProjectID, &r.Name, &r.Time, &r.ReceivedAt, &r.ProfileID, &r.DeviceID, &r.SessionID, &r.Path, &r.Origin, &r.Title, &r.Referrer, &r.Channel,
			&r.UTMSource, &r.UTMMedium, &r.UTMCampaign, &r.UTMTerm, &r.UTMContent, &r.Country, &r.Region, &r.City, &r.Browser, &r.BrowserVersion, &r.OS, &r.OSVersion, &r.DeviceType, &r.Bot,
			&r.Language, &r.Library, &method, &route, &status, &latency, &consumer, &revenue, &r.Currency, (*[]byte)(&r.Properties),
			&r.InheritedFrom, &r.ClosesEventID, &r.ClosesPath, &r.ClosesMS)
		if err != nil {
			return 0, err
		}
		r.Time, r.ReceivedAt = r.Time.UTC(), r.ReceivedAt.UTC()
		r.Revenue = revenue.Float64
		if len(r.Properties) == 0 {
			r.Properties = json.RawMessage(nil)
		}
		// The text of a call is NULL where there is none.
		if method.Valid || route.Valid || consumer.Valid {
			r.Call = &weir.Call{Method: method.String, Route: route.String, Status: int(status.Int64), LatencyMS: latency.Float64, Consumer: consumer.String}
		}
		return 1, nil
	}
}

func encodeEvent(b encoding, r *weir.EventRow) (encoding, int) {
	b = b.text(r.ID).int(int64(r.Shard)).uint(r.Seq)
	key := len(b)
	b = b.text(r.ProjectID).text(r.Name).time(r.Time).time(r.ReceivedAt)
	b = b.text(r.ProfileID).text(r.DeviceID).text(r.SessionID).text(r.Path).text(r.Origin).text(r.Title).text(r.Referrer).text(r.Channel)
	b = b.text(r.UTMSource).text(r.UTMMedium).text(r.UTMCampaign).text(r.UTMTerm).text(r.UTMContent)
	b = b.text(r.Country).text(r.Region).text(r.City).text(r.Browser).text(r.BrowserVersion).text(r.OS).text(r.OSVersion).text(r.DeviceType)
	b = b.flag(r.Bot).text(r.Language).text(r.Library).flag(r.Call != nil)
	if c := r.Call; c != nil {
		b = b.text(c.Method).text(c.Route).int(int64(c.Status)).float(c.LatencyMS).text(c.Consumer)
	}
	b = b.float(r.Revenue).text(r.Currency).bytes(r.Properties)
	return b.text(r.InheritedFrom).text(r.ClosesEventID).text(r.ClosesPath).int(r.ClosesMS), key
}
