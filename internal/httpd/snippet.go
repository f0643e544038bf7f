package httpd

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// snippetFile is the script that sites load, among the built files. It is
// another one when it is sent compressed, and has another ETag then.
const snippetFile = "weir.js"

type snippetForm struct {
	encoding string // "" is as it is
	body     string
	etag     string
}

// snippet is the script in the forms that were built, the smallest first; none in
// a binary without them.
type snippet []snippetForm

func newSnippet(files fs.FS) snippet {
	var s snippet
	if files == nil {
		return s
	}
	for _, form := range []struct{ ext, encoding string }{{".br", "br"}, {".gz", "gzip"}, {"", ""}} {
		body, err := fs.ReadFile(files, snippetFile+form.ext)
		if err != nil {
			continue
		}
		sum := sha256.Sum256(body)
		s = append(s, snippetForm{form.encoding, string(body), `"` + hex.EncodeToString(sum[:8]) + `"`})
	}
	return s
}

func (s *Server) mountSnippet() {
	built := newSnippet(s.cfg.UI)
	s.mux.HandleFunc("GET /"+snippetFile, func(w http.ResponseWriter, r *http.Request) {
		for _, form := range built {
			if form.encoding == "" || reads(r, form.encoding) {
				form.serve(w, r)
				return
			}
		}
		s.fail(w, r, weir.Errorf(weir.ENOTFOUND, "the snippet is not part of this build; make build makes one that has it"))
	})
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "snippet", Method: http.MethodGet, Path: "/" + snippetFile, Summary: "The script that a site loads to send events",
		Responses: map[string]*huma.Response{
			"200": {
				Description: "OK",
				Content:     map[string]*huma.MediaType{"text/javascript": {Schema: &huma.Schema{Type: huma.TypeString}}},
			},
			"default": s.errorResponse(),
		},
	})
}

// serve answers pages of any site, those that are isolated from other origins too.
// A site has a new version within the hour, and meanwhile asks nobody.
func (f snippetForm) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
	h.Set("ETag", f.etag)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Add("Vary", "Accept-Encoding")
	if f.encoding != "" {
		h.Set("Content-Encoding", f.encoding)
	}
	http.ServeContent(w, r, snippetFile, time.Time{}, strings.NewReader(f.body))
}
