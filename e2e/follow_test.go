package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A log is written at speed and rotated while its follower is killed: at random
// moments, when the server has stored a batch of which the follower is not told, and
// while the server is away, which is killed too.

func TestEachLineIsStoredOnceWhileTheFollowerIsKilled(t *testing.T) {
	t.Parallel()
	for _, copying := range []bool{false, true} {
		name := "rename"
		if copying {
			name = "copytruncate"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollowing(t, binary(t, ""), copying)
			f.torture(longer(4, 8))
			if err := f.check(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The test must notice a follower that notes a batch as delivered before it is, and one
// that gives a line another id when it sends it again.
func TestFollowersWithAPlantedBugAreNoticed(t *testing.T) {
	t.Parallel()
	path := overlaid(t, "internal/importer/follow.go",
		"reply, err := f.send.post(ctx, b)", `if os.Getenv("WEIR_E2E_PLANT") == "hasty" { _ = f.tail.Commit() }; reply, err := f.send.post(ctx, b)`,
		"[]byte(l.Source)", `[]byte(l.Source+map[bool]string{true: time.Now().String()}[os.Getenv("WEIR_E2E_PLANT") == "ids"])`)
	for plant, want := range map[string]error{"hasty": errMissing, "ids": errTwice} {
		t.Run(plant, func(t *testing.T) {
			t.Parallel()
			noticed(t, want, func() error {
				f := newFollowing(t, path, false)
				f.env = append(os.Environ(), "WEIR_E2E_PLANT="+plant)
				f.settles = 5 * time.Second // they never come to as much as there is
				f.torture(3)
				return f.check()
			})
		})
	}
}

// overlaid is weir, built with places of a source file changed: each old text, which
// must stand there once, to the new one behind it.
func overlaid(t *testing.T, file string, changes ...string) (path string) {
	t.Helper()
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for c := range slices.Chunk(changes, 2) {
		if n := bytes.Count(source, []byte(c[0])); n != 1 {
			t.Fatalf("%q stands %d times in %s", c[0], n, file)
		}
		source = bytes.Replace(source, []byte(c[0]), []byte(c[1]), 1)
	}
	path = filepath.Join(dir, "weir")
	changed, config := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(changed, source, 0o600), os.WriteFile(config, overlay, 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", config, "-o", path, "../cmd/weir").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// following is a log, its follower, the way to the server, and the server.
type following struct {
	t        *testing.T
	rand     *rand.Rand
	path     string // of the follower's binary
	env      []string
	server   *node
	project  project
	gate     *gate
	log      *accessLog
	follower *exec.Cmd
	ended    chan struct{} // closed when the follower has
	err      error         // then: how
	said     lockedBuffer
	settles  time.Duration // without anything new, until no more is waited for
}

func newFollowing(t *testing.T, path string, copying bool) *following {
	t.Helper()
	f := &following{t: t, rand: newRand(t), path: path, settles: 15 * time.Second}
	f.server = startNode(t, binary(t, ""), "--data", t.TempDir())
	f.project = f.server.project(noon())
	f.gate = &gate{to: "http://" + f.server.addr, stored: make(chan struct{}), killed: make(chan struct{}, 1)}
	front := httptest.NewServer(f.gate)
	t.Cleanup(front.Close)
	f.gate.url = front.URL
	f.log = newAccessLog(t, f.rand, copying)
	t.Cleanup(func() {
		if f.follower != nil {
			f.end(syscall.SIGKILL)
		}
	})
	return f
}

// gate passes requests on. When it is to cut, it keeps the answer to the next one to
// itself until the follower is killed.
type gate struct {
	to, url        string
	cut            atomic.Bool
	stored, killed chan struct{}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := r.Clone(r.Context())
	req.URL, req.RequestURI = r.URL, ""
	req.URL.Scheme, req.URL.Host = "http", strings.TrimPrefix(g.to, "http://")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler) // as if nobody listened
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if resp.StatusCode == http.StatusOK && g.cut.CompareAndSwap(true, false) {
		g.stored <- struct{}{}
		<-g.killed
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.Header().Set("Retry-After", resp.Header.Get("Retry-After"))
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body)
}

func (f *following) start() {
	f.t.Helper()
	f.follower = exec.Command(f.path, "import", "--follow", "--url", f.gate.url, "--key", f.project.Key, "--format", "nginx",
		"--state", f.log.path+".state", f.log.path)
	f.follower.Stderr, f.follower.Env = &f.said, f.env
	if err := f.follower.Start(); err != nil {
		f.t.Fatal(err)
	}
	ended := make(chan struct{})
	f.ended = ended
	go func() {
		f.err = f.follower.Wait()
		close(ended)
	}()
}

// end sends the follower a signal, and waits.
func (f *following) end(signal syscall.Signal) {
	f.t.Helper()
	select {
	case <-f.ended:
		f.t.Errorf("the follower has ended by itself: %v\n%s", f.err, &f.said)
	default:
		_ = f.follower.Process.Signal(signal)
	}
	<-f.ended
	f.follower = nil
}

// wait waits for up to so many milliseconds.
func (f *following) wait(ms int) { time.Sleep(time.Duration(f.rand.IntN(ms)) * time.Millisecond) }

// torture kills the follower n times, at least 3, while the log is written, then lets it
// catch up.
func (f *following) torture(n int) {
	f.t.Helper()
	stop := f.log.start()
	for i := range n {
		f.start()
		if i == 0 { // what is rotated away before the first state is nobody's
			until(f.t, "the follower has a state", func() bool {
				_, err := os.Stat(f.log.path + ".state")
				return err == nil
			})
			f.log.rotates.Store(true)
		}
		f.wait(1200)
		switch {
		case i == n/2: // the server is away
			f.server.kill()
			f.wait(700)
			time.Sleep(700 * time.Millisecond) // longer than the follower waits between looks
			f.end(syscall.SIGKILL)
			f.server.start()
		case i%3 == 0: // the answer is lost
			f.cut()
		default:
			f.end(syscall.SIGKILL)
		}
		if i%2 == 0 {
			f.wait(1200) // the log is rotated without it
		}
	}
	f.start()
	f.wait(500)
	until(f.t, "the log was rotated often enough", func() bool { return f.log.rotations.Load() >= 5 })
	if err := stop(); err != nil {
		f.t.Fatalf("write the log: %v", err)
	}
	f.catchUp()
	f.end(syscall.SIGTERM)
	if f.err != nil {
		f.t.Fatalf("the follower: %v\n%s", f.err, &f.said)
	}
}

// cut kills the follower when the server has stored a batch, before it is told.
func (f *following) cut() {
	f.t.Helper()
	f.gate.cut.Store(true)
	select {
	case <-f.gate.stored:
	case <-f.ended:
		f.t.Fatalf("the follower has ended by itself: %v\n%s", f.err, &f.said)
	case <-time.After(patience):
		f.t.Fatalf("the follower sends nothing\n%s", &f.said)
	}
	f.end(syscall.SIGKILL)
	f.gate.killed <- struct{}{}
}

// catchUp waits until as much is stored as there are lines, or no more comes.
func (f *following) catchUp() {
	f.t.Helper()
	last, came := -1, time.Now()
	for time.Since(came) < f.settles {
		_, n := f.server.counted(f.project)
		if n == int(f.log.lines.Load()) { // of a follower that sends some twice, never or too soon
			return
		}
		if n != last {
			last, came = n, time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// check compares what is stored with the lines.
func (f *following) check() error {
	f.t.Helper()
	lines := int(f.log.lines.Load())
	stored := make([]int, lines)
	for cursor := ""; ; {
		var page struct {
			Events     []struct{ Path string }
			NextCursor string `json:"next_cursor"`
		}
		f.server.call("GET", "/api/v1/projects/"+f.project.ID+"/events?limit=1000"+cursor, nil, &page, http.StatusOK)
		for _, e := range page.Events {
			i, err := strconv.Atoi(strings.TrimPrefix(e.Path, "/"))
			if err != nil || i < 0 || i >= lines {
				return fmt.Errorf("%q is stored, which is no line", e.Path)
			}
			stored[i]++
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	var missing, twice []int
	for i, n := range stored {
		switch {
		case n == 0:
			missing = append(missing, i)
		case n > 1:
			twice = append(twice, i)
		}
	}
	metrics, _ := f.server.do("GET", "/metrics", adminToken, "", nil)
	_, again, _ := strings.Cut(string(metrics), "\nweir_events_duplicate_total ")
	again, _, _ = strings.Cut(again, "\n")
	f.t.Logf("%d lines over %d rotations; %s were sent again since the server's last start; %d missing, %d twice", lines, f.log.rotations.Load(), again, len(missing), len(twice))
	var errs []error
	if len(missing) > 0 {
		errs = append(errs, fmt.Errorf("%w: of %d lines %d, the first is %d\n%s", errMissing, lines, len(missing), missing[0], &f.said))
	}
	if len(twice) > 0 {
		errs = append(errs, fmt.Errorf("%w: of %d lines %d, the first is %d\n%s", errTwice, lines, len(twice), twice[0], &f.said))
	}
	if len(errs) == 0 && strings.Contains(f.said.String(), "lost") {
		return fmt.Errorf("the follower speaks of losses: %s", &f.said)
	}
	return errors.Join(errs...)
}
