package wire

import (
	"bytes"
	"unicode/utf8"
)

// matomoKey is a parameter of a hit that has a meaning here.
type matomoKey uint8

const (
	matomoIDSite matomoKey = iota
	matomoRec
	matomoTokenAuth
	matomoSendImage
	matomoURL
	matomoActionName
	matomoURLRef
	matomoVisitor
	matomoCID
	matomoUID
	matomoRand
	matomoR
	matomoPing
	matomoCustom
	matomoTime
	matomoOffset
	matomoIP
	matomoUserAgent
	matomoLanguage
	matomoCountry
	matomoRegion
	matomoCity
	matomoResolution
	matomoEventCategory
	matomoEventAction
	matomoEventName
	matomoEventValue
	matomoSearch
	matomoSearchCategory
	matomoSearchCount
	matomoLink
	matomoDownload
	matomoGoal
	matomoRevenue
	matomoOrder
	matomoItems
	matomoSubtotal
	matomoTax
	matomoShipping
	matomoDiscount
	matomoProductSKU
	matomoProductName
	matomoProductCategory
	matomoProductPrice
	matomoContentName
	matomoContentPiece
	matomoContentTarget
	matomoContentInteraction
	matomoVisitVariables
	matomoPageVariables
	matomoCampaign
	matomoKeyword
	matomoCrash
	matomoMedia
	matomoForm
	matomoHeatmap
	matomoKnown
	matomoDropped // Matomo's bookkeeping
	matomoOther
)

var matomoKeys = map[string]matomoKey{
	"idsite": matomoIDSite, "rec": matomoRec, "token_auth": matomoTokenAuth, "send_image": matomoSendImage,
	"url": matomoURL, "action_name": matomoActionName, "urlref": matomoURLRef, "_id": matomoVisitor, "cid": matomoCID, "uid": matomoUID,
	"rand": matomoRand, "r": matomoR, "ping": matomoPing, "ca": matomoCustom, "cdt": matomoTime, "cdo": matomoOffset, "cip": matomoIP,
	"ua": matomoUserAgent, "lang": matomoLanguage, "country": matomoCountry, "region": matomoRegion, "city": matomoCity, "res": matomoResolution,
	"e_c": matomoEventCategory, "e_a": matomoEventAction, "e_n": matomoEventName, "e_v": matomoEventValue,
	"search": matomoSearch, "search_cat": matomoSearchCategory, "search_count": matomoSearchCount, "link": matomoLink, "download": matomoDownload,
	"idgoal": matomoGoal, "revenue": matomoRevenue, "ec_id": matomoOrder, "ec_items": matomoItems,
	"ec_st": matomoSubtotal, "ec_tx": matomoTax, "ec_sh": matomoShipping, "ec_dt": matomoDiscount,
	"_pks": matomoProductSKU, "_pkn": matomoProductName, "_pkc": matomoProductCategory, "_pkp": matomoProductPrice,
	"c_n": matomoContentName, "c_p": matomoContentPiece, "c_t": matomoContentTarget, "c_i": matomoContentInteraction,
	"_cvar": matomoVisitVariables, "cvar": matomoPageVariables, "_rcn": matomoCampaign, "_rck": matomoKeyword,
	"cra": matomoCrash, "ma_id": matomoMedia, "fa_vid": matomoForm, "hsr_vid": matomoHeatmap,

	"apiv": matomoDropped, "h": matomoDropped, "m": matomoDropped, "s": matomoDropped, "cs": matomoDropped, "bots": matomoDropped,
	"dp": matomoDropped, "new_visit": matomoDropped, "cookie": matomoDropped, "fla": matomoDropped, "java": matomoDropped,
	"dir": matomoDropped, "qt": matomoDropped, "realp": matomoDropped, "pdf": matomoDropped, "wma": matomoDropped, "gears": matomoDropped,
	"ag": matomoDropped, "uadata": matomoDropped, "pv_id": matomoDropped, "gt_ms": matomoDropped, "pf_net": matomoDropped,
	"pf_srv": matomoDropped, "pf_tfr": matomoDropped, "pf_dm1": matomoDropped, "pf_dm2": matomoDropped, "pf_onl": matomoDropped,
	"_idts": matomoDropped, "_idvc": matomoDropped, "_idn": matomoDropped, "_refts": matomoDropped, "_viewts": matomoDropped,
	"_ects": matomoDropped, "_ref": matomoDropped, "lat": matomoDropped, "long": matomoDropped, "debug": matomoDropped,
	"queuedtracking": matomoDropped, "trackme": matomoDropped, "recMode": matomoDropped, "consent": matomoDropped,
}

