package mixpanel

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// property reads a property that Weir has a field for, or does not store. Otherwise it
// returns false, and the property is stored under its name.
func (m *decoder) property(key []byte) bool {
	read := m.plainProperty
	if len(key) > 0 && key[0] == '$' {
		read = m.dollarProperty
	}
	return read(key) || m.kind.person() && m.Skip()
}

func (m *decoder) plainProperty(key []byte) bool {
	switch string(key) {
	case "token":
		m.noteToken()
	case "distinct_id":
		m.distinct = m.ReadText()
	case "time":
		m.ReadTime()
	case "ip":
		m.readAddress()
	case "alias":
		if m.kind != kindAlias {
			return false
		}
		m.alias = m.ReadText()
	case "mp_country_code":
		m.Read(item.Country)
	case "mp_lib":
		m.lib = m.ReadText()
	case "revenue":
		return m.readRevenue()
	case "currency":
		return m.ReadCurrency()
	case "mp_loader", "mp_sent_by_lib_version", "mp_processing_time_ms", "mp_keyword":
		m.Skip()
	default:
		return m.ReadCampaign(key) || m.kind == kindView && m.viewProperty(key)
	}
	return true
}

// viewProperty reads a property that only page views have.
func (m *decoder) viewProperty(key []byte) bool {
	switch string(key) {
	case "current_page_title":
		m.Read(item.Title)
	case "current_url_path":
		m.path = m.ReadText()
	case "mp_page": // of older SDKs
		m.ReadFirst(item.URL)
	case "mp_referrer":
		m.ReadFirst(item.Referrer)
	case "current_domain", "current_url_protocol", "current_url_search", "mp_browser", "mp_platform":
		m.Skip()
	default:
		return false
	}
	return true
}

// dollarProperty is property for a key with a dollar sign. It skips those that only Mixpanel
// can use.
func (m *decoder) dollarProperty(key []byte) bool {
	switch string(key) {
	case "$insert_id":
		m.Read(item.ID)
	case "$device_id":
		m.device = m.ReadText()
	case "$user_id":
		m.user = m.ReadText()
	case "$anon_distinct_id", "$anon_id":
		m.anonymous = m.ReadText()
	case "$identified_id":
		m.identified = m.ReadText()
	case "$distinct_ids":
		if m.kind != kindMerge {
			return false
		}
		n := 0
		m.ReadArray(func() {
			if n < len(m.merged) {
				m.merged[n] = m.ReadText()
			} else {
				m.Skip()
			}
			n++
		})
	case "$session_id":
		m.Read(item.Session)
	case "$current_url":
		m.Read(item.URL)
	case "$referrer":
		m.Read(item.Referrer)
	case "$title":
		m.Read(item.Title)
	case "$ip":
		m.readAddress()
	case "$user_agent":
		m.Read(item.UserAgent)
	case "$locale":
		m.Read(item.Language)
	case "$browser":
		m.Read(item.Browser)
	case "$browser_version":
		m.Read(item.BrowserVersion)
	case "$os":
		m.Read(item.OS)
	case "$os_version":
		m.Read(item.OSVersion)
	case "$city":
		m.Read(item.City)
	case "$region":
		m.Read(item.Region)
	case "$country_code":
		m.Read(item.Country)
	case "$model":
		m.model = m.PeekText()
		return false
	case "$screen_width":
		m.width = m.ReadText()
	case "$screen_height":
		m.height = m.ReadText()
	case "$lib_version":
		m.libVersion = m.ReadText()
	case "$revenue", "$amount":
		return m.readRevenue()
	case "$currency":
		return m.ReadCurrency()
	case // Mixpanel's bookkeeping, and what Weir has from elsewhere, such as the host of an address
		"$referring_domain",
		"$initial_referrer",
		"$initial_referring_domain",
		"$had_persisted_distinct_id",
		"$search_engine",
		"$mp_replay_id",
		"$is_shortened",
		"$mp_autocapture",
		"$mp_api_endpoint",
		"$mp_api_timestamp_ms",
		"$failure_reason",
		"$failure_description":
		m.Skip()
	default:
		return false
	}
	return true
}

// readAddress reads an address of the visitor. Senders write 0 to say that there is none.
func (m *decoder) readAddress() {
	if m.Read(item.IP); string(m.Get(item.IP)) == "0" {
		m.Clear(item.IP)
	}
}

// readRevenue reads a number, or a text that is one. It returns false, and leaves the value, if it is none.
func (m *decoder) readRevenue() bool {
	return m.Try(func() bool {
		f, ok := m.ReadDecimal()
		if ok = ok && !m.Revenue.Known; ok {
			m.Revenue = weir.Known(f)
		}
		return ok
	})
}
