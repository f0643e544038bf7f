package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// sentEvent is an event in its SDK's own words, as a scenario of tools/sdk prints it.
type sentEvent struct {
	Kind, Name, ID string
	N              json.RawMessage
	Status         int
	Failed         string
}

// story is what a scenario prints.
type story struct {
	Sent   []sentEvent
	Errors []string
}

// teller is a scenario that runs.
type teller struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Reader
	log   lockedBuffer
}

// storyTime is how long a scenario may take: so long that only one that is stuck takes longer.
const storyTime = 4 * time.Minute

// tell runs a scenario until its SDK has nothing left to send.
func tell(t *testing.T, scenario, url, key string, ticks int, env ...string) (*teller, story) {
	t.Helper()
	d := begin(t, scenario, url, key, ticks, env...)
	return d, d.line()
}

// begin starts a scenario, which the test's end ends.
func begin(t *testing.T, scenario, url, key string, ticks int, env ...string) *teller {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), storyTime)
	t.Cleanup(cancel)
	d := &teller{t: t, cmd: exec.CommandContext(ctx, "node", "../tools/sdk/scenarios/"+scenario+".mjs")}
	if of, ok := strings.CutPrefix(scenario, "go "); ok {
		d.cmd = exec.CommandContext(ctx, goSDKs(t), of)
	}
	d.cmd.Env = append(os.Environ(), append(env, "WEIR_URL="+url, "WEIR_KEY="+key, fmt.Sprint("WEIR_BATCH=", ticks))...)
	if path, err := exec.LookPath(browserName()); err == nil {
		d.cmd.Env = append(d.cmd.Env, "CHROMIUM="+path)
	}
	d.cmd.Stderr = &d.log
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	d.lines = bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // one that is stuck closes its browser when its input ends
		d.stdin.Close()
		_ = d.cmd.Wait()
	})
	return d
}

// line is the next that the scenario prints.
func (d *teller) line() (s story) {
	d.t.Helper()
	line, err := d.lines.ReadBytes('\n')
	if err != nil {
		d.t.Fatalf("the story: %v\n%s", err, &d.log)
	}
	if err := json.Unmarshal(line, &s); err != nil {
		d.t.Fatalf("the story: %v: %s", err, line)
	}
	return s
}

// end has the scenario end, and returns the errors since it had nothing left to send.
func (d *teller) end() []string {
	d.t.Helper()
	d.stdin.Close()
	return d.line().Errors
}

// builtGoSDKs builds the program of tools/gosdk, once.
var builtGoSDKs = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(binaries.dir, "gosdk")
	if out, err := exec.Command("go", "build", "-C", "../tools/gosdk", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// goSDKs returns the program that tells the stories of Go SDKs. The test is skipped where
// their modules cannot be had.
func goSDKs(t *testing.T) string {
	t.Helper()
	path, err := builtGoSDKs()
	needed(t, "no Go SDKs; run scripts/install-test-deps.sh", err)
	return path
}

// needSDKs skips the test without the SDKs, or Chromium if a browser is needed.
func needSDKs(t *testing.T, browser bool) {
	t.Helper()
	_, err := exec.LookPath("node")
	needed(t, "no node", err)
	_, err = os.Stat("../tools/sdk/node_modules/.package-lock.json")
	needed(t, "no SDKs; run scripts/install-test-deps.sh", err)
	if browser {
		_, err = exec.LookPath(browserName())
		needed(t, "no browser", err)
	}
}

func browserName() string { return cmp.Or(os.Getenv("CHROMIUM"), "chromium") }

// object is an event, or a part of one, as the API has it.
type object = map[string]any

// events lists the project's events, the earliest first.
func (s *server) events(p project) (all []object) {
	s.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Events     []object
			NextCursor string `json:"next_cursor"`
		}
		s.call("GET", "/api/v1/projects/"+p.ID+"/events?limit=1000"+cursor, nil, &page, http.StatusOK)
		all = append(all, page.Events...)
		if page.NextCursor == "" {
			slices.Reverse(all)
			return all
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// eventsOnce waits until the project has as many events as that of other names than
// besides: what a page sends when it is left arrives when nobody looks at it any more.
func (s *server) eventsOnce(p project, many int, besides string) (all []object) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		all = s.events(p)
		n := 0
		for _, e := range all {
			if text(e, "name") != besides {
				n++
			}
		}
		if n >= many {
			return all
		}
	}
	return all
}

// profiles are the traits of the project's profiles.
func (s *server) profiles(p project) map[string]any {
	s.t.Helper()
	var page struct {
		Profiles []struct {
			ProfileID string `json:"profile_id"`
			Traits    object
		}
	}
	s.call("GET", "/api/v1/projects/"+p.ID+"/profiles", nil, &page, http.StatusOK)
	all := map[string]any{}
	for _, one := range page.Profiles {
		all[one.ProfileID] = one.Traits
	}
	return all
}

// likeness compares what is stored with what is wanted. A wanted object may have
// fewer fields than the stored one; absent means that a field is not there; same
// stands for one value that is not empty, wherever it stands.
type likeness map[same]any

type same string

type absentField struct{}

var absent = absentField{}

func (l likeness) clone() likeness { return maps.Clone(l) }

// take takes from stored the event that is most like the wanted one, and returns what
// keeps it from being like it.
func (l likeness) take(want object, stored map[string][]object) []string {
	name := text(want, "name")
	var best []string
	at := -1
	for i, got := range stored[name] {
		if d := l.clone().differences(name, want, got); at < 0 || len(d) < len(best) {
			best, at = d, i
		}
	}
	if at < 0 {
		return []string{fmt.Sprintf("there is no %s like %v", name, want)}
	}
	l.differences(name, want, stored[name][at])
	stored[name] = slices.Delete(stored[name], at, at+1)
	return best
}

// differences are what keeps got from being like want; at names the place.
func (l likeness) differences(at string, want, got any) (all []string) {
	switch want := want.(type) {
	case absentField:
		if got != nil {
			return []string{fmt.Sprintf("%s is %v, want none", at, got)}
		}
	case same:
		before, ok := l[want]
		if !ok {
			l[want] = got
			before = got
		}
		if got == nil || got != before {
			return []string{fmt.Sprintf("%s is %v, want the %s, %v", at, got, want, before)}
		}
		for other, value := range l {
			if other != want && value == got {
				return []string{fmt.Sprintf("%s is %v, which is the %s and the %s", at, got, want, other)}
			}
		}
	case object:
		have, ok := got.(object)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, want %v", at, got, want)}
		}
		for name, value := range want {
			all = append(all, l.differences(at+"."+name, value, have[name])...)
		}
	default:
		w, _ := json.Marshal(want)
		g, _ := json.Marshal(got)
		if !bytes.Equal(w, g) {
			return []string{fmt.Sprintf("%s is %s, want %s", at, g, w)}
		}
	}
	return all
}

// unexpected are the errors that no pattern allows.
func unexpected(errors, allowed []string) (all []string) {
	for _, e := range errors {
		if !slices.ContainsFunc(allowed, func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(e) }) {
			all = append(all, e)
		}
	}
	return all
}

// unzipped is a body without gzip.
func unzipped(body []byte) []byte {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return body
	}
	return out
}

// text is a field of an event that is text, "" if it is not there.
func text(o object, name string) string {
	s, _ := o[name].(string)
	return strings.TrimSpace(s)
}