// matomoParam is a parameter of a hit.
type matomoParam struct {
	name, value span // of buf
	key         matomoKey
}

// fresh forgets the hit before.
func (m *matomo) fresh() { m.buf, m.params, m.crowd = m.buf[:0], m.params[:0], false }

// full says whether the hit has more parameters, or longer ones, than any event: those
// that follow are not read, and the hit is rejected.
func (m *matomo) full() bool {
	m.crowd = m.crowd || len(m.params) > m.limits.Properties+2*int(matomoOther) || len(m.buf) > m.limits.Event
	return m.crowd
}

// value is that of a parameter, without the space around it.
func (m *matomo) value(k matomoKey) []byte {
	return bytes.TrimSpace(m.buf[m.values[k].from:m.values[k].to])
}

// parameter takes one.
func (m *matomo) parameter(name, value []byte) {
	var p matomoParam
	p.name = m.copied(name)
	p.value = m.copied(value)
	m.params = append(m.params, p)
}

// copied appends a text, as what can be stored of it.
func (m *matomo) copied(text []byte) span {
	from := len(m.buf)
	m.buf = append(m.buf, text[:min(len(text), m.limits.Event+1)]...)
	return m.cleaned(from)
}

// cleaned is what was appended since a place, as what can be stored of it.
func (m *matomo) cleaned(from int) span {
	if text := m.buf[from:]; !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		clean := bytes.ReplaceAll(bytes.ToValidUTF8(text, []byte("\ufffd")), []byte{0}, []byte("\ufffd"))
		m.buf = append(m.buf[:from], clean...)
	}
	return span{from, len(m.buf)}
}

// form reads name=value&name=value, percent-encoded. What is encoded wrongly stands for
// itself.
func (m *matomo) form(text []byte) {
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
		var p matomoParam
		p.name = m.decoded(name)
		p.value = m.decoded(value)
		m.params = append(m.params, p)
	}
}

// decoded appends a percent-encoded text.
func (m *matomo) decoded(text []byte) span {
	from := len(m.buf)
	text = text[:min(len(text), 3*m.limits.Event+3)] // what is left of it is too long
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(text):
			hi, lo := nibble(text[i+1]), nibble(text[i+2])
			if hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		m.buf = append(m.buf, c)
	}
	return m.cleaned(from)
}

// nibble is the value of a hex digit, 16 for other bytes.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// parameters reads the object of parameters at pos. A value that is an object or an array
// stands as the text that it would be in a query.
func (m *matomo) parameters() {
	for more := m.begin('}'); more; more = m.more('}') {
		name, ok := m.field()
		if !ok {
			return
		}
		if m.full() {
			m.skip()
			continue
		}
		var p matomoParam
		p.name = m.copied(name)
		from := m.pos
		switch c := m.peek(); c {
		case 't':
			m.skip()
			p.value = m.copied([]byte("1"))
		case '{', '[':
			m.skip()
			p.value = m.copied(m.data[from:m.pos])
		default:
			at := m.readText()
			p.value = m.copied(m.text[at.from:at.to])
		}
		m.params = append(m.params, p)
	}
}

// resolve finds the parameters that have a meaning. Of one that is there twice the last
// counts.
func (m *matomo) resolve() {
	m.values = [matomoKnown]span{}
	for i := range m.params {
		p := &m.params[i]
		k, ok := matomoKeys[string(m.buf[p.name.from:p.name.to])]
		if p.key = k; !ok {
			p.key = matomoOther
		}
		if p.key < matomoKnown {
			m.values[k] = p.value
		}
	}
}
