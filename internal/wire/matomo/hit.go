package matomo

import (
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// Names of events for which Matomo has a type, and Weir has none.
const (
	nameSearch      = "search"
	nameOutlink     = "outlink"
	nameDownload    = "download"
	nameGoal        = "goal"
	namePurchase    = "purchase"
	nameCart        = "cart_update"
	nameImpression  = "content_impression"
	nameInteraction = "content_interaction"
)

// recentMicros is how old the time of a hit without token_auth may be, in microseconds.
const recentMicros = 24 * 3600 * 1e6

// hit adds the event of the parameters. It adds none, and returns a name, if Weir does not
// store such hits.
func (m *decoder) hit() (unsupported string) {
	m.StartItem()
	m.Seek(m.until)
	owner := m.owner()
	m.owners = append(m.owners, owner)
	switch {
	case m.tooMany:
		m.Defect(wire.ReasonTooMany, "over "+strconv.Itoa(len(m.params)-1)+" parameters, or too long ones")
		m.finish()
		return ""
	case owner == "":
		m.Defect(wire.ReasonIDMissing, "idsite: is required")
		m.finish()
		return ""
	case string(m.value(paramRec)) != "1":
		return "rec"
	case string(m.value(paramPing)) == "1":
		return "ping"
	case m.has(paramCrash):
		return "crash"
	case m.has(paramMedia):
		return "media"
	case m.has(paramForm):
		return "form"
	case m.has(paramHeatmap):
		return "heatmap"
	case !m.action():
		return "custom"
	}
	m.setVisitor()
	m.setTime()
	m.setPage()
	m.variables(paramPageVariables)
	m.variables(paramVisitVariables)
	m.addUndefined()
	m.finish()
	return ""
}

// owner returns the name of the hit's project.
func (m *decoder) owner() string {
	site := m.value(paramIDSite)
	if m.token != "" && len(site) > 0 {
		return m.token
	}
	site = item.Truncate(site, wire.LongestName)
	if n := len(m.owners); n > 0 && m.owners[n-1] == string(site) {
		return m.owners[n-1]
	}
	return string(site)
}

func (m *decoder) has(k paramKey) bool { return len(m.value(k)) > 0 }

// finish ends the event.
func (m *decoder) finish() {
	m.setHashID()
	m.FinishItemAs(m.index)
}

// set sets a field to a parameter.
func (m *decoder) set(f item.Field, k paramKey) {
	if text := m.value(k); len(text) > 0 {
		m.SetText(f, text)
	}
}

// action sets the name of the event by the kind of hit. If several match, it is the one that
// Matomo would choose. It returns false for a custom action of a plugin.
func (m *decoder) action() bool {
	switch {
	case m.has(paramEventCategory) && m.has(paramEventAction):
		m.set(item.Name, paramEventAction)
		m.keepParam("category", paramEventCategory)
		m.keepParam("name", paramEventName)
		m.keepNumber("value", paramEventValue)
	case string(m.value(paramGoal)) == "0":
		if m.has(paramOrder) {
			m.Put(item.Name, namePurchase)
			m.keepParam("order_id", paramOrder)
			m.setRevenue()
		} else { // a cart, no order
			m.Put(item.Name, nameCart)
			m.keepNumber("value", paramRevenue)
		}
		m.keepNumber("subtotal", paramSubtotal)
		m.keepNumber("tax", paramTax)
		m.keepNumber("shipping", paramShipping)
		m.keepNumber("discount", paramDiscount)
		m.keepGoods()
	case m.has(paramGoal) && string(m.value(paramGoal)) != "-1":
		m.Put(item.Name, nameGoal)
		m.keepNumber("goal_id", paramGoal)
		m.setRevenue()
	case m.has(paramSearch):
		m.Put(item.Name, nameSearch)
		m.keepParam("query", paramSearch)
		m.keepParam("category", paramSearchCategory)
		m.keepNumber("count", paramSearchCount)
	case m.has(paramLink):
		m.Put(item.Name, nameOutlink)
		m.keepParam("url", paramLink)
	case m.has(paramDownload):
		m.Put(item.Name, nameDownload)
		m.keepParam("url", paramDownload)
	case m.has(paramContentName):
		m.Put(item.Name, nameImpression)
		if m.has(paramContentInteraction) {
			m.Put(item.Name, nameInteraction)
		}
		m.keepParam("content_name", paramContentName)
		m.keepParam("content_piece", paramContentPiece)
		m.keepParam("content_target", paramContentTarget)
		m.keepParam("interaction", paramContentInteraction)
	case string(m.value(paramCustom)) == "1":
		return false
	default:
		m.Put(item.Name, weir.NameScreenView)
		m.keepParam("product_sku", paramProductSKU)
		m.keepParam("product_name", paramProductName)
		m.keepParam("product_category", paramProductCategory)
		m.keepNumber("product_price", paramProductPrice)
	}
	return true
}

// setRevenue sets the revenue, and the campaign that Matomo attributes it to. The currency is
// a setting of the site in Matomo, so it is not in the hit.
func (m *decoder) setRevenue() {
	if sum, ok := decimalOf(m.value(paramRevenue)); ok {
		m.Revenue = weir.Known(sum)
	}
	m.set(item.UTMCampaign, paramCampaign)
	m.set(item.UTMTerm, paramKeyword)
}

func decimalOf(text []byte) (f float64, ok bool) {
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil && f-f == 0
}

// setVisitor sets the ids, the address and the user agent of the visitor. A sender with
// token_auth may name another address than its own.
func (m *decoder) setVisitor() {
	m.Put(item.Library, "matomo")
	m.set(item.Device, paramVisitor)
	m.set(item.Device, paramCID)
	m.set(item.Profile, paramUID)
	m.set(item.UserAgent, paramUserAgent)
	if m.token != "" {
		m.set(item.IP, paramIP)
		m.set(item.Country, paramCountry)
		m.set(item.Region, paramRegion)
		m.set(item.City, paramCity)
		for i, c := range m.Get(item.Country) {
			if 'a' <= c && c <= 'z' {
				m.Get(item.Country)[i] = c - 'a' + 'A'
			}
		}
	}
	m.Client = m.visitor
	m.Reported = !m.visitor && !m.Has(item.IP)
	m.set(item.Language, paramLanguage)
	if m.visitor && !m.Has(item.Language) {
		m.Put(item.Language, wire.Header(m.request.Header, "Accept-Language"))
	}
}

// setTime sets the hit's own time: a date in UTC, a unix time, or a number of seconds ago.
func (m *decoder) setTime() {
	us, ok := item.ReadMoment(m.value(paramTime))
	if ago, err := strconv.ParseInt(string(m.value(paramOffset)), 10, 64); err == nil && ago != 0 {
		if !ok {
			us, ok = m.Now, true
		}
		us -= min(max(ago, -ago), 1e9) * 1e6
	}
	if !ok {
		return
	}
	m.Stamp = item.Stamp{Micros: us, Given: true, Exact: true}
	switch {
	case us >= m.Now-recentMicros:
	case m.token == "":
		m.Defect(wire.ReasonTimeAncient, "cdt: over 24 hours ago, which takes a write key as token_auth")
	default:
		m.historical = true
	}
}
