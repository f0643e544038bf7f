package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// followRun is --follow with the world around it replaced: it waits when the
// test lets it, and ends when it has nothing left to do.
type followRun struct {
	*importRun
	dir  string
	idle func(n int) // called at each wait, n from 1; nil ends the run
}

func newFollowRun(t *testing.T, url, dir string) *followRun {
	t.Helper()
	f := &followRun{importRun: newImportRun(url, filepath.Join(dir, "access.log")), dir: dir}
	f.Options.Follow, f.Options.State = true, filepath.Join(dir, "state.json")
	return f
}

// follows runs until idle is nil or calls stop.
func (f *followRun) follows(t *testing.T) (Report, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	f.Wait = func(_ context.Context, d time.Duration) error {
		f.waits, f.clock = append(f.waits, d), f.clock.Add(d)
		if n++; f.idle != nil {
			f.idle(n)
		}
		if f.idle == nil {
			cancel()
		}
		return ctx.Err()
	}
	err := f.follow(ctx)
	var rep Report
	if f.out.Len() > 0 {
		if jsonErr := json.Unmarshal(f.out.Bytes(), &rep); jsonErr != nil {
			t.Fatalf("report is not JSON: %v", jsonErr)
		}
	}
	return rep, err
}

func (f *followRun) writes(t *testing.T, text string) {
	t.Helper()
	w, err := os.OpenFile(filepath.Join(f.dir, "access.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFollowSendsWhatIsThereAndWhatComes(t *testing.T) {
	server := newFakeServer(t)
	run := newFollowRun(t, server.URL, t.TempDir())
	run.idle = func(n int) {
		switch n {
		case 1:
			run.writes(t, logLines(1200)+"rubbish\n")
		case 2:
			run.writes(t, logLines(3)+"192.0.2.7 - - [17/M")
		case 3:
			run.idle = nil
		}
	}
	rep, err := run.follows(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{1204, 1203, 0, 1, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{500, 500, 200, 3}, server.sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	if !strings.Contains(run.errs.String(), fmt.Sprintf("access.log at byte %d: column 8: expected", len(logLines(1200)))) {
		t.Errorf("stderr is %q", run.errs.String())
	}
	again := newFollowRun(t, server.URL, run.dir)
	again.writes(t, "ay/2015:10:05:03 +0000] \"GET /last HTTP/1.1\" 200 5 \"-\" \"ua\"\n")
	if rep, err = again.follows(t); err != nil || rep.Accepted != 1 || server.events[len(server.events)-1].Path != "/last" {
		t.Errorf("after a restart: %+v, %v", rep, err)
	}
}

func TestFollowWaitsForTheServerWithoutEndAndReadsNothingMeanwhile(t *testing.T) {
	server := newFakeServer(t)
	server.before = unavailable(100, 503, "Retry-After", "7")
	run := newFollowRun(t, server.URL, t.TempDir())
	run.Options.RetryFor = time.Second
	run.writes(t, logLines(2))
	run.idle = func(n int) {
		if n == 50 {
			run.writes(t, logLines(1))
		}
		if n == 101 {
			run.idle = nil
		}
	}
	rep, err := run.follows(t)
	if err != nil || rep.Accepted != 3 || rep.Unsent != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	if run.waits[0] != 7*time.Second || server.sizes[0] != 2 {
		t.Errorf("waits %v, sizes %v", run.waits[:3], server.sizes)
	}
	for _, want := range []string{"trying again until it does", "takes batches again"} {
		if n := strings.Count(run.errs.String(), want); n != 1 {
			t.Errorf("%q stands %d times in %q", want, n, run.errs.String())
		}
	}
}

func TestFollowStopsWhileTheServerIsAwayAndGoesOnLater(t *testing.T) {
	server := newFakeServer(t)
	server.before = unavailable(2, 503)
	run := newFollowRun(t, server.URL, t.TempDir())
	run.writes(t, logLines(5))
	if _, err := run.follows(t); err != nil || len(server.events) != 0 {
		t.Fatalf("%d events, %v", len(server.events), err)
	}
	server.before = nil
	if rep, err := newFollowRun(t, server.URL, run.dir).follows(t); err != nil || rep.Accepted != 5 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestFollowStopsAtAKeyThatIsNotAccepted(t *testing.T) {
	server := newFakeServer(t)
	server.before = unavailable(1000, http.StatusUnauthorized)
	run := newFollowRun(t, server.URL, t.TempDir())
	run.writes(t, logLines(1))
	if _, err := run.follows(t); err == nil || !strings.Contains(err.Error(), "--key") {
		t.Errorf("error is %v", err)
	}
}

func TestFollowFlagsThatDoNotGoTogetherAreRefused(t *testing.T) {
	for _, change := range []func(*Options){
		func(c *Options) { c.DryRun = true },
		func(c *Options) { c.ShiftToNow = true },
		func(c *Options) { c.Files = []string{"-"} },
		func(c *Options) { c.Follow = false },
		func(c *Options) { c.Key = "" },
	} {
		run := newFollowRun(t, "http://127.0.0.1:1", t.TempDir())
		change(&run.Options)
		if _, err := run.check(); err == nil {
			t.Errorf("%+v is taken", run.Options)
		}
	}
}

func TestEachFollowHasAStateOfItsOwn(t *testing.T) {
	env := func(dir string) func(string) string {
		return func(name string) string { return map[string]string{"STATE_DIRECTORY": dir}[name] }
	}
	a := &Options{URL: "u", Key: "k", Files: []string{"/a"}}
	first, err := a.statePath(env("/s"))
	if err != nil || filepath.Dir(first) != "/s" {
		t.Fatal(first, err)
	}
	for _, other := range []*Options{
		{URL: "u", Key: "k", Files: []string{"/b"}}, {URL: "u", Key: "l", Files: []string{"/a"}}, {URL: "uk", Files: []string{"/a"}},
	} {
		if second, _ := other.statePath(env("/s")); second == first {
			t.Errorf("%+v shares %s", other, first)
		}
	}
	a.State = "/x"
	if path, _ := a.statePath(env("/s")); path != "/x" {
		t.Errorf("--state is not used: %s", path)
	}
}

// A server writes and rotates, by rename or by copytruncate, while the follower
// is killed at any request: before it, when its answer is lost, and after it.
// A real Weir would know the ids for a day; so does the fake one.
func TestTortureEachLineIsStoredOnceOverRotationsAndKills(t *testing.T) {
	for _, copying := range []bool{false, true} {
		t.Run(fmt.Sprint("copytruncate ", copying), func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, 11))
			server := newFakeServer(t)
			dir := t.TempDir()
			line, rotations := 0, 0
			writes := func(run *followRun) {
				for range random.IntN(700) {
					run.writes(t, fmt.Sprintf("192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /%d HTTP/1.1\" 200 5 \"-\" \"ü\"\n", line))
					line++
				}
				info, err := os.Stat(filepath.Join(dir, "access.log"))
				if err != nil || info.Size() == 0 || random.IntN(3) > 0 {
					return
				}
				rotations++
				rotateLog(t, dir, copying, rotations)
			}
			for range 12 {
				ctx, kill := context.WithCancel(t.Context())
				var die atomic.Bool
				lives := 1 + random.IntN(4)
				server.before = func(int, http.ResponseWriter, *http.Request) bool {
					if lives--; lives == 0 && random.IntN(2) == 0 {
						die.Store(true)
						kill()
						panic(http.ErrAbortHandler)
					}
					return false
				}
				server.after = func(int, http.ResponseWriter) bool {
					if lives == 0 {
						die.Store(true)
						kill()
						panic(http.ErrAbortHandler) // stored, but the follower never hears of it
					}
					return false
				}
				run := newFollowRun(t, server.URL, dir)
				run.Client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
					if die.Load() {
						return nil, context.Canceled // the process is dead: not even its flush goes out
					}
					return http.DefaultTransport.RoundTrip(r)
				})
				idle := 0
				run.Wait = func(context.Context, time.Duration) error {
					run.clock = run.clock.Add(time.Second)
					if idle++; idle > 6 {
						kill()
					}
					if !die.Load() {
						writes(run)
					}
					return ctx.Err()
				}
				writes(run)
				if err := run.follow(ctx); err != nil {
					t.Fatal(err)
				}
				if s := run.errs.String(); strings.Contains(s, "lost;") || strings.Contains(s, "is lost") {
					t.Fatal(s)
				}
				kill()
			}
			server.before, server.after = nil, nil
			if _, err := newFollowRun(t, server.URL, dir).follows(t); err != nil {
				t.Fatal(err)
			}
			counts := make([]int, line)
			for _, e := range server.events {
				var n int
				if _, err := fmt.Sscanf(e.Path, "/%d", &n); err != nil {
					t.Fatal(err)
				}
				counts[n]++
			}
			if i := slices.IndexFunc(counts, func(n int) bool { return n != 1 }); i >= 0 || rotations == 0 || line < 1000 {
				t.Errorf("line %d of %d was stored %d times, over %d rotations", i, line, counts[max(i, 0)], rotations)
			}
		})
	}
}

func rotateLog(t *testing.T, dir string, copying bool, n int) {
	t.Helper()
	from, to := filepath.Join(dir, "access.log"), filepath.Join(dir, fmt.Sprintf("access.log.%d", n))
	if !copying {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err == nil {
		err = os.Truncate(from, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}
