package matomo

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/wire/item"
)

// setPage sets URL, title and referrer. A hit without a URL may be an image in a page. Then
// the Referer header has the URL.
func (m *decoder) setPage() {
	m.set(item.Title, paramActionName)
	m.set(item.URL, paramURL)
	m.set(item.Referrer, paramURLRef)
	if !m.Has(item.URL) && !m.Has(item.Referrer) && m.visitor && !m.reply.bulk {
		m.Put(item.URL, strings.ToValidUTF8(m.request.Header.Get("Referer"), ""))
	}
	for _, k := range [...]paramKey{paramLink, paramDownload} {
		if m.has(k) && bytes.Equal(m.value(k), m.value(paramURL)) {
			m.Clear(item.URL) // the visitor went there; it is not the page
		}
	}
	m.setCampaign()
	if res := m.value(paramResolution); len(res) > 0 && string(res) != "unknown" {
		m.keepParam("screen", paramResolution)
	}
}

// setCampaign reads the campaign from the page's URL, by Matomo's own names of parameters.
func (m *decoder) setCampaign() {
	address := m.value(paramURL)
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
		f := item.FieldCount
		switch string(name) {
		case "mtm_campaign", "pk_campaign", "piwik_campaign":
			f = item.UTMCampaign
		case "mtm_source", "pk_source":
			f = item.UTMSource
		case "mtm_medium", "pk_medium":
			f = item.UTMMedium
		case "mtm_kwd", "mtm_keyword", "pk_kwd", "pk_keyword", "piwik_kwd":
			f = item.UTMTerm
		case "mtm_content", "pk_content":
			f = item.UTMContent
		}
		if f == item.FieldCount || m.Has(f) {
			continue
		}
		keep := len(m.buf)
		at := m.addDecoded(value)
		m.SetText(f, m.buf[at.from:at.to])
		m.buf = m.buf[:keep]
	}
}

// setHashID gives the hit an id, so that it is stored once if it is sent twice. It is a hash
// of all parameters, and of the user agent if the visitor sent the hit; not of the address, which may change before
// the hit is sent again. Trackers send a random number with each hit. A hit with neither that nor a time of its own gets no id: an
// equal one may be another hit. In a bulk, whose hits mostly have only times, the index is
// part of the hash.
//
// The id of an order is a hash of its ec_id: an order that is sent twice counts once.
func (m *decoder) setHashID() {
	if string(m.value(paramGoal)) == "0" && m.has(paramOrder) && !m.HasDefect() {
		sum := sha256.Sum256(append([]byte("order\x00"), m.value(paramOrder)...))
		m.PutID(sum[:16])
		return
	}
	random := m.has(paramRand) || m.has(paramR)
	if !random && !(m.has(paramTime) && m.Stamp.Given) || m.HasDefect() {
		return
	}
	from := len(m.buf)
	if m.visitor {
		m.buf = append(append(m.buf, m.request.UserAgent...), 0)
	}
	if !random && m.reply.bulk {
		m.buf = append(strconv.AppendInt(m.buf, int64(m.index), 10), 0)
	}
	for _, p := range m.params {
		switch p.key {
		case paramTokenAuth, paramSendImage, paramOffset: // may differ when the hit is sent again
			continue
		}
		m.buf = append(append(m.buf, m.buf[p.name.from:p.name.to]...), 0)
		m.buf = append(append(m.buf, m.buf[p.value.from:p.value.to]...), 0)
	}
	sum := sha256.Sum256(m.buf[from:])
	m.buf = m.buf[:from]
	m.PutID(sum[:16])
}
