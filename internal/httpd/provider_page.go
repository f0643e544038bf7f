package httpd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// asPage writes the errors of an operation as a page to a browser that came by a link: who comes
// back from the provider reads no JSON.
func (s *Server) asPage(ctx huma.Context, next func(huma.Context)) {
	if !strings.Contains(ctx.Header("Accept"), "text/html") {
		next(ctx)
		return
	}
	p := &pageContext{humaContext: ctx}
	next(p)
	if p.status < http.StatusBadRequest {
		return
	}
	var e Error
	if err := json.Unmarshal(p.body.Bytes(), &e); err != nil || e.Content.Message == "" {
		e.Content.Message = http.StatusText(p.status)
	}
	h := http.Header{}
	s.ui.head(ctx.Context(), h, nil)
	for name := range h {
		ctx.SetHeader(name, h.Get(name))
	}
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetStatus(p.status)
	_, _ = ctx.BodyWriter().Write(s.ui.failure(s.base, e.Content.Message)) // who does not read it is gone
}

// pageContext holds the status and body of an error back.
type pageContext struct {
	humaContext
	status int
	body   bytes.Buffer
}

// SetStatus is huma.Context's.
func (c *pageContext) SetStatus(code int) {
	if c.status = code; code < http.StatusBadRequest {
		c.humaContext.SetStatus(code)
	}
}

// Status is huma.Context's.
func (c *pageContext) Status() int { return c.status }

// BodyWriter is huma.Context's.
func (c *pageContext) BodyWriter() io.Writer {
	if c.status < http.StatusBadRequest {
		return c.humaContext.BodyWriter()
	}
	return &c.body
}
