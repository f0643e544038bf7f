package dump

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	weir "github.com/weir-analytics/weir"
)

// AppendEvent renders an event as one of POST /v1/events. Its Event.Call is not
// written: no export has calls.
func AppendEvent(b []byte, in *weir.Incoming) []byte {
	e, s := &in.Event, &in.Source
	b = append(b, `{"id":`...)
	b = AppendText(b, e.ID)
	b = AppendMember(b, "name", e.Name)
	b = append(b, `,"ts":"`...)
	b = e.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
	b = append(b, '"')
	for _, m := range [...]struct{ name, value string }{
		{"profile_id", e.ProfileID},
		{"device_id", e.DeviceID},
		{"session_id", e.SessionID},
		{"url", s.URL},
		{"path", e.Path},
		{"origin", e.Origin},
		{"title", e.Title},
		{"referrer", s.Referrer},
		{"ip", s.IP},
		{"user_agent", s.UserAgent},
		{"utm_source", e.UTMSource},
		{"utm_medium", e.UTMMedium},
		{"utm_campaign", e.UTMCampaign},
		{"utm_term", e.UTMTerm},
		{"utm_content", e.UTMContent},
		{"country", e.Country},
		{"region", e.Region},
		{"city", e.City},
		{"browser", e.Browser},
		{"browser_version", e.BrowserVersion},
		{"os", e.OS},
		{"os_version", e.OSVersion},
		{"device_type", e.DeviceType},
		{"language", e.Language},
		{"library", e.Library},
		{"currency", e.Currency},
	} {
		b = AppendMember(b, m.name, m.value)
	}
	if e.Bot {
		b = append(b, `,"bot":true`...)
	}
	if e.Revenue.Known {
		b = append(b, `,"revenue":`...)
		b = strconv.AppendFloat(b, e.Revenue.Value, 'f', -1, 64)
	}
	if len(e.Properties) > 0 {
		b = append(b, `,"properties":`...)
		b = append(b, e.Properties...)
	}
	return append(b, '}')
}

// AppendMember appends ,"name":"value" to a JSON object, unless the value is empty.
func AppendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return AppendText(b, value)
}

// AppendText appends text, which is UTF-8, as a JSON string.
func AppendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the only error is invalid UTF-8
	return b
}
