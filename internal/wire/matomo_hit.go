package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
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
	m.begun()
	m.pos = m.until
	owner := string(m.value(matomoIDSite))
	if m.token != "" && owner != "" {
		owner = m.token
	}
	m.owners = append(m.owners, owner)
	switch {
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

func (m *matomo) said(k matomoKey) bool { return len(m.value(k)) > 0 }

// ends ends the event.
func (m *matomo) ends() {
	m.identifies()
	events, rejected := len(m.in), len(m.rejected)
	m.settle()
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
		m.at[f] = m.cut(f, span{from, len(m.text)})
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
		m.put(fieldLanguage, m.request.Header.Get("Accept-Language"))
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

// page reads where it was. A hit without an address, as of an image in a page, is of the
// page that asks for the image.
func (m *matomo) page() {
	m.set(fieldTitle, matomoActionName)
	m.set(fieldURL, matomoURL)
	m.set(fieldReferrer, matomoURLRef)
	if !m.has(fieldURL) && !m.has(fieldReferrer) && m.visitor {
		m.put(fieldURL, m.request.Header.Get("Referer"))
	}
	for _, k := range [...]matomoKey{matomoLink, matomoDownload} {
		if m.said(k) && bytes.Equal(m.value(k), m.value(matomoURL)) {
			m.at[fieldURL] = span{} // that is where the visitor went
		}
	}
	m.campaign()
	if res := m.value(matomoResolution); len(res) > 0 && string(res) != "unknown" {
		m.keepParam("screen", matomoResolution)
	}
}

// campaign reads Matomo's own names of campaign parameters from the page's address.
func (m *matomo) campaign() {
	address := m.value(matomoURL)
	i := bytes.IndexByte(address, '?')
	if i < 0 || !bytes.Contains(address, []byte("mtm_")) && !bytes.Contains(address, []byte("pk_")) && !bytes.Contains(address, []byte("piwik_")) {
		return
	}
	address, _, _ = bytes.Cut(address[i+1:], []byte("#"))
	for len(address) > 0 {
		pair := address
		if i := bytes.IndexByte(address, '&'); i >= 0 {
			pair, address = address[:i], address[i+1:]
		} else {
			address = nil
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		f := fieldCount
		switch string(name) {
		case "mtm_campaign", "pk_campaign", "piwik_campaign":
			f = fieldUTMCampaign
		case "mtm_source", "pk_source":
			f = fieldUTMSource
		case "mtm_medium", "pk_medium":
			f = fieldUTMMedium
		case "mtm_kwd", "mtm_keyword", "pk_kwd", "pk_keyword", "piwik_kwd":
			f = fieldUTMTerm
		case "mtm_content", "pk_content":
			f = fieldUTMContent
		}
		if f == fieldCount || m.has(f) {
			continue
		}
		keep := len(m.buf)
		at := m.decoded(value)
		from := len(m.text)
		m.text = append(m.text, m.buf[at.from:at.to]...)
		m.at[f] = m.cut(f, span{from, len(m.text)})
		m.buf = m.buf[:keep]
	}
}

// identifies gives the hit an id, so that it is stored once if it comes again: a hash of
// all its parameters and, of a visitor's own, of where it came from. Trackers send a
// random number with each hit; a hit with neither that nor a time of its own cannot be
// told from the next one, and gets none. In a bulk, whose hits mostly have times alone,
// the place counts too.
func (m *matomo) identifies() {
	random := m.said(matomoRand) || m.said(matomoR)
	if !random && !(m.said(matomoTime) && m.stamp.given) || m.reason != "" {
		return
	}
	from := len(m.buf)
	if m.visitor {
		m.buf = append(append(m.buf, m.request.IP...), 0)
		m.buf = append(append(m.buf, m.request.UserAgent...), 0)
	}
	if !random && m.reply.bulk {
		m.buf = append(strconv.AppendInt(m.buf, int64(m.index), 10), 0)
	}
	for _, p := range m.params {
		switch p.key {
		case matomoTokenAuth, matomoSendImage, matomoOffset: // a later attempt may have another
			continue
		}
		m.buf = append(append(m.buf, m.buf[p.name.from:p.name.to]...), 0)
		m.buf = append(append(m.buf, m.buf[p.value.from:p.value.to]...), 0)
	}
	sum := sha256.Sum256(m.buf[from:])
	m.buf = m.buf[:from]
	start := len(m.text)
	m.text = base64.RawURLEncoding.AppendEncode(m.text, sum[:16])
	m.at[fieldID] = span{start, len(m.text)}
}
