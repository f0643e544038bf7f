package e2e_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// trouble is what a gateway does to a request with events.
type trouble int

const (
	tooLarge  trouble = iota // 413, and the server does not see it
	slowDown                 // 429 with Retry-After: 1, the same
	overload                 // 503, the same
	unheard                  // the server takes it, and its answer is lost
	serverOff                // the connection is cut, and connections are refused for a while
	passes                   // nothing
)

func (f trouble) String() string {
	return [...]string{"413", "429", "503", "lost answer", "server down", "none"}[f]
}

// gateway passes requests on to a server, and gives those with events the troubles of
// its plan, one each, in the order in which they come. Requests that ask, such as
// those for flags, and preflights pass. It is safe for concurrent use.
type gateway struct {
	t       *testing.T
	url     string
	addr    string
	target  *url.URL
	client  *http.Client
	serving sync.WaitGroup

	mu      sync.Mutex
	plan    []trouble
	met     []trouble
	refused map[trouble][][]byte // bodies, by what they were given
	taken   [][]byte             // queries and bodies that it answered with a 2xx
	server  *http.Server
	closed  bool
}

// startGateway starts one that the test's end closes.
func startGateway(t *testing.T, target string, plan ...trouble) *gateway {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, target: to, plan: plan, refused: map[trouble][][]byte{}, client: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = l.Addr().String()
	g.url = "http://" + g.addr
	g.serve(l)
	t.Cleanup(func() {
		g.mu.Lock()
		g.closed = true
		server := g.server
		g.mu.Unlock()
		server.Close()
		g.serving.Wait()
		g.client.CloseIdleConnections()
	})
	return g
}

func (g *gateway) serve(l net.Listener) {
	server := &http.Server{Handler: http.HandlerFunc(g.handle), ReadHeaderTimeout: time.Minute}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		l.Close()
		return
	}
	g.server = server
	g.serving.Go(func() { _ = server.Serve(l) })
}

// next is the trouble for a request, if there is one.
func (g *gateway) next(r *http.Request, body []byte) (trouble, bool) {
	body = payload(r, body)
	if body == nil || strings.HasPrefix(r.URL.Path, "/flags") {
		return 0, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.plan) == 0 {
		return 0, false
	}
	f := g.plan[0]
	g.plan = g.plan[1:]
	g.met = append(g.met, f)
	g.refused[f] = append(g.refused[f], body)
	return f, f != passes
}

func (g *gateway) handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	f, ok := g.next(r, body)
	if !ok {
		g.pass(w, r, body)
		return
	}
	switch f {
	case tooLarge, slowDown, overload:
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Retry-After")
		status := map[trouble]int{tooLarge: http.StatusRequestEntityTooLarge, slowDown: http.StatusTooManyRequests, overload: http.StatusServiceUnavailable}[f]
		if f == slowDown {
			h.Set("Retry-After", "1")
		}
		http.Error(w, "refused: "+f.String(), status) // no JSON: a number alone is some
	case unheard:
		g.pass(httptest.NewRecorder(), r, body)
		panic(http.ErrAbortHandler)
	case serverOff:
		g.rest()
		panic(http.ErrAbortHandler)
	}
}

// pass asks the server.
func (g *gateway) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	to := *r.URL
	to.Scheme, to.Host = g.target.Scheme, g.target.Host
	req, err := http.NewRequest(r.Method, to.String(), bytes.NewReader(body)) // not of r's context: it goes on though the sender is gone
	if err != nil {
		panic(err)
	}
	req.Host = r.Host // answers name the address that the SDK asked
	req.Header = r.Header.Clone()
	req.Header.Del("Connection")
	resp, err := g.client.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	if text := payload(r, body); text != nil && resp.StatusCode/100 == 2 {
		g.mu.Lock()
		g.taken = append(g.taken, append([]byte(r.URL.RawQuery+"\n"), text...))
		g.mu.Unlock()
	}
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// payload is what a request says of events: the body, or the field "data" of a form or of the
// query, which is base64. It is nil for a request that only asks.
func payload(r *http.Request, body []byte) []byte {
	data := r.URL.Query().Get("data")
	if form, ok := bytes.CutPrefix(body, []byte("data=")); ok {
		data, _ = url.QueryUnescape(string(form))
	}
	if text, err := base64.StdEncoding.DecodeString(data); data != "" && err == nil {
		return text
	}
	if r.Method != http.MethodPost {
		return nil
	}
	return unzipped(body)
}

// rest refuses connections for a while, as a server that is started again.
func (g *gateway) rest() {
	g.mu.Lock()
	server := g.server
	g.mu.Unlock()
	g.serving.Go(func() {
		server.Close()
		time.Sleep(300 * time.Millisecond) // the trouble itself: nothing waits for it
		for {
			l, err := net.Listen("tcp", g.addr)
			if err == nil {
				g.serve(l)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// happened fails the test unless all of the plan has.
func (g *gateway) happened() {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.plan) > 0 {
		g.t.Errorf("of the troubles %v did not happen; %v did", g.plan, g.met)
	}
}

// holds says whether a body has the event. It looks only at the fields in which PostHog, Segment
// and Amplitude put an event's id. Other fields may have that id too, as the id of the page before.
func holds(body []byte, id string) bool {
	return bytes.Contains(body, []byte(`"uuid":"`+id+`"`)) || bytes.Contains(body, []byte(`"messageId":"`+id+`"`)) ||
		bytes.Contains(body, []byte(`"insert_id":"`+id+`"`))
}

// gave says whether a request with the event was given one of the troubles.
func (g *gateway) gave(troubles []trouble, id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(troubles, func(f trouble) bool {
		return slices.ContainsFunc(g.refused[f], func(body []byte) bool { return holds(body, id) })
	})
}

// took is how many bodies without the text the server has taken.
func (g *gateway) took(without string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, body := range g.taken {
		if without == "" || !bytes.Contains(body, []byte(without)) {
			n++
		}
	}
	return n
}

// tookOnce is how many different queries and bodies the server has taken.
func (g *gateway) tookOnce() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	different := map[string]bool{}
	for _, body := range g.taken {
		different[string(body)] = true
	}
	return len(different)
}

// tookEvent says whether the server has taken the event: it may be refused when it is
// sent again because the first answer was lost.
func (g *gateway) tookEvent(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.taken, func(body []byte) bool { return holds(body, id) })
}
