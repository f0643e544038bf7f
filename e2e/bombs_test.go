package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// bomb is a body that is small as sent and large when it is decoded.
type bomb struct {
	name   string
	coding string // the Content-Encoding
	query  string
	body   []byte
}

// bombSize is what a bomb's last layer decodes to, in bytes.
const bombSize = 100 << 20

// keylessBombs decode to spaces, in which no key is to be found.
var keylessBombs = sync.OnceValue(func() []bomb {
	blank := func(w io.Writer) {
		spaces := bytes.Repeat([]byte(" "), 1<<20)
		for range bombSize >> 20 {
			_, _ = w.Write(spaces)
		}
	}
	once := gzipped(blank)
	twice := gzipped(func(w io.Writer) { _, _ = w.Write(once) })
	form := "data=" + base64.StdEncoding.EncodeToString(once)
	return []bomb{
		{"gzip", "gzip", "", once},
		{"gzip that is not declared", "", "", once},
		{"gzip twice", "gzip, gzip", "", twice},
		{"gzip twice, declared once", "gzip", "", twice},
		{"deflate", "deflate", "", coded(blank, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })},
		{"raw deflate", "deflate", "", coded(blank, func(w io.Writer) io.WriteCloser {
			f, _ := flate.NewWriter(w, flate.BestCompression)
			return f
		})},
		{"brotli", "br", "", coded(blank, func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 5) })},
		{"zstd", "zstd", "", coded(blank, func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w)
			return z
		})},
		{"base64 of gzip", "base64", "", []byte(base64.StdEncoding.EncodeToString(once))},
		{"a form with base64 of gzip", "", "", []byte(form)},
		{"gzip of base64 of gzip", "gzip", "", gzipped(func(w io.Writer) { _, _ = io.WriteString(w, form) })},
		{"lz64", "lz64", "", lzRun(' ', 19<<20)}, // lz-string's decoder has the limit of a body
		{"lz64 in gzip", "gzip", "?compression=lz64", gzipped(func(w io.Writer) { _, _ = w.Write(lzRun(' ', 19<<20)) })},
	}
})

func gzipped(write func(io.Writer)) []byte {
	return coded(write, func(w io.Writer) io.WriteCloser {
		g, _ := gzip.NewWriterLevel(w, gzip.BestCompression)
		return g
	})
}

func coded(write func(io.Writer), to func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := to(&b)
	write(w)
	_ = w.Close()
	return b.Bytes()
}

// lzRun is n times the character, below 128, as compressToBase64 of npm's lz-string
// writes it: each code names an entry that is one longer than the one before.
func lzRun(c byte, n int) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out []byte
	value, have := 0, 0
	bits := func(v, width int) {
		for ; width > 0; width-- {
			value, v, have = value<<1|v&1, v>>1, have+1
			if have == 6 {
				out = append(out, alphabet[value])
				value, have = 0, 0
			}
		}
	}
	bits(0, 2) // a character of 8 bits follows
	bits(int(c), 8)
	width, room, code := 3, 4, 4 // entry 3 is the character, entry 4 is two of it
	for length := 2; n > length; length++ {
		n -= length
		bits(code, width)
		code++
		if room--; room == 0 {
			room = 1 << width
			width++
		}
	}
	bits(2, width) // the end
	bits(0, 5)
	return out
}

// bodyRoutes are all routes that take a body: what the OpenAPI document lists, and
// what vendors' SDKs call.
func (s *server) bodyRoutes() (routes []shot) {
	s.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody *json.RawMessage `json:"requestBody"`
		}
	}
	s.call("GET", "/openapi.json", nil, &doc, http.StatusOK)
	fill := regexp.MustCompile(`\{[^}]*\}`)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.RequestBody != nil {
				routes = append(routes, shot{method: strings.ToUpper(method), path: fill.ReplaceAllString(path, "x")})
			}
		}
	}
	if len(routes) < 10 {
		s.t.Fatalf("the OpenAPI document lists %d routes with a body", len(routes))
	}
	for _, p := range protocols.All(nil) {
		for _, r := range p.Routes() {
			if r.Method == http.MethodPost || r.Method == http.MethodPut {
				routes = append(routes, shot{method: r.Method, path: fill.ReplaceAllString(r.Path, "x")})
			}
		}
	}
	slices.SortFunc(routes, func(a, b shot) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return routes
}

