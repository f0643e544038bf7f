package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/stats"
)

// watchLive opens shop's live stream and returns its lines. It returns when the
// server has begun to answer.
func (f *fixture) watchLive(ctx context.Context) (*http.Response, *bufio.Scanner) {
	f.t.Helper()
	return f.watchWith(ctx, f.admin)
}

// watchWith opens a live stream of shop with a token.
func (f *fixture) watchWith(ctx context.Context, token string) (*http.Response, *bufio.Scanner) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", f.server.URL+f.path("/live"), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = res.Body.Close() })
	return res, bufio.NewScanner(res.Body)
}

// nextEvent reads up to the end of an event and returns its lines, comments
// left out.
func nextEvent(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	var event []string
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "" && len(event) > 0:
			return strings.Join(event, "\n")
		case line == "" || line[0] == ':':
		default:
			event = append(event, line)
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return ""
}

func TestLiveEventsAreStreamedAsTheyHappen(t *testing.T) {
	f := start(t)
	other, _ := f.newProject("Other", "UTC")
	res, lines := f.watchLive(t.Context())
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("answer = %d %v", res.StatusCode, res.Header)
	}
	if got := nextEvent(t, lines); got != "retry: 3000" {
		t.Fatalf("the stream begins with %q", got)
	}
	f.hub.Publish(other.ID, live.Event{Type: "received", Data: "not for shop"})
	f.hub.Publish(f.shop.ID, live.Event{Type: "received", Data: map[string]string{"name": "a\nb"}})
	f.hub.Publish(f.shop.ID, live.Event{Type: "presence", Data: func() {}}) // cannot be written, and stops nothing
	f.hub.Publish(f.shop.ID, live.Event{Type: "saved", Data: 3})
	if got := nextEvent(t, lines); got != "event: received\ndata: {\"name\":\"a\\nb\"}" {
		t.Errorf("first event = %q", got)
	}
	if got := nextEvent(t, lines); got != "event: saved\ndata: 3" {
		t.Errorf("second event = %q", got)
	}
}

func TestAQuietStreamBeats(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.Heartbeat = time.Millisecond })
	_, lines := f.watchLive(t.Context())
	nextEvent(t, lines)
	for beats := 0; beats < 3; {
		if !lines.Scan() {
			t.Fatalf("the stream ended: %v", lines.Err())
		}
		if lines.Text() == ":" {
			beats++
		}
	}
}

// impatient serves the same with short timeouts.
func (f *fixture) impatient() {
	f.t.Helper()
	s := httptest.NewUnstartedServer(f.server.Config.Handler)
	s.Config.ReadTimeout, s.Config.WriteTimeout = 50*time.Millisecond, 500*time.Millisecond
	s.Start()
	f.t.Cleanup(s.Close)
	f.server = s
}

func TestAStreamOutlastsTheServersTimeouts(t *testing.T) {
	f := start(t)
	f.impatient()
	_, lines := f.watchLive(t.Context())
	nextEvent(t, lines)
	time.AfterFunc(600*time.Millisecond, func() {
		f.hub.Publish(f.shop.ID, live.Event{Type: "saved", Data: 1})
	})
	if got := nextEvent(t, lines); got != "event: saved\ndata: 1" {
		t.Fatalf("event = %q", got)
	}
}

// slowStats takes its time, unless its context ends.
type slowStats struct{ statistics }

func (s slowStats) Overview(ctx context.Context, p *weir.Project) (*stats.Overview, error) {
	select {
	case <-time.After(150 * time.Millisecond):
		return s.statistics.Overview(ctx, p)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAQuestionMayTakeLongerThanItsRequestTookToRead(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.Stats = slowStats{statistics{&backend{}}} })
	f.impatient()
	wantStatus(t, f.as(f.admin, "GET", f.path("/stats/overview"), ""), 200)
}

func TestAStreamEndsSoThatRightsAreLookedAtAgain(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveFor = time.Millisecond })
	_, lines := f.watchLive(t.Context())
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("the stream was cut off: %v", err)
	}
}

func TestLiveStreamsAreBoundedInNumber(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveStreams = 1 })
	_, lines := f.watchLive(t.Context())
	nextEvent(t, lines)
	wantError(t, f.as(f.admin, "GET", f.path("/live"), ""), 503, weir.EUNAVAILABLE)
}

