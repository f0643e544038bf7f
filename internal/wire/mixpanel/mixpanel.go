// Package mixpanel is the protocol of Mixpanel's SDKs.
package mixpanel

import (
	"iter"
	"net/http"
	"sync"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
)

// Protocol is how the SDKs of mixpanel.com speak.
// Source: docs.mixpanel.com/reference ("Track Events", "Import Events", "User profiles",
// "Group profiles"); npm's mixpanel-browser and mixpanel.
type Protocol struct{}

// Vendor returns "mixpanel".
func (Protocol) Vendor() string { return "mixpanel" }

const (
	pathTrack  = "/track"
	pathEngage = "/engage"
	pathGroups = "/groups"
	pathImport = "/import"
	pathRecord = "/record"
)

// Routes returns Mixpanel's own addresses. Package sharedpath has /track and /engage, which
// other vendors' SDKs call too.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodPost, Path: pathImport},
		{Method: http.MethodGet, Path: pathImport},
		{Method: http.MethodPost, Path: pathGroups},
		{Method: http.MethodGet, Path: pathGroups},
		{Method: http.MethodPost, Path: pathRecord, Body: wire.IgnoreBody},
	}
}

// ProjectNames returns tokens.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	names := wire.NamesIn(text, "token", "$token")
	if r.Route.Path == pathImport {
		names = append(names, importToken(r))
	}
	return names
}

// importToken returns the project that the head of an import names. The user of Basic
// authentication is the project's token or a service account. With a service account the project's
// id stands beside it. Older SDKs have a key of the project in the query or in the form.
func importToken(r *wire.Request) string {
	for _, name := range [...]string{r.Query().Get("project_id"), wire.BasicUser(r.Header), body.Param(r, "api_key")} {
		if name != "" {
			return name
		}
	}
	return ""
}

// Unpack yields the text of a request as body.Unpack does.
func (Protocol) Unpack(r *wire.Request) iter.Seq2[[]byte, error] {
	if r.Route.Body == wire.IgnoreBody {
		return func(func([]byte, error) bool) {}
	}
	return body.Unpack(r, nil)
}

// Decode reads events, or changes of the traits of users or groups.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	if r.Route.Path == pathRecord {
		return &wire.Decoded{Unsupported: "replay"}, nil
	}
	text, err := body.Unpacked(r, nil)
	if err != nil {
		return nil, err
	}
	m := decoders.Get().(*decoder)
	defer func() {
		if m.request, m.reply = nil, nil; m.Close() {
			decoders.Put(m)
		}
	}()
	return m.decode(r, joinSurrogates(text))
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Refuse returns what is wrong, as an object. For an import it has the HTTP status. For other
// requests it has status 0, which stands for failure.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	if r.Route.Path == pathImport {
		return importFailure(status, err.Message)
	}
	return failure(status, err.Message)
}
