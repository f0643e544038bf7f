package wire

import (
	"net/http"

	weir "github.com/weir-analytics/weir"
)

// Track is /track, an address that two vendors have.
type Track struct{ PostHog, OpenPanel Protocol }

// Vendor is the protocol's name.
func (Track) Vendor() string { return "track" }

// Routes are those of /track.
func (Track) Routes() []Route {
	return []Route{
		{Method: http.MethodPost, Path: "/track", Codings: posthogCodings},
		{Method: http.MethodGet, Path: "/track"},
	}
}

// tracked is a Sent's Reply, with whose it is.
type tracked struct {
	by    Protocol
	reply any
}

// Decode reads the request as the vendor whose it is.
func (t Track) Decode(r *Request) (*Sent, error) {
	by := t.PostHog
	if isOpenPanel(r) {
		by = t.OpenPanel
	}
	s, err := by.Decode(r)
	if err == nil {
		s.Reply = tracked{by, s.Reply}
	}
	return s, err
}

// Answer is that of the vendor.
func (t Track) Answer(r *Request, s *Sent) Response {
	by := s.Reply.(tracked)
	s.Reply = by.reply
	return by.by.Answer(r, s)
}

// Refuse is that of the vendor, as far as the headers tell: a body is not read again.
func (t Track) Refuse(r *Request, status int, err *weir.Error) Response {
	if isOpenPanel(r) {
		return t.OpenPanel.Refuse(r, status, err)
	}
	return t.PostHog.Refuse(r, status, err)
}

// isOpenPanel tells a request of OpenPanel's SDKs from one of PostHog's: by its header,
// or by what its body has at the top: "clientId", or "type" and "payload" without a
// token.
func isOpenPanel(r *Request) bool {
	if r.Header.Get("Openpanel-Client-Id") != "" {
		return true
	}
	text := unspaced(r.Body)
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	var s scanner
	s.reset(text)
	var kind, payload, token bool
	for more := s.begin('}'); more; more = s.more('}') {
		key, ok := s.field()
		if !ok {
			return false
		}
		switch string(key) {
		case "clientId":
			return true
		case "type":
			kind = true
		case "payload":
			payload = true
		case "token", "$token", "api_key":
			token = true
		}
		s.skip()
	}
	return s.fault == "" && kind && payload && !token
}
