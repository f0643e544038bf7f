package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// page reads where it was. A hit without an address, as of an image in a page, is of the
// page that asks for the image.
func (m *matomo) page() {
	m.set(fieldTitle, matomoActionName)
	m.set(fieldURL, matomoURL)
	m.set(fieldReferrer, matomoURLRef)
	if !m.has(fieldURL) && !m.has(fieldReferrer) && m.visitor && !m.reply.bulk {
		m.put(fieldURL, strings.ToValidUTF8(m.request.Header.Get("Referer"), ""))
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
		m.at[f] = m.truncate(f, span{from, len(m.text)})
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