// streamOf opens a live stream of a project as a user, and returns when it began.
func (f *fixture) streamOf(c *http.Client, project string) *bufio.Scanner {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.server.URL+"/api/v1/projects/"+project+"/live", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != 200 {
		f.t.Fatalf("live: %s", res.Status)
	}
	lines := bufio.NewScanner(res.Body)
	nextEvent(f.t, lines)
	return lines
}

func TestOneViewerCannotTakeAllLiveStreams(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveOfUser, c.LiveOfProject = 2, 3 })
	other, _ := f.newProject("Other", "UTC")
	ada, bob, root := f.signedIn("ada@example.org", weir.RoleViewer, false), f.signedIn("bob@example.org", weir.RoleViewer, false), f.signedIn("root@example.org", weir.RoleNone, true)
	ada2 := browser(t) // a user is one, in however many browsers
	wantStatus(t, f.doWith(ada2, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"`+password+`"}`), 200)
	f.streamOf(ada, f.shop.ID)
	f.streamOf(ada2, f.shop.ID)
	for _, c := range []*http.Client{ada, ada2} {
		wantError(t, f.doWith(c, "GET", f.path("/live"), ""), 429, weir.ERATELIMITED)
	}
	f.streamOf(bob, f.shop.ID)
	wantError(t, f.doWith(root, "GET", f.path("/live"), ""), 503, weir.EUNAVAILABLE) // the project is full
	f.streamOf(root, other.ID)
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{`weir_live_refused_total{by="user"} 2`, `weir_live_refused_total{by="project"} 1`, `weir_live_streams 4`} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestAStreamThatEndedMakesRoom(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveOfUser, c.LiveFor = 1, time.Millisecond })
	for range 3 {
		_, lines := f.watchLive(t.Context())
		for lines.Scan() {
		}
	}
}

// ends waits for the end of a stream.
func ends(t *testing.T, lines *bufio.Scanner) {
	t.Helper()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("the stream was cut off: %v", err)
	}
}

func TestAStreamEndsWithWhatItWasOpenedBy(t *testing.T) {
	look := func(c *httpd.Config) { c.LiveLook = time.Millisecond }
	t.Run("signing out", func(t *testing.T) {
		f := start(t, look)
		c := f.signedIn("ada@example.org", weir.RoleViewer, false)
		lines := f.streamOf(c, f.shop.ID)
		f.hub.Publish(f.shop.ID, live.Event{Type: "saved", Data: 1})
		nextEvent(t, lines)
		wantStatus(t, f.doWith(c, "POST", "/api/v1/logout", ""), 204)
		ends(t, lines)
	})
	t.Run("the session's end", func(t *testing.T) {
		f := start(t, look)
		lines := f.streamOf(f.signedIn("ada@example.org", weir.RoleViewer, false), f.shop.ID)
		f.watch.add(meta.SessionIdle)
		ends(t, lines)
	})
	t.Run("a role that is taken away", func(t *testing.T) {
		f := start(t, look)
		lines := f.streamOf(f.signedIn("ada@example.org", weir.RoleViewer, false), f.shop.ID)
		u, err := f.meta.Authenticate(t.Context(), "ada@example.org", password)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.meta.SetRole(t.Context(), u.ID, f.shop.ID, weir.RoleNone); err != nil {
			t.Fatal(err)
		}
		ends(t, lines)
	})
	t.Run("another admin token", func(t *testing.T) {
		f := start(t, look)
		_, lines := f.watchLive(t.Context())
		nextEvent(t, lines)
		if _, _, err := f.meta.EnsureAdminToken(t.Context(), "another token of the operator"); err != nil {
			t.Fatal(err)
		}
		ends(t, lines)
	})
}

type brokenLive struct{}

func (brokenLive) Subscribe(context.Context, *weir.Project) (<-chan live.Event, error) {
	return nil, weir.Wrap(errors.New("inside"), weir.EUNAVAILABLE, "no live events")
}

func TestAStreamThatCannotBeginIsAnError(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.Live = brokenLive{} })
	wantError(t, f.as(f.admin, "GET", f.path("/live"), ""), 503, weir.EUNAVAILABLE)
}
