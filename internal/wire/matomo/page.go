package matomo

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/wire/item"
)

// page reads where it was. A hit without an address, as of an image in a page, is of the
// page that asks for the image.
func (m *decoder) page() {
	m.set(item.Title, paramActionName)
	m.set(item.URL, paramURL)
	m.set(item.Referrer, paramURLRef)
	if !m.Has(item.URL) && !m.Has(item.Referrer) && m.visitor && !m.reply.bulk {
		m.Put(item.URL, strings.ToValidUTF8(m.request.Header.Get("Referer"), ""))
	}
	for _, k := range [...]paramKey{paramLink, paramDownload} {
		if m.said(k) && bytes.Equal(m.value(k), m.value(paramURL)) {
			m.Clear(item.URL) // that is where the visitor went
		}
	}
	m.campaign()
	if res := m.value(paramResolution); len(res) > 0 && string(res) != "unknown" {
		m.keepParam("screen", paramResolution)
	}
}

// campaign reads Matomo's own names of campaign parameters from the page's address.
func (m *decoder) campaign() {
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
		at := m.decoded(value)
		m.SetText(f, m.buf[at.from:at.to])
		m.buf = m.buf[:keep]
	}
}

// identifies gives the hit an id, so that it is stored once if it comes again: a hash of
// all its parameters and, of a visitor's own, of where it came from. Trackers send a
// random number with each hit; a hit with neither that nor a time of its own cannot be
// told from the next one, and gets none. In a bulk, whose hits mostly have times alone,
// the place counts too.
func (m *decoder) identifies() {
	random := m.said(paramRand) || m.said(paramR)
	if !random && !(m.said(paramTime) && m.Stamp.Given) || m.HasDefect() {
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
		case paramTokenAuth, paramSendImage, paramOffset: // a later attempt may have another
			continue
		}
		m.buf = append(append(m.buf, m.buf[p.name.from:p.name.to]...), 0)
		m.buf = append(append(m.buf, m.buf[p.value.from:p.value.to]...), 0)
	}
	sum := sha256.Sum256(m.buf[from:])
	m.buf = m.buf[:from]
	m.PutID(sum[:16])
}
