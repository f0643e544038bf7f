// Package wiretest runs a protocol as the server does: against golden files, recordings of
// SDKs, and the rules that hold for every request.
package wiretest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"golang.org/x/tools/txtar"
)

// Decode decodes a POST of a body that is not compressed.
func Decode(t *testing.T, p wire.Protocol, target string, h http.Header, body string) (*wire.Decoded, error) {
	t.Helper()
	return p.Decode(Request(t, p, "POST", target, h, []byte(body)))
}

// Chromium is the user agent of a browser on Linux.
const Chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// Request is a call of a vendor's route as its protocol reads it, with the body as it was
// sent.
func Request(t testing.TB, p wire.Protocol, method, target string, header http.Header, body []byte) *wire.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Request{
		Route: routeOf(t, p, method, u.Path), Path: u.Path, Host: "weir.example", RawQuery: u.RawQuery, Header: header, Body: body,
		IP: "203.0.113.9", UserAgent: header.Get("User-Agent"), Now: Now, Limits: wire.DefaultLimits(),
	}
}

// RoutesOf are a protocol's routes, with those that package sharedpath may have for it.
func RoutesOf(p wire.Protocol) []wire.Route {
	routes := p.Routes()
	for _, path := range []string{"/track", "/engage", "/batch"} {
		routes = append(routes, wire.Route{Method: http.MethodPost, Path: path, Codings: []string{"gzip-js", "lz64", "base64"}}, wire.Route{Method: http.MethodGet, Path: path})
	}
	return routes
}

// routeOf finds the route of a path, as a mux does.
func routeOf(t testing.TB, p wire.Protocol, method, path string) wire.Route {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for _, route := range RoutesOf(p) {
		pattern := strings.Split(route.Path, "/")
		same := route.Method == method && len(pattern) == len(parts)
		for i := 0; same && i < len(parts); i++ {
			same = pattern[i] == parts[i] || strings.HasPrefix(pattern[i], "{")
		}
		if same {
			return route
		}
	}
	t.Fatalf("%s has no route %s %s", p.Vendor(), method, path)
	return wire.Route{}
}

// Exchange makes of a request what the server does: it reads the body, decodes it, plays a
// delivery and answers. An event of a visitor gets a device; a project is nobody's when
// its name is empty or begins with "unknown". before is shown what was decoded.
func Exchange(p wire.Protocol, r *wire.Request, before func(*wire.Decoded)) (wire.Response, error) {
	sent, err := DecodeSent(p, r)
	if err != nil {
		domain, _ := errors.AsType[*weir.Error](err)
		status := map[string]int{weir.EINVALID: 400, weir.EUNAUTHORIZED: 401, weir.ETOOLARGE: 413, weir.EUNSUPPORTED: 415}[domain.Code]
		return p.Refuse(r, status, domain), err
	}
	before(sent)
	for i := range sent.Parts {
		part := &sent.Parts[i]
		for k := range part.Events {
			if in := &part.Events[k]; in.Event.DeviceID == "" && !in.Source.Reported {
				in.Event.DeviceID = "derived"
			}
		}
		if part.Visitor != nil {
			part.Device = "derived"
		}
		if part.Project == "" || strings.HasPrefix(part.Project, "unknown") {
			part.Err = weir.Errorf(weir.EUNAUTHORIZED, "no project is known by this key or name")
		}
	}
	return p.Answer(r, sent), nil
}

// DecodeSent decodes a request whose body is as it was sent, and takes the body away, as
// the server does.
func DecodeSent(p wire.Protocol, r *wire.Request) (*wire.Decoded, error) {
	sent := r.Body
	if r.Body = nil; r.Route.Body == wire.IgnoreBody {
		return p.Decode(r)
	}
	b, err := body.Read(bytes.NewReader(sent), body.WithoutCodings(r.Header.Get("Content-Encoding"), r.Route.Codings), r.Limits)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	r.Body = b.Bytes()
	defer func() { r.Body = nil }()
	return p.Decode(r)
}

// Outcome writes down all that becomes of a request.
func Outcome(p wire.Protocol, r *wire.Request) string {
	var b strings.Builder
	out, err := Exchange(p, r, func(sent *wire.Decoded) {
		for _, part := range sent.Parts {
			fmt.Fprintf(&b, "project %q\n%s", part.Project, Render(part.Events, part.Rejected, nil))
		}
		if sent.Unsupported != "" {
			fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
		}
		if sent.From == wire.FromLog {
			b.WriteString("historical\n")
		}
	})
	if err != nil {
		fmt.Fprintf(&b, "error %s: %s\n", weir.ErrorCode(err), weir.ErrorMessage(err))
	}
	fmt.Fprintf(&b, "reply %d %s\n", out.Status, out.ContentType)
	for _, name := range slices.Sorted(maps.Keys(out.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(out.Header[name], ", "))
	}
	switch {
	case strings.HasPrefix(out.ContentType, "image/"):
		fmt.Fprintf(&b, "%q\n", out.Body)
	case len(out.Body) > 0:
		fmt.Fprintf(&b, "%s\n", out.Body)
	}
	return b.String()
}

