package wire_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

// dialogue is a request to a protocol, what it decodes to and the reply, as text.
func dialogue(t testing.TB, p wire.Protocol, method, target string, h http.Header, body []byte, at time.Time) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &wire.Request{
		Path: u.Path, Host: "weir.example", Query: u.Query(), Header: h, Body: body, IP: "198.51.100.9", UserAgent: h.Get("User-Agent"),
		Now: at, Limits: wire.DefaultLimits(),
	}
	mux := http.NewServeMux()
	for _, route := range p.Routes() {
		mux.HandleFunc(route.Pattern(), func(http.ResponseWriter, *http.Request) { r.Route = route })
	}
	mux.ServeHTTP(nil, &http.Request{Method: method, URL: u})
	var b strings.Builder
	sent, err := p.Decode(r)
	if err != nil {
		domain, ok := errors.AsType[*weir.Error](err)
		if !ok {
			t.Fatalf("error %v has no code", err)
		}
		status := map[string]int{weir.EINVALID: 400, weir.EUNAUTHORIZED: 401, weir.ETOOLARGE: 413}[domain.Code]
		fmt.Fprintf(&b, "error %s: %s\n", domain.Code, domain.Message)
		reply(&b, p.Refuse(r, status, domain))
		return b.String()
	}
	if sent.Unsupported != "" {
		fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
	}
	if sent.Historical {
		b.WriteString("historical\n")
	}
	for _, part := range sent.Parts {
		fmt.Fprintf(&b, "project %s\n%s", part.Project, render(part.Events, part.Rejected, nil))
	}
	reply(&b, p.Answer(r, sent))
	return b.String()
}

func reply(b *strings.Builder, r wire.Response) {
	fmt.Fprintf(b, "reply %d %s\n", r.Status, r.ContentType)
	for name, values := range r.Header {
		fmt.Fprintf(b, "  %s: %s\n", name, strings.Join(values, ", "))
	}
	if len(r.Body) > 0 {
		fmt.Fprintf(b, "%s\n", r.Body)
	}
}

// holdDialogues checks the files of a folder, each a request as HTTP has it and what
// comes of it.
func holdDialogues(t *testing.T, p wire.Protocol, folder string) {
	files, err := filepath.Glob(folder + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) == 1 && *update {
				a.Files = append(a.Files, txtar.File{Name: "want"})
			}
			if len(a.Files) != 2 || a.Files[0].Name != "request" || a.Files[1].Name != "want" {
				t.Fatal("want the files request and want")
			}
			method, target, h, body := requestIn(t, a.Files[0].Data)
			got := dialogue(t, p, method, target, h, body, now)
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// requestIn reads a golden file's request: its line without a version, headers, an
// empty line, the body.
func requestIn(t testing.TB, text []byte) (method, target string, h http.Header, body []byte) {
	t.Helper()
	line, rest, ok := bytes.Cut(text, []byte("\n"))
	method, target, found := strings.Cut(string(line), " ")
	if !ok || !found {
		t.Fatalf("request line %q", line)
	}
	head, body, _ := bytes.Cut(append([]byte("\n"), rest...), []byte("\n\n"))
	h = http.Header{}
	for lines := bufio.NewScanner(bytes.NewReader(head)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			h.Set(name, value)
		}
	}
	return method, target, h, bytes.TrimSuffix(body, []byte("\n"))
}

// recording is a request as an SDK sent it.
type recording struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body_base64"`
}

// holdRecordings checks what comes of an SDK's recorded requests but preflights
// against a file in another folder.
func holdRecordings(t *testing.T, p wire.Protocol, sdk, want string, at time.Time) {
	files, err := filepath.Glob("testdata/recorded/" + sdk + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var got strings.Builder
	for _, file := range files {
		method, target, h, body := recordedIn(t, file)
		if method == http.MethodOptions {
			continue
		}
		fmt.Fprintf(&got, "# %s: %s %s\n%s\n", filepath.Base(file), method, target, dialogue(t, p, method, target, h, body, at))
	}
	if *update {
		if err := os.WriteFile(want, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wanted, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(wanted), got.String()); diff != "" {
		t.Error(diff)
	}
}

func recordedIn(t testing.TB, file string) (method, target string, h http.Header, body []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err = json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
		t.Fatal(err)
	}
	h = http.Header{}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	return r.Method, r.Path, h, body
}
