package wire

import (
	"net/http"

	weir "github.com/weir-analytics/weir"
)

// Track serves /track, an address that two vendors use.
type Track struct{ PostHog, OpenPanel Protocol }

// Vendor returns "track".
func (Track) Vendor() string { return "track" }

// Routes returns /track.
func (Track) Routes() []Route {
	return []Route{
		{Method: http.MethodPost, Path: "/track", Codings: posthogCodings},
		{Method: http.MethodGet, Path: "/track"},
	}
}

// tracked wraps the State of the vendor that decoded the request.
type tracked struct {
	by    Protocol
	reply any
}

// Decode decodes the request with the protocol of its vendor.
func (t Track) Decode(r *Request) (*Decoded, error) {
	by := t.PostHog
	if isOpenPanel(r) {
		by = t.OpenPanel
	}
	s, err := by.Decode(r)
	if err == nil {
		s.State = tracked{by, s.State}
	}
	return s, err
}

// Answer returns the reply of the vendor that decoded the request.
func (t Track) Answer(r *Request, s *Decoded) Response {
	by := s.State.(tracked)
	s.State = by.reply
	return by.by.Answer(r, s)
}

// Refuse returns the reply of the vendor, which it recognizes by the headers only: the
// body is not available any more.
func (t Track) Refuse(r *Request, status int, err *weir.Error) Response {
	if isOpenPanel(r) {
		return t.OpenPanel.Refuse(r, status, err)
	}
	return t.PostHog.Refuse(r, status, err)
}

// isOpenPanel reports whether a request comes from OpenPanel's SDKs and not from
// PostHog's. It has OpenPanel's header, or its body has a top-level key "clientId", or
// "type" and "payload" without a token.
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
