package wire_test

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
	"golang.org/x/tools/txtar"
)

const chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// asked is a call of a vendor's route as its protocol reads it, with the body as it was
// sent.
func asked(t testing.TB, p wire.Protocol, method, target string, header http.Header, body []byte) *wire.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Request{
		Route: routeOf(t, p, method, u.Path), Path: u.Path, Host: "weir.example", Query: u.Query(), Header: header, Body: body,
		IP: "203.0.113.9", UserAgent: header.Get("User-Agent"), Now: now, Limits: wire.DefaultLimits(),
	}
}

// routesOf are a protocol's routes, with the one that Track has for it.
func routesOf(p wire.Protocol) []wire.Route {
	return append(p.Routes(), wire.Route{Method: http.MethodPost, Path: "/track"})
}

// routeOf finds the route of a path, as a mux does.
func routeOf(t testing.TB, p wire.Protocol, method, path string) wire.Route {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for _, route := range routesOf(p) {
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

// told makes of a request what the server does: it reads the body, decodes it, plays a
// delivery and answers. An event of a visitor gets a device; a project is nobody's when
// its name is empty or begins with "unknown". before is shown what was decoded.
func told(p wire.Protocol, r *wire.Request, before func(*wire.Decoded)) (wire.Response, error) {
	sent, err := decodeSent(p, r)
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

// decodeSent decodes a request whose body is as it was sent, and takes the body away, as
// the server does.
func decodeSent(p wire.Protocol, r *wire.Request) (*wire.Decoded, error) {
	sent := r.Body
	if r.Body = nil; r.Route.NoBody {
		return p.Decode(r)
	}
	b, err := wire.ReadBody(bytes.NewReader(sent), wire.WithoutCodings(r.Header.Get("Content-Encoding"), r.Route.Codings), r.Limits)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	r.Body = b.Bytes()
	defer func() { r.Body = nil }()
	return p.Decode(r)
}

// outcome writes down all that becomes of a request.
func outcome(p wire.Protocol, r *wire.Request) string {
	var b strings.Builder
	out, err := told(p, r, func(sent *wire.Decoded) {
		for _, part := range sent.Parts {
			fmt.Fprintf(&b, "project %q\n%s", part.Project, render(part.Events, part.Rejected, nil))
		}
		if sent.Unsupported != "" {
			fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
		}
		if sent.Historical {
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

// requestIn reads a request as golden files have it: "POST /path", headers, an empty
// line, the body.
func requestIn(t testing.TB, p wire.Protocol, text []byte) *wire.Request {
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
	return asked(t, p, method, target, h, bytes.TrimSuffix(body, []byte("\n")))
}

// eachGolden steps through the requests of testdata/<vendor>/*.txtar. In a file each is
// NAME, and what becomes of it NAME.want.
func eachGolden(t testing.TB, p wire.Protocol, take func(name string, r *wire.Request)) {
	t.Helper()
	for _, file := range goldenFiles(t, p) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasSuffix(f.Name, ".want") {
				take(filepath.Base(file)+"/"+f.Name, requestIn(t, p, f.Data))
			}
		}
	}
}

func goldenFiles(t testing.TB, p wire.Protocol) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + p.Vendor() + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	return files
}

// checkGolden checks what becomes of the golden files' requests.
func checkGolden(t *testing.T, p wire.Protocol) {
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
				text := outcome(p, requestIn(t, p, f.Data))
				got.Files = append(got.Files, f, txtar.File{Name: f.Name + ".want", Data: []byte(text)})
				if *update {
					continue
				}
				if i+1 == len(a.Files) || a.Files[i+1].Name != f.Name+".want" {
					t.Fatalf("%s has no %s.want after it", f.Name, f.Name)
				}
				if diff := cmp.Diff(string(a.Files[i+1].Data), text); diff != "" {
					t.Errorf("%s: %s", f.Name, diff)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// checkRecordings checks what becomes at a time of what a vendor's own SDK sent,
// testdata/recorded/<sdk>, against testdata/<vendor>/<sdk>.want.
func checkRecordings(t *testing.T, p wire.Protocol, sdk string, at time.Time) {
	var b strings.Builder
	eachRecorded(t, p, sdk, func(name string, r *wire.Request) {
		r.Now = at
		fmt.Fprintf(&b, "-- %s: %s --\n%s", name, r.Route.Pattern(), outcome(p, r))
	})
	checkFile(t, filepath.Join("testdata", p.Vendor(), sdk+".want"), b.String())
}

// checkFile checks a text against a file.
func checkFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
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

// eachRecorded steps through the requests but preflights that an SDK sent, in their
// order.
func eachRecorded(t testing.TB, p wire.Protocol, sdk string, take func(name string, r *wire.Request)) {
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
			take(filepath.Base(file), asked(t, p, sent.Method, sent.Path, header, body))
		}
	}
}

// checkOutcome is what holds for any request of a protocol: its events are within the
// limits, its properties JSON without duplicate keys, its reply is one.
func checkOutcome(t *testing.T, p wire.Protocol, r *wire.Request) {
	l := r.Limits
	budget := wire.NewBudget(8 << 20) // no small request takes more
	h := budget.Open(t.Context())
	h.SetKnown()
	r.Limits.Memory = h
	sent, err := p.Decode(r)
	if err == nil {
		err = h.ReserveStorage()
	}
	if h.Close(); budget.Held() != 0 {
		t.Errorf("%d bytes are held for ever", budget.Held())
	}
	var out wire.Response
	if err != nil {
		domain, ok := errors.AsType[*weir.Error](err)
		if !ok || !slices.Contains([]string{weir.EINVALID, weir.ETOOLARGE}, domain.Code) {
			t.Fatalf("error %v", err)
		}
		out = p.Refuse(r, 400, domain)
	} else {
		for i := range sent.Parts {
			for k := range sent.Parts[i].Events {
				checkEvent(t, &sent.Parts[i].Events[k], l)
			}
			for _, j := range sent.Parts[i].Rejected {
				if !slices.Contains(append(wire.Reasons(), wire.VendorReasons()...), j.Reason) {
					t.Errorf("reason %q is not listed", j.Reason)
				}
			}
			if sent.Parts[i].Project == "" {
				sent.Parts[i].Err = weir.Errorf(weir.EUNAUTHORIZED, "unknown")
			}
		}
		out = p.Answer(r, sent)
	}
	if out.Status < 200 || out.Status > 499 || strings.Contains(out.ContentType, "json") && !json.Valid(out.Body) || bytes.Contains(out.Body, []byte("\x00")) {
		t.Errorf("reply %d %s %q", out.Status, out.ContentType, out.Body)
	}
}
