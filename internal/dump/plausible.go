package dump

import (
	"errors"
	"fmt"
	"path"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// plausible reads the table events_v2 of a self-hosted Plausible, as ClickHouse
// writes it as JSONEachRow or CSVWithNames. The CSV files of Plausible's own
// export are daily totals, which are no events.
// Source: priv/ingest_repo/structure.sql of github.com/plausible/analytics;
// plausible.io/docs/csv-import for the totals.
type plausible struct{}

func (plausible) pages() ([]string, string) { return nil, "" }

func (plausible) fits(r row) bool {
	return r.has("name", "timestamp", "user_id", "pathname") && (r.has("site_id") || r.has("domain") || r.has("hostname"))
}

func (plausible) wanted() string {
	return "rows of its table events_v2 with name, timestamp, user_id, session_id, hostname and pathname"
}

// refuse tells of the tables of totals.
func (plausible) refuse(table string, r row) error {
	if strings.HasPrefix(path.Base(table), "imported_") || r.has("date", "visitors") {
		return errors.New("these are daily totals, as Plausible's \"Export to CSV\" has them, and no events: " +
			"how many visitors there were does not tell who did what. Export the table events_v2 from ClickHouse instead (docs/import.md)")
	}
	return nil
}

func (plausible) read(r row, out *recordEvents) error {
	at, err := r.time("timestamp")
	if err != nil {
		return err
	}
	properties, err := plausibleProperties(r)
	if err != nil {
		return err
	}
	name := r.text("name")
	switch name {
	case "pageview":
		name = weir.NameScreenView
	case "engagement": // the visitor has left the page
		name = weir.NameScreenLeave
		if ms, ok := r.number("engagement_time"); ok && ms > 0 {
			properties["engagement_ms"] = ms
		}
		if depth, ok := r.number("scroll_depth"); ok && depth <= 100 { // 255 is unknown
			properties["scroll_depth"] = depth
		}
	}
	if v, ok := r.fields["interactive"]; ok && textOf(v) != "" && !truth(v) {
		properties["interactive"] = false
	}
	in := out.add(name, at, properties)
	e, s := &in.Event, &in.Source
	e.DeviceID, e.SessionID = r.text("user_id"), r.text("session_id")
	pathname := r.text("pathname")
	if host := r.text("hostname"); host != "" && host != "(none)" && strings.HasPrefix(pathname, "/") {
		s.URL = "https://" + host + pathname
	} else {
		e.Path = pathname
	}
	s.Referrer = r.text("referrer")
	e.UTMSource, e.UTMMedium, e.UTMCampaign = r.text("utm_source"), r.text("utm_medium"), r.text("utm_campaign")
	e.UTMTerm, e.UTMContent = r.text("utm_term"), r.text("utm_content")
	e.Country, e.Region, e.City = r.text("country_code", "country"), r.text("region_name", "subdivision1_code"), r.text("city_name")
	agent(e, r.text("browser"), r.text("browser_version"), r.text("operating_system"), r.text("operating_system_version"), r.text("screen_size"))
	e.Library = "plausible"
	amount, ok := r.number("revenue_source_amount")
	currency := r.text("revenue_source_currency")
	if !ok {
		amount, ok = r.number("revenue_reporting_amount")
		currency = r.text("revenue_reporting_currency")
	}
	money(e, amount, ok, currency)
	return nil
}

// plausibleProperties are the custom ones, whose names and values are two lists.
func plausibleProperties(r row) (map[string]any, error) {
	out := map[string]any{}
	keys, values := r.list("meta.key"), r.list("meta.value")
	if len(keys) != len(values) {
		return nil, fmt.Errorf("meta.key has %d entries, meta.value %d", len(keys), len(values))
	}
	for i, key := range keys {
		if k := textOf(key); k != "" {
			out[k] = values[i]
		}
	}
	return out, nil
}
