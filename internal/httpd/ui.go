package httpd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// pagePolicy lets the dashboard load its own files alone. Styles may be inline:
// charts set them on what they draw.
const pagePolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; " + noFrames

// noFrames lets no page embed this one.
const noFrames = "frame-ancestors 'none'"

// permissions lets the page use nothing of the device.
const permissions = "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()"

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Weir</title>
<h1>Weir is running</h1>
<p>The dashboard is not part of this build. Run <code>make build</code>, which needs Node, and start the server again.</p>
<p>The API is there: see <a href="openapi.json">openapi.json</a>.</p>
</html>
`

// ui serves the built dashboard.
type ui struct {
	files fs.FS
	index []byte // nil when the dashboard is not built
	etag  string // of index
}

// newUI makes the dashboard below a path; "" is the root.
func newUI(files fs.FS, base string) *ui {
	u := &ui{files: files}
	if files == nil {
		return u
	}
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return u
	}
	// The page's own addresses are relative to it, whatever route it shows.
	index = bytes.Replace(index, []byte("<head>"), []byte(`<head><base href="`+html.EscapeString(base)+`/">`), 1)
	sum := sha256.Sum256(index)
	u.index, u.etag = index, `"`+hex.EncodeToString(sum[:8])+`"`
	return u
}

// The pages of the dashboard, and those of a project's settings.
var (
	pages = []string{
		"", "/index.html", "/login", "/setup", "/invitation", "/reset", "/second-factor", "/sign-in-failed",
		"/settings", "/settings/account", "/settings/tokens", "/settings/users", "/settings/audit", "/settings/deletions",
	}
	projectPages = []string{
		"settings", "settings/general", "settings/keys", "settings/data", "settings/filters", "settings/limits", "settings/members", "settings/tokens", "settings/audit",
	}
)

// isDashboardRoute reports whether the dashboard's router (web/src/router.tsx, web/src/settings/routes.ts) has the path.
func isDashboardRoute(path string) bool {
	path = strings.TrimSuffix(path, "/")
	if rest, ok := strings.CutPrefix(path, "/p/"); ok {
		project, page, deeper := strings.Cut(rest, "/")
		return project != "" && (!deeper || slices.Contains(projectPages, page))
	}
	if _, ok := sharedSecret(path); ok {
		return true
	}
	return slices.Contains(pages, path)
}

// has reports whether serve has something for the path.
func (u *ui) has(path string) bool {
	if isDashboardRoute(path) {
		return true
	}
	name := strings.TrimPrefix(path, "/")
	if u.index == nil || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(u.files, name)
	return err == nil && info.Mode().IsRegular()
}

// serve answers GET and HEAD: with a file of that name, or with the page on a route of the
// dashboard. has must be true for the path.
func (u *ui) serve(w http.ResponseWriter, r *http.Request) error {
	if !isDashboardRoute(r.URL.Path) {
		return u.file(w, r, strings.TrimPrefix(r.URL.Path, "/"))
	}
	h := w.Header()
	u.head(r.Context(), h, nil)
	h.Set("Cache-Control", "no-cache")
	if u.index != nil {
		h.Set("ETag", u.etag)
	}
	http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(u.page()))
	return nil
}

// page returns the dashboard's page.
func (u *ui) page() []byte {
	if u.index == nil {
		return []byte(notBuilt)
	}
	return u.index
}

// failure returns the page that says why a sign-in with the provider failed. The dashboard reads
// it from the page (web/src/account/failure.ts).
func (u *ui) failure(base, message string) []byte {
	text := html.EscapeString(message)
	if u.index == nil {
		return []byte(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Weir</title>
<h1>You are not signed in</h1>
<p>` + text + `</p>
<p><a href="` + html.EscapeString(base) + `/">Back to the start page</a></p>
</html>
`)
	}
	return bytes.Replace(u.index, []byte("<head>"), []byte(`<head><meta name="weir-failure" content="`+text+`">`), 1)
}

// file answers with a file, in a compressed form that lies beside it when the
// client reads that.
func (u *ui) file(w http.ResponseWriter, r *http.Request, name string) error {
	info, err := fs.Stat(u.files, name)
	if err != nil {
		return err
	}
	h := w.Header()
	served := name
	h.Add("Vary", "Accept-Encoding")
	for _, c := range [...]struct{ ext, encoding string }{{".zst", "zstd"}, {".br", "br"}, {".gz", "gzip"}} {
		if !reads(r, c.encoding) {
			continue
		}
		if info, err := fs.Stat(u.files, name+c.ext); err == nil && info.Mode().IsRegular() {
			served = name + c.ext
			h.Set("Content-Encoding", c.encoding)
			break
		}
	}
	body, err := fs.ReadFile(u.files, served)
	if err != nil {
		return err
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		h.Set("Content-Type", t)
	}
	h.Set("Content-Security-Policy", pagePolicy)
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // their names change with their content
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, name, info.ModTime(), strings.NewReader(string(body)))
	return nil
}

// reads says whether the client takes an encoding.
func reads(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
