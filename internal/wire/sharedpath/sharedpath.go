// Package sharedpath serves the addresses that SDKs of several vendors call: /track of
// PostHog, OpenPanel and Mixpanel, /engage of PostHog and Mixpanel, /batch of PostHog and
// Amplitude.
package sharedpath

import (
	"iter"
	"net/http"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Protocol passes each request on to the protocol of its vendor.
type Protocol struct{ PostHog, OpenPanel, Mixpanel, Amplitude wire.Protocol }

// Vendor returns "shared".
func (Protocol) Vendor() string { return "shared" }

// Routes returns the shared addresses.
func (p Protocol) Routes() (routes []wire.Route) {
	var codings []string // of PostHog's: no other vendor has its own
	for _, r := range p.PostHog.Routes() {
		if len(r.Codings) > 0 {
			codings = r.Codings
		}
	}
	for _, path := range []string{pathTrack, pathEngage, pathBatch} {
		routes = append(routes, wire.Route{Method: http.MethodPost, Path: path, Codings: codings}, wire.Route{Method: http.MethodGet, Path: path})
	}
	return routes
}

const (
	pathTrack  = "/track"
	pathEngage = "/engage"
	pathBatch  = "/batch"
)

// ProjectNames returns the names of all vendors' forms.
func (p Protocol) ProjectNames(r *wire.Request, text []byte) (names []string) {
	for _, v := range p.vendors(r) {
		names = append(names, v.ProjectNames(r, text)...)
	}
	return names
}

// vendors returns the protocols that have the address of a request.
func (p Protocol) vendors(r *wire.Request) []wire.Protocol {
	switch r.Route.Path {
	case pathTrack:
		return []wire.Protocol{p.OpenPanel, p.PostHog, p.Mixpanel}
	case pathEngage:
		return []wire.Protocol{p.PostHog, p.Mixpanel}
	}
	return []wire.Protocol{p.PostHog, p.Amplitude}
}

// Unpack unpacks what PostHog and Mixpanel pack. OpenPanel packs nothing.
func (p Protocol) Unpack(r *wire.Request) iter.Seq2[[]byte, error] {
	if p.isOpenPanel(r) {
		return func(func([]byte, error) bool) {}
	}
	return p.PostHog.(wire.Unpacker).Unpack(r)
}

// Decode decodes the request with the protocol of its vendor.
func (p Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	by, err := p.vendorOf(r)
	if err != nil {
		return nil, err
	}
	r.Vendor = by
	return by.Decode(r)
}

// vendorOf returns the protocol of the vendor that a request is for. It unpacks the body if
// the caller has not.
func (p Protocol) vendorOf(r *wire.Request) (wire.Protocol, error) {
	if p.isOpenPanel(r) {
		return p.OpenPanel, nil
	}
	if r.Unpacked == nil {
		for text, err := range p.Unpack(r) {
			if err != nil {
				return nil, err
			}
			r.Unpacked = text
		}
	}
	switch {
	case r.Route.Path == pathBatch && isAmplitude(r.Unpacked):
		return p.Amplitude, nil
	case r.Route.Path != pathBatch && isMixpanel(r.Unpacked):
		return p.Mixpanel, nil
	}
	return p.PostHog, nil
}

// isOpenPanel reports whether a request comes from OpenPanel's SDKs.
func (Protocol) isOpenPanel(r *wire.Request) bool {
	return r.Route.Path == pathTrack && (r.Header.Get(openPanelHeader) != "" || isOpenPanel(r.Body))
}

// Answer returns the reply of the vendor that decoded the request.
func (p Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	return r.Vendor.Answer(r, s)
}

// Refuse returns the reply of the vendor. A request that was refused before its body was read
// is recognized by its head: OpenPanel's SDKs send a header of their own, and only Mixpanel's
// have a parameter "verbose".
func (p Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	by := r.Vendor
	switch {
	case by != nil:
	case r.Route.Path == pathTrack && r.Header.Get(openPanelHeader) != "":
		by = p.OpenPanel
	case r.Route.Path != pathBatch && r.Query().Has("verbose"):
		by = p.Mixpanel
	default:
		by = p.PostHog
	}
	return by.Refuse(r, status, err)
}
