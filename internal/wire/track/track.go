// Package track serves the address /track, which the SDKs of PostHog and OpenPanel share.
package track

import (
	"iter"
	"net/http"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Protocol serves /track, an address that two vendors use.
type Protocol struct{ PostHog, OpenPanel wire.Protocol }

// Vendor returns "track".
func (Protocol) Vendor() string { return "track" }

// Routes returns /track.
func (t Protocol) Routes() []wire.Route {
	var codings []string
	for _, r := range t.PostHog.Routes() {
		codings = append(codings, r.Codings...)
	}
	return []wire.Route{
		{Method: http.MethodPost, Path: "/track", Codings: slices.Compact(slices.Sorted(slices.Values(codings)))},
		{Method: http.MethodGet, Path: "/track"},
	}
}

// tracked wraps the State of the vendor that decoded the request.
type tracked struct {
	by    wire.Protocol
	reply any
}

// ProjectNames returns the names of both vendors' forms.
func (t Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	return append(t.OpenPanel.ProjectNames(r, text), t.PostHog.ProjectNames(r, text)...)
}

// Decode decodes the request with the protocol of its vendor.
func (t Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
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

// Unpack unpacks what PostHog packs. OpenPanel packs nothing, so its bodies stay as they
// are.
func (t Protocol) Unpack(r *wire.Request) iter.Seq2[[]byte, error] {
	if u, ok := t.PostHog.(wire.Unpacker); ok && r.Header.Get("Openpanel-Client-Id") == "" {
		return u.Unpack(r)
	}
	return func(func([]byte, error) bool) {}
}

// Answer returns the reply of the vendor that decoded the request.
func (t Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	by := s.State.(tracked)
	s.State = by.reply
	return by.by.Answer(r, s)
}

// Refuse returns the reply of the vendor, which it recognizes by the headers only: the
// body is not available any more.
func (t Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	if isOpenPanel(r) {
		return t.OpenPanel.Refuse(r, status, err)
	}
	return t.PostHog.Refuse(r, status, err)
}

// isOpenPanel reports whether a request comes from OpenPanel's SDKs and not from
// PostHog's. It has OpenPanel's header, or its body has a top-level key "clientId", or
// "type" and "payload" without a token.
func isOpenPanel(r *wire.Request) bool {
	if r.Header.Get("Openpanel-Client-Id") != "" {
		return true
	}
	text := jsonscan.Trim(r.Body)
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	var s jsonscan.Scanner
	s.Reset(text)
	var kind, payload, token bool
	for more := s.Begin('}'); more; more = s.More('}') {
		key, ok := s.Key()
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
		s.Skip()
	}
	return !s.Failed() && kind && payload && !token
}
