package wire

import (
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// Names of events that Matomo has a type for and Weir has not.
const (
	matomoNameSearch      = "search"
	matomoNameOutlink     = "outlink"
	matomoNameDownload    = "download"
	matomoNameGoal        = "goal"
	matomoNamePurchase    = "purchase"
	matomoNameCart        = "cart_update"
	matomoNameImpression  = "content_impression"
	matomoNameInteraction = "content_interaction"
)

// matomoRecent is how old a hit may say that it is without token_auth, in microseconds.
const matomoRecent = 24 * 3600 * 1e6

// hit makes an event of the parameters. What Weir does not keep it names instead.
func (m *matomo) hit() (unsupported string) {
	m.startItem()
	m.pos = m.until
	owner := m.owner()
	m.owners = append(m.owners, owner)
	switch {
	case m.crowd:
		m.defect(ReasonTooMany, "over "+strconv.Itoa(len(m.params)-1)+" parameters, or too long ones")
		m.ends()
		return ""
	case owner == "":
		m.defect(ReasonIDMissing, "idsite: is required")
		m.ends()
		return ""
	case string(m.value(matomoRec)) != "1":
		return "rec"
	case string(m.value(matomoPing)) == "1":
		return "ping"
	case m.said(matomoCrash):
		return "crash"
	case m.said(matomoMedia):
		return "media"
	case m.said(matomoForm):
		return "form"
	case m.said(matomoHeatmap):
		return "heatmap"
	case !m.action():
		return "custom"
	}
	m.who()
	m.when()
	m.page()
	m.variables(matomoPageVariables)
	m.variables(matomoVisitVariables)
	m.others()
	m.ends()
	return ""
}

// owner is what names the hit's project.
func (m *matomo) owner() string {
	site := m.value(matomoIDSite)
	if m.token != "" && len(site) > 0 {
		return m.token
	}
	site = truncated(site, longestName)
	if n := len(m.owners); n > 0 && m.owners[n-1] == string(site) {
		return m.owners[n-1]
	}
	return string(site)
}

func (m *matomo) said(k matomoKey) bool { return len(m.value(k)) > 0 }

// ends ends the event.
func (m *matomo) ends() {
	m.identifies()
	events, rejected := len(m.in), len(m.rejected)
	m.finishItem()
	if len(m.in) > events {
		m.in[events].Index = m.index
	}
	if len(m.rejected) > rejected {
		m.rejected[rejected].Index = m.index
	}
}

// set puts a parameter into a field.
func (m *matomo) set(f slot, k matomoKey) {
	if text := m.value(k); len(text) > 0 {
		from := len(m.text)
		m.text = append(m.text, text...)
		m.at[f] = m.truncate(f, span{from, len(m.text)})
	}
}

// action names the event by what happened, the first that Matomo would take it for.
// false is a custom action of a plugin.
func (m *matomo) action() bool {
	switch {
	case m.said(matomoEventCategory) && m.said(matomoEventAction):
		m.set(fieldName, matomoEventAction)
		m.keepParam("category", matomoEventCategory)
		m.keepParam("name", matomoEventName)
		m.keepNumber("value", matomoEventValue)
	case string(m.value(matomoGoal)) == "0":
		if m.said(matomoOrder) {
			m.put(fieldName, matomoNamePurchase)
			m.keepParam("order_id", matomoOrder)
			m.paid()
		} else { // nobody paid
			m.put(fieldName, matomoNameCart)
			m.keepNumber("value", matomoRevenue)
		}
		m.keepNumber("subtotal", matomoSubtotal)
		m.keepNumber("tax", matomoTax)
		m.keepNumber("shipping", matomoShipping)
		m.keepNumber("discount", matomoDiscount)
		m.goods()
	case m.said(matomoGoal) && string(m.value(matomoGoal)) != "-1":
		m.put(fieldName, matomoNameGoal)
		m.keepNumber("goal_id", matomoGoal)
		m.paid()
	case m.said(matomoSearch):
		m.put(fieldName, matomoNameSearch)
		m.keepParam("query", matomoSearch)
		m.keepParam("category", matomoSearchCategory)
		m.keepNumber("count", matomoSearchCount)
	case m.said(matomoLink):
		m.put(fieldName, matomoNameOutlink)
		m.keepParam("url", matomoLink)
	case m.said(matomoDownload):
		m.put(fieldName, matomoNameDownload)
		m.keepParam("url", matomoDownload)
	case m.said(matomoContentName):
		m.put(fieldName, matomoNameImpression)
		if m.said(matomoContentInteraction) {
			m.put(fieldName, matomoNameInteraction)
		}
		m.keepParam("content_name", matomoContentName)
		m.keepParam("content_piece", matomoContentPiece)
		m.keepParam("content_target", matomoContentTarget)
		m.keepParam("interaction", matomoContentInteraction)
	case string(m.value(matomoCustom)) == "1":
		return false
	default:
		m.put(fieldName, weir.NameScreenView)
		m.keepParam("product_sku", matomoProductSKU)
		m.keepParam("product_name", matomoProductName)
		m.keepParam("product_category", matomoProductCategory)
		m.keepNumber("product_price", matomoProductPrice)
	}
	return true
}

// paid reads the revenue, and the campaign that Matomo attributes it to. Its currency is
// a setting of the site.
func (m *matomo) paid() {
	m.revenue, _ = decimalOf(m.value(matomoRevenue))
	m.set(fieldUTMCampaign, matomoCampaign)
	m.set(fieldUTMTerm, matomoKeyword)
}

func decimalOf(text []byte) (f float64, ok bool) {
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil && f-f == 0
}

// who reads whose hit it is. A server that tells of a visitor names the address, which
// takes token_auth.
func (m *matomo) who() {
	m.put(fieldLibrary, "matomo")
	m.set(fieldDevice, matomoVisitor)
	m.set(fieldDevice, matomoCID)
	m.set(fieldProfile, matomoUID)
	m.set(fieldUserAgent, matomoUserAgent)
	if m.token != "" {
		m.set(fieldIP, matomoIP)
		m.set(fieldCountry, matomoCountry)
		m.set(fieldRegion, matomoRegion)
		m.set(fieldCity, matomoCity)
		for i, c := range m.get(fieldCountry) {
			if 'a' <= c && c <= 'z' {
				m.get(fieldCountry)[i] = c - 'a' + 'A'
			}
		}
	}
	m.client = m.visitor
	m.reported = !m.visitor && !m.has(fieldIP)
	m.set(fieldLanguage, matomoLanguage)
	if m.visitor && !m.has(fieldLanguage) {
		m.put(fieldLanguage, header(m.request.Header, "Accept-Language"))
	}
}

// when reads a hit's own time: a date in UTC or a unix time, or how many seconds ago it
// was.
func (m *matomo) when() {
	us, ok := readMoment(m.value(matomoTime))
	if ago, err := strconv.ParseInt(string(m.value(matomoOffset)), 10, 64); err == nil && ago != 0 {
		if !ok {
			us, ok = m.now, true
		}
		us -= min(max(ago, -ago), 1e9) * 1e6
	}
	if !ok {
		return
	}
	m.stamp = stamp{us: us, given: true, exact: true}
	switch {
	case us >= m.now-matomoRecent:
	case m.token == "":
		m.defect(ReasonTimeAncient, "cdt: over 24 hours ago, which takes a write key as token_auth")
	default:
		m.historical = true
	}
}
