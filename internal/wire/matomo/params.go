package matomo

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire/item"
)

// paramKey is a parameter of a hit that Weir reads.
type paramKey uint8

const (
	paramIDSite paramKey = iota
	paramRec
	paramTokenAuth
	paramSendImage
	paramURL
	paramActionName
	paramURLRef
	paramVisitor
	paramCID
	paramUID
	paramRand
	paramR
	paramPing
	paramCustom
	paramTime
	paramOffset
	paramIP
	paramUserAgent
	paramLanguage
	paramCountry
	paramRegion
	paramCity
	paramResolution
	paramEventCategory
	paramEventAction
	paramEventName
	paramEventValue
	paramSearch
	paramSearchCategory
	paramSearchCount
	paramLink
	paramDownload
	paramGoal
	paramRevenue
	paramOrder
	paramItems
	paramSubtotal
	paramTax
	paramShipping
	paramDiscount
	paramProductSKU
	paramProductName
	paramProductCategory
	paramProductPrice
	paramContentName
	paramContentPiece
	paramContentTarget
	paramContentInteraction
	paramVisitVariables
	paramPageVariables
	paramCampaign
	paramKeyword
	paramCrash
	paramMedia
	paramForm
	paramHeatmap
	paramKnown
	paramDropped // Matomo's bookkeeping
	paramOther
)

var paramKeys = map[string]paramKey{
	"idsite": paramIDSite, "rec": paramRec, "token_auth": paramTokenAuth, "send_image": paramSendImage,
	"url": paramURL, "action_name": paramActionName, "urlref": paramURLRef, "_id": paramVisitor, "cid": paramCID, "uid": paramUID,
	"rand": paramRand, "r": paramR, "ping": paramPing, "ca": paramCustom, "cdt": paramTime, "cdo": paramOffset, "cip": paramIP,
	"ua": paramUserAgent, "lang": paramLanguage, "country": paramCountry, "region": paramRegion, "city": paramCity, "res": paramResolution,
	"e_c": paramEventCategory, "e_a": paramEventAction, "e_n": paramEventName, "e_v": paramEventValue,
	"search": paramSearch, "search_cat": paramSearchCategory, "search_count": paramSearchCount, "link": paramLink, "download": paramDownload,
	"idgoal": paramGoal, "revenue": paramRevenue, "ec_id": paramOrder, "ec_items": paramItems,
	"ec_st": paramSubtotal, "ec_tx": paramTax, "ec_sh": paramShipping, "ec_dt": paramDiscount,
	"_pks": paramProductSKU, "_pkn": paramProductName, "_pkc": paramProductCategory, "_pkp": paramProductPrice,
	"c_n": paramContentName, "c_p": paramContentPiece, "c_t": paramContentTarget, "c_i": paramContentInteraction,
	"_cvar": paramVisitVariables, "cvar": paramPageVariables, "_rcn": paramCampaign, "_rck": paramKeyword,
	"cra": paramCrash, "ma_id": paramMedia, "fa_vid": paramForm, "hsr_vid": paramHeatmap,

	"apiv": paramDropped, "h": paramDropped, "m": paramDropped, "s": paramDropped, "cs": paramDropped, "bots": paramDropped,
	"dp": paramDropped, "new_visit": paramDropped, "cookie": paramDropped, "fla": paramDropped, "java": paramDropped,
	"dir": paramDropped, "qt": paramDropped, "realp": paramDropped, "pdf": paramDropped, "wma": paramDropped, "gears": paramDropped,
	"ag": paramDropped, "uadata": paramDropped, "pv_id": paramDropped, "gt_ms": paramDropped, "pf_net": paramDropped,
	"pf_srv": paramDropped, "pf_tfr": paramDropped, "pf_dm1": paramDropped, "pf_dm2": paramDropped, "pf_onl": paramDropped,
	"_idts": paramDropped, "_idvc": paramDropped, "_idn": paramDropped, "_refts": paramDropped, "_viewts": paramDropped,
	"_ects": paramDropped, "_ref": paramDropped, "lat": paramDropped, "long": paramDropped, "debug": paramDropped,
	"queuedtracking": paramDropped, "trackme": paramDropped, "recMode": paramDropped, "consent": paramDropped,
}