// ParseRequest reads a request as golden files have it: "POST /path", headers, an empty
// line, the body.
func ParseRequest(t testing.TB, p wire.Protocol, text []byte) *wire.Request {
	t.Helper()
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(strings.TrimSpace(string(head)), "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	if !ok {
		t.Fatalf("request line %q", lines[0])
	}
	h := http.Header{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return Request(t, p, method, target, h, bytes.TrimSuffix(body, []byte("\n")))
}

// EachGolden steps through the requests of <vendor>/testdata/*.txtar. In a file each is
// NAME, and what becomes of it NAME.want.
func EachGolden(t testing.TB, p wire.Protocol, take func(name string, r *wire.Request)) {
	t.Helper()
	for _, file := range goldenFiles(t, p) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasSuffix(f.Name, ".want") {
				take(filepath.Base(file)+"/"+f.Name, ParseRequest(t, p, f.Data))
			}
		}
	}
}

func goldenFiles(t testing.TB, p wire.Protocol) []string {
	t.Helper()
	files, err := filepath.Glob("../" + p.Vendor() + "/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	return files
}

// Golden checks what becomes of the golden files' requests.
func Golden(t *testing.T, p wire.Protocol) {
	for _, file := range goldenFiles(t, p) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: a.Comment}
			for i, f := range a.Files {
				if strings.HasSuffix(f.Name, ".want") {
					continue
				}
				text := Outcome(p, ParseRequest(t, p, f.Data))
				got.Files = append(got.Files, f, txtar.File{Name: f.Name + ".want", Data: []byte(text)})
				if *Update {
					continue
				}
				if i+1 == len(a.Files) || a.Files[i+1].Name != f.Name+".want" {
					t.Fatalf("%s has no %s.want after it", f.Name, f.Name)
				}
				if diff := cmp.Diff(string(a.Files[i+1].Data), text); diff != "" {
					t.Errorf("%s: %s", f.Name, diff)
				}
			}
			if *Update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Recordings checks what becomes at a time of what a vendor's own SDK sent,
// testdata/recorded/<sdk>, against testdata/<sdk>.want.
func Recordings(t *testing.T, p wire.Protocol, sdk string, at time.Time) {
	var b strings.Builder
	EachRecorded(t, p, sdk, func(name string, r *wire.Request) {
		r.Now = at
		fmt.Fprintf(&b, "-- %s: %s --\n%s", name, r.Route.Pattern(), Outcome(p, r))
	})
	CheckFile(t, filepath.Join("testdata", sdk+".want"), b.String())
}

// CheckFile checks a text against a file.
func CheckFile(t *testing.T, file, got string) {
	t.Helper()
	if *Update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// EachRecorded steps through the requests but preflights that an SDK sent, in their
// order.
func EachRecorded(t testing.TB, p wire.Protocol, sdk string, take func(name string, r *wire.Request)) {
	t.Helper()
	files, err := filepath.Glob("testdata/recorded/" + sdk + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is recorded of %s: %v", sdk, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Method, Path string
			Headers      map[string]string
			Body         string `json:"body_base64"`
		}
		if err := json.Unmarshal(text, &sent); err != nil {
			t.Fatal(err)
		}
		body, err := base64.StdEncoding.DecodeString(sent.Body)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{}
		for name, value := range sent.Headers {
			header.Set(name, value)
		}
		if sent.Method != http.MethodOptions {
			take(filepath.Base(file), Request(t, p, sent.Method, sent.Path, header, body))
		}
	}
}

// Call is a request as it comes to the server.
type Call struct {
	Method, Path string // the path with its query
	Headers      []string
	Body         string
}

// Request returns the call as a protocol reads it.
func (c Call) Request(t testing.TB, p wire.Protocol) *wire.Request {
	h := http.Header{"User-Agent": {Chromium}}
	for i := 0; i+1 < len(c.Headers); i += 2 {
		h.Set(c.Headers[i], c.Headers[i+1])
	}
	return Request(t, p, c.Method, c.Path, h, []byte(c.Body))
}

// Send is what a call is decoded to and answered with.
func Send(t testing.TB, p wire.Protocol, c Call) (sent *wire.Decoded, answer wire.Response, err error) {
	t.Helper()
	answer, err = Exchange(p, c.Request(t, p), func(s *wire.Decoded) { sent = s })
	return sent, answer, err
}
