// Package amplitude is the protocol of Amplitude's SDKs.
package amplitude

import (
	"iter"
	"net/http"
	"sync"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
)

// Protocol is how the SDKs of amplitude.com speak.
// Source: amplitude.com/docs ("HTTP V2 API", "Batch Event Upload API", "Identify API", "Group
// Identify API"); npm's @amplitude/analytics-browser and @amplitude/analytics-node.
type Protocol struct{}

// Vendor returns "amplitude".
func (Protocol) Vendor() string { return "amplitude" }

const (
	pathEvents        = "/2/httpapi"
	pathBatch         = "/batch"
	pathIdentify      = "/identify"
	pathGroupIdentify = "/groupidentify"
)

// Routes returns Amplitude's own addresses. Package sharedpath has /batch, which other
// vendors' SDKs call too.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodPost, Path: pathEvents},
		{Method: http.MethodPost, Path: pathIdentify},
		{Method: http.MethodPost, Path: pathGroupIdentify},
	}
}

// ProjectNames returns API keys.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	names := wire.NamesIn(text, "api_key")
	if isForm(r) {
		names = append(names, body.FormValue(text, "api_key"))
	}
	return names
}

// isForm reports whether the request is a form with the JSON in a field, rather than JSON.
func isForm(r *wire.Request) bool {
	return r.Route.Path == pathIdentify || r.Route.Path == pathGroupIdentify
}

// Unpack yields the JSON of a form.
func (Protocol) Unpack(r *wire.Request) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if isForm(r) {
			yield(body.FormField(r, "identification"))
		}
	}
}

// Decode reads events, or changes of the properties of users or groups.
func (p Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	text := r.Body
	if r.Unpacked != nil { // of a form, or of a packing that /batch undoes
		text = r.Unpacked
	} else {
		for unpacked, err := range p.Unpack(r) {
			if err != nil {
				return nil, err
			}
			text = unpacked
		}
	}
	a := decoders.Get().(*decoder)
	defer func() {
		if a.request = nil; a.Close() {
			decoders.Put(a)
		}
	}()
	return a.decode(r, text)
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}
