package wire_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

// exchange sends a request to a protocol as the server does, and writes down what it
// becomes: the events in full, and the answer. Delivery is played: an event of a visitor
// gets a device.
func exchange(p wire.Protocol, r *wire.Request) string {
	var b strings.Builder
	sent, err := p.Decode(r)
	if err != nil {
		status := map[string]int{weir.EINVALID: 400, weir.EUNAUTHORIZED: 401, weir.ETOOLARGE: 413, weir.EUNSUPPORTED: 415}[weir.ErrorCode(err)]
		fmt.Fprintf(&b, "error %s\n", weir.ErrorCode(err))
		answer(&b, p.Refuse(r, status, weir.Errorf(weir.ErrorCode(err), "%s", weir.ErrorMessage(err))))
		return b.String()
	}
	if sent.Unsupported != "" {
		fmt.Fprintf(&b, "unsupported %s\n", sent.Unsupported)
	}
	for i := range sent.Parts {
		part := &sent.Parts[i]
		fmt.Fprintf(&b, "project %s\n", part.Project)
		for j := range part.Events {
			text, err := json.MarshalIndent(readable(&part.Events[j]), "", "  ")
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(&b, "%s\n", text)
			if e := &part.Events[j].Event; e.DeviceID == "" && !part.Events[j].Source.Reported {
				e.DeviceID = "derived"
			}
		}
		for _, j := range part.Rejected {
			fmt.Fprintf(&b, "rejected %d %s %s\n", j.Index, j.Reason, j.Detail)
		}
		if part.Asks != nil {
			part.Device = "derived"
		}
	}
	answer(&b, p.Answer(r, sent))
	return b.String()
}

func answer(b *strings.Builder, out wire.Response) {
	fmt.Fprintf(b, "answer %d %s\n", out.Status, out.ContentType)
	if len(out.Body) > 0 {
		fmt.Fprintf(b, "%.200q\n", out.Body)
	}
}

// readable is an event as JSON, without what is zero.
func readable(in *weir.Incoming) map[string]any {
	out := map[string]any{}
	for name, v := range map[string]any{"Event": in.Event, "Source": in.Source, "Index": in.Index} {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		var value any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			panic(err)
		}
		fields, ok := value.(map[string]any)
		if !ok {
			out[name] = value
			continue
		}
		for k, v := range fields {
			if v == nil || v == "" || v == false || v == json.Number("0") || v == "0001-01-01T00:00:00Z" {
				delete(fields, k)
			}
		}
		out[name] = fields
	}
	return out
}

// request makes one of a text such as "POST /track", lines of headers, an empty line
// and a body.
func request(t testing.TB, p wire.Protocol, text []byte) *wire.Request {
	t.Helper()
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	line, rest, _ := strings.Cut(string(head), "\n")
	raw := line + " HTTP/1.1\r\nHost: weir.example\r\n" + strings.ReplaceAll(rest, "\n", "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(strings.Replace(raw, "\r\n\r\n\r\n", "\r\n\r\n", 1)))))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return wireRequest(t, p, r.Method, r.URL, r.Header, bytes.TrimSuffix(body, []byte("\n")))
}

func wireRequest(t testing.TB, p wire.Protocol, method string, u *url.URL, h http.Header, body []byte) *wire.Request {
	t.Helper()
	r := &wire.Request{
		Path: u.Path, Query: u.Query(), Header: h, Body: body, IP: "203.0.113.7",
		UserAgent: h.Get("User-Agent"), Now: now, Limits: wire.DefaultLimits(),
	}
	for _, route := range routesOf(p) {
		if route.Method == method && route.Path == strings.TrimSuffix(u.Path, "/") {
			r.Route = route
			return r
		}
	}
	t.Fatalf("%s %s is no route of %s", method, u.Path, p.Vendor())
	return nil
}

// routesOf are a protocol's routes, with the one that Track has for it.
func routesOf(p wire.Protocol) []wire.Route {
	return append(p.Routes(), wire.Route{Method: http.MethodPost, Path: "/track"})
}

// goldens compares what each request of testdata/<vendor>/*.txtar becomes, the file
// NAME, with the file NAME.want that follows it.
func goldens(t *testing.T, p wire.Protocol) {
	files, err := filepath.Glob("testdata/" + p.Vendor() + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := &txtar.Archive{Comment: a.Comment}
		for i, f := range a.Files {
			if strings.HasSuffix(f.Name, ".want") {
				continue
			}
			got := exchange(p, request(t, p, f.Data))
			want.Files = append(want.Files, f, txtar.File{Name: f.Name + ".want", Data: []byte(got)})
			if *update {
				continue
			}
			if i+1 == len(a.Files) || a.Files[i+1].Name != f.Name+".want" {
				t.Fatalf("%s: %s has no %s.want after it", file, f.Name, f.Name)
			}
			if diff := cmp.Diff(string(a.Files[i+1].Data), got); diff != "" {
				t.Errorf("%s: %s\n%s", file, f.Name, diff)
			}
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// recorded compares what an SDK sent, as testdata/recorded has it, becomes with
// testdata/<vendor>/recorded/<sdk>.want.
func recorded(t *testing.T, p wire.Protocol, sdk string) {
	files, err := filepath.Glob("testdata/recorded/" + sdk + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings of %s: %v", sdk, err)
	}
	var b strings.Builder
	for _, file := range files {
		r := recordedRequest(t, p, file)
		if r == nil {
			continue
		}
		fmt.Fprintf(&b, "-- %s\n%s", filepath.Base(file), exchange(p, r))
	}
	path := "testdata/" + p.Vendor() + "/recorded/" + sdk + ".want"
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

// recordedRequest is a recorded request, nil for a preflight.
func recordedRequest(t testing.TB, p wire.Protocol, file string) *wire.Request {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rec struct {
		Method, Path string
		Headers      map[string]string
		Body         string `json:"body_base64"`
	}
	if err := json.Unmarshal(text, &rec); err != nil {
		t.Fatal(err)
	}
	if rec.Method == http.MethodOptions {
		return nil
	}
	h := http.Header{}
	for k, v := range rec.Headers {
		h.Set(k, v)
	}
	body, err := base64.StdEncoding.DecodeString(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(rec.Path)
	if err != nil {
		t.Fatal(err)
	}
	return wireRequest(t, p, rec.Method, u, h, body)
}
