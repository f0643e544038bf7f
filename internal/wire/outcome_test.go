package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

const chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// asked is a call of a vendor's route as its protocol reads it.
func asked(t testing.TB, p wire.Protocol, method, target string, header http.Header, body []byte) *wire.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &wire.Request{
		Path: u.Path, Query: u.Query(), Header: header, Body: body, IP: "203.0.113.9", UserAgent: header.Get("User-Agent"),
		Now: now, Limits: wire.DefaultLimits(),
	}
	at := slices.IndexFunc(p.Routes(), func(route wire.Route) bool {
		return route.Method == method && route.Path == strings.TrimSuffix(u.Path, "/")
	})
	if at < 0 {
		t.Fatalf("%s has no route %s %s", p.Vendor(), method, target)
	}
	if r.Route = p.Routes()[at]; r.Route.NoBody {
		r.Body = nil
	}
	return r
}

// outcome is what a protocol makes of a request, and its reply when every project is
// known that does not begin with "unknown".
func outcome(p wire.Protocol, r *wire.Request) string {
	var b strings.Builder
	sent, err := p.Decode(r)
	var out wire.Response
	if err != nil {
		status := map[string]int{weir.EINVALID: 400, weir.EUNAUTHORIZED: 401, weir.ETOOLARGE: 413, weir.EUNSUPPORTED: 415}[weir.ErrorCode(err)]
		domain, _ := errors.AsType[*weir.Error](err)
		out = p.Refuse(r, status, domain)
	} else {
		for i := range sent.Parts {
			part := &sent.Parts[i]
			fmt.Fprintf(&b, "project %q\n%s", part.Project, render(part.Events, part.Rejected, nil))
			if part.Project == "" || strings.HasPrefix(part.Project, "unknown") {
				part.Err = weir.Errorf(weir.EUNAUTHORIZED, "no project is known by this key or name")
			}
		}
		if sent.Unsupported != "" {
			fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
		}
		if sent.Historical {
			b.WriteString("historical\n")
		}
		out = p.Answer(r, sent)
	}
	fmt.Fprintf(&b, "reply %d %s\n", out.Status, out.ContentType)
	for name, values := range out.Header {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(values, ", "))
	}
	if len(out.Body) > 0 {
		fmt.Fprintf(&b, "%s\n", out.Body)
	}
	return b.String()
}

// checkGolden checks testdata/<vendor>/*.txtar, each of which has requests ("POST
// /path", headers, an empty line, the body) and after each, as want, what becomes of it.
func checkGolden(t *testing.T, p wire.Protocol) {
	files, err := filepath.Glob("testdata/" + p.Vendor() + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var files []txtar.File
			for i, f := range a.Files {
				if f.Name == "want" {
					continue
				}
				head, body, _ := strings.Cut(string(f.Data), "\n\n")
				lines := strings.Split(head, "\n")
				method, target, _ := strings.Cut(lines[0], " ")
				header := http.Header{"User-Agent": {chromium}}
				for _, line := range lines[1:] {
					if name, value, ok := strings.Cut(line, ": "); ok {
						header.Set(name, value)
					}
				}
				got := outcome(p, asked(t, p, method, strings.TrimSpace(target), header, []byte(body)))
				files = append(files, f, txtar.File{Name: "want", Data: []byte(got)})
				if *update {
					continue
				}
				if i+1 == len(a.Files) || a.Files[i+1].Name != "want" {
					t.Fatalf("%s has no want", f.Name)
				}
				if diff := cmp.Diff(string(a.Files[i+1].Data), got); diff != "" {
					t.Errorf("%s: %s", f.Name, diff)
				}
			}
			if a.Files = files; *update {
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// checkRecordings checks what the vendor's own SDK sent, testdata/recorded/<sdk>,
// against testdata/<vendor>/<sdk>.golden.
func checkRecordings(t *testing.T, p wire.Protocol, sdk string) {
	var b strings.Builder
	for name, r := range recordings(t, p, sdk) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, outcome(p, r))
	}
	file := filepath.Join("testdata", p.Vendor(), sdk+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

// recordings yields the requests that an SDK sent, in their order.
func recordings(t testing.TB, p wire.Protocol, sdk string) func(func(string, *wire.Request) bool) {
	t.Helper()
	files, err := filepath.Glob("testdata/recorded/" + sdk + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is recorded of %s: %v", sdk, err)
	}
	return func(yield func(string, *wire.Request) bool) {
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
			if !yield(filepath.Base(file), asked(t, p, sent.Method, sent.Path, header, body)) {
				return
			}
		}
	}
}

// checkOutcome is what holds for any request of a protocol: its events are within the
// limits, its properties JSON without duplicate keys, its reply is one.
func checkOutcome(t *testing.T, p wire.Protocol, r *wire.Request) {
	l := r.Limits
	sent, err := p.Decode(r)
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