// Who has no key gets nothing decoded that would fill the memory, on any route.
func TestBombsWithoutAKeyTakeNoMemory(t *testing.T) {
	s, _ := startAttacked(t)
	p := s.project("UTC")
	bombs, times := keylessBombs(), attackScale(t)
	routes := s.bodyRoutes()
	before := s.rss() >> 20
	throw := func(route shot, b bomb) shot {
		route.path, route.body = route.path+b.query, b.body
		route.header = map[string]string{"Content-Encoding": b.coding, "Content-Type": "application/json", "User-Agent": "Mozilla/5.0"}
		return route
	}
	var volleys [][]shot // each is sent at once
	if times > 1 {       // the long form: all bombs to each route
		for _, route := range routes {
			var shots []shot
			for _, b := range bombs {
				shots = append(shots, slices.Repeat([]shot{throw(route, b)}, times)...)
			}
			volleys = append(volleys, shots)
		}
	} else { // the short form: 3 bombs to each route, and in a volley each bomb to another route
		for round := range 3 {
			for some := range slices.Chunk(routes, len(bombs)) {
				var shots []shot
				for i, b := range bombs {
					shots = append(shots, throw(some[(i+round)%len(some)], b))
				}
				volleys = append(volleys, shots)
			}
		}
	}
	for _, shots := range volleys {
		s.volley(len(shots), shots, func(r shot, status int, answer []byte) {
			if status == 0 || status == http.StatusInternalServerError {
				t.Errorf("%s %s, %s: %d: %.200s", r.method, r.path, r.header["Content-Encoding"], status, answer)
			}
		})
		s.staysUnder(attackBudget, fmt.Sprintf("%d bombs without a key, from %s %s", len(shots), shots[0].method, shots[0].path))
	}
	s.isWell(p)
	t.Logf("%d routes, %d bombs at once: %d MiB before, at most %d", len(routes), times*len(bombs), before, s.peak()>>20)
}

// tinyEvents is a gzip of n events with much text that compresses well: about 92 KB
// that decode to just under 100 MiB for 50,000 of them.
func tinyEvents(prefix string, n int) []byte {
	text := strings.Repeat("x", 1950)
	now := time.Now().UTC().Format(time.RFC3339)
	return gzipped(func(w io.Writer) {
		for i := range n {
			fmt.Fprintf(w, `{"id":"%s%d","name":"a","device_id":"d%d","ts":"%s","properties":{"p":"%s"}}`+"\n", prefix, i, i%100, now, text)
		}
	})
}

// A sender with a key may send large batches, all at once, and the server stands. What
// it acknowledges is stored, over a crash too.
func TestBombsWithAKeyTakeNoMoreThanTheBudget(t *testing.T) {
	s, _ := startAttacked(t)
	p := s.project("UTC")
	acked, statuses := 0, map[int]int{}
	send := func(prefix string, events int) (again []shot) {
		shots := make([]shot, 8*attackScale(t))
		for i := range shots {
			shots[i] = shot{
				method: "POST", path: "/v1/events", body: tinyEvents(fmt.Sprint(prefix, i, "-"), events),
				header: map[string]string{"Authorization": "Bearer " + p.Key, "Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"},
			}
		}
		for tries := 0; len(shots) > 0 && tries < 30; tries++ {
			again = nil
			s.volley(8, shots, func(r shot, status int, answer []byte) {
				statuses[status]++
				var got reply
				switch {
				case status == http.StatusOK && json.Unmarshal(answer, &got) == nil:
					acked += got.Accepted
				case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
					again = append(again, r)
				case status == http.StatusRequestEntityTooLarge:
				default:
					t.Errorf("%d: %.200s", status, answer)
				}
			})
			shots = again
			if events == 50_000 {
				break // it would be refused again, or it is too large here
			}
		}
		return again
	}
	send("b", 50_000) // 92 KB each, which decode to just under 100 MiB
	if left := send("c", 2500); len(left) > 0 {
		t.Errorf("%d batches of 5 MiB are refused again and again", len(left))
	}
	s.staysUnder(attackBudget, "bombs with a key")
	t.Logf("answers %v, %d events acknowledged, at most %d MiB", statuses, acked, s.peak()>>20)
	if acked < 8*2500 {
		t.Errorf("%d events were taken", acked)
	}
	s.kill()
	s = start(t, binary(t, ""), s.args...)
	s.holdsAll(p, acked)
	s.staysUnder(attackBudget, "after the restart")
	s.isWell(p)
}