// bufSpan is the place of a text in decoder.buf.
type bufSpan struct{ from, to int }

// param is a parameter of a hit.
type param struct {
	name, value bufSpan
	key         paramKey
}

// reset drops the parameters of the last hit.
func (m *decoder) reset() { m.buf, m.params, m.tooMany = m.buf[:0], m.params[:0], false }

// full reports whether the hit has more parameters, or longer ones, than an event may have.
// Then no more are read, and the hit is rejected.
func (m *decoder) full() bool {
	m.tooMany = m.tooMany || len(m.params) > m.Limits.Properties+2*int(paramOther) || len(m.buf) > m.Limits.Event
	return m.tooMany
}

// value returns the value of a parameter, without the space around it.
func (m *decoder) value(k paramKey) []byte {
	return bytes.TrimSpace(m.buf[m.values[k].from:m.values[k].to])
}

// parameter adds a parameter.
func (m *decoder) parameter(name, value []byte) {
	var p param
	p.name = m.addCopy(name)
	p.value = m.addCopy(value)
	m.params = append(m.params, p)
}

// addCopy appends a text to buf.
func (m *decoder) addCopy(text []byte) bufSpan {
	from := len(m.buf)
	m.buf = append(m.buf, text[:min(len(text), m.Limits.Event+1)]...)
	return m.addedSince(from)
}

// addedSince returns what was appended to buf since a position, with U+FFFD for what cannot
// be stored.
func (m *decoder) addedSince(from int) bufSpan {
	if text := m.buf[from:]; !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		m.buf = append(m.buf[:from], item.Storable(text)...)
	}
	return bufSpan{from, len(m.buf)}
}

// form reads name=value&name=value, percent-encoded. A wrong encoding stands for itself.
func (m *decoder) form(text []byte) {
	for len(text) > 0 && !m.full() {
		pair := text
		if i := bytes.IndexByte(text, '&'); i >= 0 {
			pair, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		var p param
		p.name = m.addDecoded(name)
		p.value = m.addDecoded(value)
		m.params = append(m.params, p)
	}
}

// addDecoded appends a percent-encoded text to buf.
func (m *decoder) addDecoded(text []byte) bufSpan {
	from := len(m.buf)
	text = text[:min(len(text), 3*m.Limits.Event+3)] // the rest would be over the limit
	m.buf = item.AppendFormText(m.buf, text)
	return m.addedSince(from)
}

// parameters reads the object of parameters at the cursor. An object or an
// array becomes its JSON text, as in a query.
func (m *decoder) parameters() {
	for more := m.Begin('}'); more; more = m.More('}') {
		name, ok := m.Key()
		if !ok {
			return
		}
		if m.full() {
			m.Skip()
			continue
		}
		var p param
		p.name = m.addCopy(name)
		from := m.Mark()
		switch c := m.Peek(); c {
		case 't':
			m.Skip()
			p.value = m.addCopy([]byte("1"))
		case '{', '[':
			m.Skip()
			p.value = m.addCopy(m.Since(from))
		default:
			p.value = m.addCopy(m.ReadBrief())
		}
		m.params = append(m.params, p)
	}
}

// resolve finds the parameters that Weir reads. If one occurs twice, the last counts.
func (m *decoder) resolve() {
	m.values = [paramKnown]bufSpan{}
	for i := range m.params {
		p := &m.params[i]
		k, ok := paramKeys[string(m.buf[p.name.from:p.name.to])]
		if p.key = k; !ok {
			p.key = paramOther
		}
		if p.key < paramKnown {
			m.values[k] = p.value
		}
	}
}
