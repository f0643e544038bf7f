package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

// posthogProtocol has no random numbers.
var posthogProtocol = wire.PostHog{Random: zeros{}}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// call is a request as it comes to the server.
type call struct {
	method, path string // the path with its query
	headers      []string
	body         string
}

// posthogSent makes of a call what the server does, up to the delivery, and what is
// answered when all was delivered.
func posthogSent(t testing.TB, p wire.Protocol, c call) (*wire.Sent, wire.Response, error) {
	t.Helper()
	u, err := url.Parse(c.path)
	if err != nil {
		t.Fatal(err)
	}
	r := &wire.Request{
		Path: u.Path, Query: u.Query(), Header: http.Header{}, Now: now, Limits: wire.DefaultLimits(),
		IP: "203.0.113.9", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	}
	for i := 0; i+1 < len(c.headers); i += 2 {
		r.Header.Set(c.headers[i], c.headers[i+1])
	}
	if ua := r.Header.Get("User-Agent"); ua != "" {
		r.UserAgent = ua
	}
	r.Route = routeOf(t, p, c.method, u.Path)
	if !r.Route.NoBody {
		b, err := wire.ReadBody(strings.NewReader(c.body), wire.WithoutCodings(r.Header.Get("Content-Encoding"), r.Route.Codings), r.Limits)
		if err != nil {
			return nil, refused(p, r, err), err
		}
		defer b.Release()
		r.Body = b.Bytes()
	}
	sent, err := p.Decode(r)
	if err != nil {
		return nil, refused(p, r, err), err
	}
	r.Body = nil
	return sent, p.Answer(r, sent), nil
}

func refused(p wire.Protocol, r *wire.Request, err error) wire.Response {
	status := map[string]int{weir.EINVALID: 400, weir.EUNAUTHORIZED: 401, weir.ETOOLARGE: 413, weir.EUNSUPPORTED: 415}[weir.ErrorCode(err)]
	r.Body = nil
	var domain *weir.Error
	if e, ok := err.(*weir.Error); ok { //nolint:errorlint // the outermost is what a client sees
		domain = e
	}
	return p.Refuse(r, status, domain)
}

// routeOf finds the route of a path, as a mux does.
func routeOf(t testing.TB, p wire.Protocol, method, path string) wire.Route {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for _, route := range p.Routes() {
		pattern := strings.Split(route.Path, "/")
		same := route.Method == method && len(pattern) == len(parts)
		for i := 0; same && i < len(parts); i++ {
			same = pattern[i] == parts[i] || strings.HasPrefix(pattern[i], "{")
		}
		if same {
			return route
		}
	}
	t.Fatalf("no route for %s %s", method, path)
	return wire.Route{}
}

// posthogShown writes all that became of a call.
func posthogShown(t testing.TB, p wire.Protocol, c call) string {
	t.Helper()
	sent, answer, err := posthogSent(t, p, c)
	var b strings.Builder
	if sent != nil {
		for _, part := range sent.Parts {
			fmt.Fprintf(&b, "project %s\n", part.Project)
			for i := range part.Events {
				shown, err := json.MarshalIndent(nonZero(reflect.ValueOf(part.Events[i])), "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%s\n", shown)
			}
			for _, j := range part.Rejected {
				fmt.Fprintf(&b, "rejected %d %s %s\n", j.Index, j.Reason, j.Detail)
			}
		}
		if sent.Unsupported != "" {
			fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
		}
		if sent.Historical {
			b.WriteString("historical\n")
		}
	}
	if err != nil {
		fmt.Fprintf(&b, "error %s\n", weir.ErrorCode(err))
	}
	fmt.Fprintf(&b, "answer %d %s\n", answer.Status, answer.ContentType)
	for name, values := range answer.Header {
		fmt.Fprintf(&b, "%s: %s\n", name, values)
	}
	if len(answer.Body) > 0 {
		fmt.Fprintf(&b, "%s\n", answer.Body)
	}
	return b.String()
}

// nonZero is a struct as JSON shows it, without what is zero.
func nonZero(v reflect.Value) any {
	if v.Kind() != reflect.Struct || v.Type().String() == "time.Time" {
		return v.Interface()
	}
	out := map[string]any{}
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			out[v.Type().Field(i).Name] = nonZero(v.Field(i))
		}
	}
	return out
}

// Each file of testdata/posthog is requests and what is made of them: "NAME" holds a
// method and a path, headers, an empty line and a body; "NAME.want" follows.
func TestPostHogGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/posthog/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			got := &txtar.Archive{Comment: a.Comment}
			for _, f := range a.Files {
				if name, ok := strings.CutSuffix(f.Name, ".want"); ok {
					want[name] = string(f.Data)
					continue
				}
				shown := posthogShown(t, posthogProtocol, parseCall(t, f.Data))
				got.Files = append(got.Files, f, txtar.File{Name: f.Name + ".want", Data: []byte(shown)})
			}
			for _, f := range got.Files {
				if name, ok := strings.CutSuffix(f.Name, ".want"); ok && !*update {
					if diff := cmp.Diff(want[name], string(f.Data)); diff != "" {
						t.Errorf("%s: %s", name, diff)
					}
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

func parseCall(t testing.TB, text []byte) call {
	t.Helper()
	head, body, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	method, path, found := strings.Cut(lines[0], " ")
	if !ok || !found {
		t.Fatalf("no request: %.100q", text)
	}
	c := call{method: method, path: path, body: strings.TrimSuffix(string(body), "\n")}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		c.headers = append(c.headers, name, value)
	}
	return c
}

// Each folder of testdata/recorded/posthog-* holds the requests of an SDK in their
// order; testdata/posthog has what is made of them under its name.
func TestPostHogRecorded(t *testing.T) {
	folders, err := filepath.Glob("testdata/recorded/posthog-*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("nothing recorded: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			files, _ := filepath.Glob(folder + "/*.json")
			var got strings.Builder
			for _, file := range files {
				c := recordedCall(t, file)
				fmt.Fprintf(&got, "%s %s\n%s\n", c.method, c.path, posthogShown(t, posthogProtocol, c))
			}
			golden := filepath.Join("testdata/posthog", filepath.Base(folder)+".want")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func recordedCall(t testing.TB, file string) call {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body_base64"`
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	body, err := base64.StdEncoding.DecodeString(recorded.Body)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	c := call{method: recorded.Method, path: recorded.Path, body: string(body)}
	for name, value := range recorded.Headers {
		c.headers = append(c.headers, name, value)
	}
	return c
}
