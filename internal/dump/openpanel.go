package dump

import "strings"

// openpanel reads the table "events" of a self-hosted OpenPanel, as ClickHouse
// writes it as JSONEachRow or CSVWithNames, and pages of the export API.
// Source: packages/db/code-migrations and clickhouse_init.sql of
// github.com/Openpanel-dev/openpanel; openpanel.dev/docs/api/export.
type openpanel struct{}

func (openpanel) pages() ([]string, string) { return []string{"meta", "data"}, "data" }

func (openpanel) fits(r row) bool {
	return r.has("name", "created_at", "device_id", "profile_id") || r.has("name", "createdAt") && (r.has("deviceId") || r.has("profileId"))
}

func (openpanel) wanted() string {
	return "rows of its table events with name, created_at, device_id and profile_id, or a page of its export API"
}

// openpanelLeft are events that OpenPanel's server adds to those that were sent.
var openpanelLeft = map[string]string{
	"session_start": "session_start and session_end, which OpenPanel made itself",
	"session_end":   "session_start and session_end, which OpenPanel made itself",
}

func (openpanel) read(r row, out *recordEvents) error {
	name := r.text("name")
	if what, ok := openpanelLeft[name]; ok {
		out.skip(what)
		return nil
	}
	at, err := r.time("created_at", "createdAt")
	if err != nil {
		return err
	}
	p := r.object("properties")
	properties := p.fields
	in := out.add(name, at, properties)
	e, s := &in.Event, &in.Source
	if id := r.text("id"); id != "" {
		e.ID = "openpanel_" + id
	}
	e.DeviceID, e.ProfileID, e.SessionID = r.text("device_id", "deviceId"), r.text("profile_id", "profileId"), r.text("session_id", "sessionId")
	if e.ProfileID == e.DeviceID { // OpenPanel's profile of somebody unknown
		e.ProfileID = ""
	}
	e.Path, e.Origin, s.Referrer = r.text("path"), r.text("origin"), r.text("referrer")
	if strings.Contains(e.Path, "://") {
		s.URL, e.Path = e.Path, ""
	}
	e.Title, e.Language = p.text("__title"), p.text("__language")
	e.UTMSource, e.UTMMedium, e.UTMCampaign = query(p, "utm_source"), query(p, "utm_medium"), query(p, "utm_campaign")
	e.UTMTerm, e.UTMContent = query(p, "utm_term"), query(p, "utm_content")
	p.drop("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
	e.Country, e.Region, e.City = r.text("country"), r.text("region"), r.text("city")
	agent(e, r.text("browser"), r.text("browser_version", "browserVersion"), r.text("os"), r.text("os_version", "osVersion"), r.text("device"))
	if strings.EqualFold(r.text("device"), "server") {
		e.Browser, e.BrowserVersion, e.OS, e.OSVersion = "", "", "", "" // those of an HTTP client
	}
	e.Bot = truth(p.fields["__bot"])
	if e.Library = r.text("sdk_name", "sdkName"); e.Library != "" {
		e.Library = "openpanel-" + e.Library
		if version := r.text("sdk_version", "sdkVersion"); version != "" {
			e.Library += "/" + version
		}
	}
	cents, ok := r.number("revenue")
	if !ok || cents == 0 { // the column's 0 is none
		cents, ok = p.number("__revenue")
	}
	money(e, cents/100, ok, p.text("currency"))
	if e.Revenue.Known && letters(e.Currency, 3) != "" {
		p.drop("currency")
	}
	size := p.text("__screen")
	for key := range properties {
		if openpanelOwn(key) {
			delete(properties, key)
		}
	}
	put(properties, "screen", size)
	put(properties, "brand", r.text("brand"))
	put(properties, "model", r.text("model"))
	switch groups := r.list("groups"); len(groups) {
	case 0:
	case 1:
		properties["$groups"] = map[string]any{"group": groups[0]}
	default:
		properties["$groups"] = map[string]any{"group": groups}
	}
	return nil
}

// openpanelOwn says whether a property stands in a field of the event, or serves
// OpenPanel alone.
func openpanelOwn(key string) bool {
	switch key {
	case "__path", "__referrer", "__title", "__timestamp", "__ip", "__deviceId", "__os", "__osVersion", "__browser", "__browserVersion", "__device",
		"__brand", "__model", "__country", "__city", "__region", "__revenue", "__query", "__identify", "__hash", "__reqId", "__user_agent", "__bot", "__bot_reasons",
		"__screen", "__language":
		return true
	}
	return strings.HasPrefix(key, "__query.")
}

// query is a parameter of the page's address, which OpenPanel keeps flat or nested.
func query(p row, name string) string {
	if t := p.text("__query." + name); t != "" {
		return t
	}
	if t := p.object("__query").text(name); t != "" {
		return t
	}
	return p.text(name)
}
