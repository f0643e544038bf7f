package segment

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"net/http"
	"strings"

	"github.com/weir-analytics/weir/internal/wire"
)

// The script that Segment's HTML snippet loads, and the parts that the script loads itself:
// for trackLink and trackForm, and for addresses with ajs_ parameters. They are the files of
// npm's @segment/analytics-next, unchanged, in gzip; MIT License, script/LICENSE.txt.
const (
	scriptVersion = "1.84.3"

	pathScript = "/analytics.js/v1/{token}/analytics.min.js"
	pathBundle = "/analytics-next/bundles/{file}"
)

//go:embed script/*.js.gz
var scriptFiles embed.FS

// script answers with a file of the script.
func script(r *wire.Request) wire.Response {
	name := "standalone.js"
	if r.Route.Path == pathBundle {
		name = r.Value("file")
	}
	body, err := scriptFiles.ReadFile("script/" + name + ".gz")
	if err != nil {
		return wire.Response{Status: http.StatusNotFound, ContentType: "text/plain; charset=utf-8", Body: []byte("Weir does not have this part of analytics.js")}
	}
	out := wire.Response{Status: http.StatusOK, ContentType: "text/javascript; charset=utf-8", Body: body, Header: http.Header{
		"Cache-Control":                {"public, max-age=3600, stale-while-revalidate=86400"},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
		"Etag":                         {`"` + scriptVersion + `"`},
		"Vary":                         {"Origin, Accept-Encoding"},
	}}
	if strings.Contains(r.Header.Get("If-None-Match"), scriptVersion) {
		out.Status, out.ContentType, out.Body = http.StatusNotModified, "", nil
		return out
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		out.Header["Content-Encoding"] = []string{"gzip"}
		return out
	}
	out.Body = unzipped(body)
	return out
}

// unzipped returns the text of one of the script's files.
func unzipped(file []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		panic(err) // the file is part of the program
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return text
}
