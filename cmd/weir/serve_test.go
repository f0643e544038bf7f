package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// journal is a log that grows while tests read it.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// running is a server that runs within the test.
type running struct {
	t      *testing.T
	url    string
	out    *journal // standard output
	log    *journal // standard error
	cancel context.CancelFunc
	status chan int
}

// serves starts a server on a free port. It returns when the server listens and
// has said all that it says at its start.
func serves(t *testing.T, data string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, out: &journal{}, log: &journal{}, cancel: cancel, status: make(chan int, 1)}
	read, write := io.Pipe()
	go func() {
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--min-free", "1"}, args...)
		r.status <- run(ctx, args, write, r.log)
		_ = write.Close()
	}()
	t.Cleanup(func() {
		cancel()
		_, _ = io.Copy(io.Discard, read)
	})
	lines := bufio.NewScanner(io.TeeReader(read, r.out))
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), " is at "); ok {
			r.url = url
		}
		if strings.Contains(lines.Text(), "create the owner's account") || strings.Contains(lines.Text(), "data-key=") { // the last line, and that of a demo
			return r
		}
	}
	t.Fatalf("the server ended with %d: %s", <-r.status, r.log)
	return nil
}

// asAdmin gives the token to servers, and to the commands that ask them.
func asAdmin(t *testing.T, token string) {
	t.Helper()
	t.Setenv("WEIR_ADMIN_TOKEN", token)
	t.Setenv("WEIR_TOKEN", token)
}

// stops ends the server as a signal would and returns its exit status.
func (r *running) stops() int {
	r.t.Helper()
	r.cancel()
	return <-r.status
}

// madeToken returns the admin token that the server printed, or "".
func (r *running) madeToken() string {
	_, token, _ := strings.Cut(r.out.String(), "Admin token, shown this once: ")
	token, _, _ = strings.Cut(token, "\n")
	return token
}

func TestAServerStopsWhenToldToAndPrintsItsTokenOnce(t *testing.T) {
	asAdmin(t, "")
	data := t.TempDir()
	first := serves(t, data)
	token := first.madeToken()
	if !strings.HasPrefix(token, "wt_") {
		t.Fatalf("printed: %s", first.out)
	}
	resp, err := http.Get(first.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("readyz: %s", resp.Status)
	}
	if got := first.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, first.log)
	}
	if strings.Contains(first.log.String(), token) {
		t.Error("the token is logged")
	}

	second := serves(t, data)
	if made := second.madeToken(); made != "" || strings.Contains(second.out.String(), token) {
		t.Errorf("printed again: %s", second.out)
	}
	if got := weirs(t, "project", "list", "--url", second.url, "--token", token); got.status != 0 {
		t.Errorf("the token of the first start is no good: %+v", got)
	}
	if got := second.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, second.log)
	}
}

func TestASecondServerOnTheSameDataIsRefused(t *testing.T) {
	data := t.TempDir()
	serves(t, data)
	got := weirs(t, "serve", "--listen", "127.0.0.1:0", "--data", data)
	if got.status != 1 || !strings.Contains(got.stderr, "another weir is running") || !strings.Contains(got.stderr, data) {
		t.Errorf("%+v", got)
	}
}

func TestTheAdminTokenOfTheEnvironmentCountsAndIsNotTold(t *testing.T) {
	const secret = "the administrator's own secret"
	asAdmin(t, secret)
	r := serves(t, t.TempDir(), "--log-level", "debug")
	if made := r.madeToken(); made != "" {
		t.Errorf("one more token was made: %s", made)
	}
	listed := weirs(t, "project", "list", "--url", r.url)
	if listed.status != 0 {
		t.Errorf("project list: %+v", listed)
	}
	wrong := weirs(t, "project", "list", "--url", r.url, "--token", "another secret")
	if wrong.status != 1 || !oneLine(wrong.stderr) || !strings.Contains(wrong.stderr, "401") {
		t.Errorf("with a wrong token: %+v", wrong)
	}
	if got := r.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, r.log)
	}
	if !strings.Contains(r.log.String(), "/api/v1/projects") {
		t.Fatal("requests are not logged")
	}
	for where, text := range map[string]string{"output": r.out.String(), "log": r.log.String(), "list": listed.out, "error": wrong.stderr} {
		if strings.Contains(text, secret) || strings.Contains(text, "another secret") {
			t.Errorf("a token stands in the %s: %s", where, text)
		}
	}
}

func TestATokenForTheCommandsIsNotTheServers(t *testing.T) {
	asAdmin(t, "")
	data := t.TempDir()
	r := serves(t, data)
	token := r.madeToken()
	r.stops()
	t.Setenv("WEIR_TOKEN", "the token of another server, long enough")
	r = serves(t, data)
	if got := weirs(t, "project", "list", "--url", r.url, "--token", token); got.status != 0 {
		t.Errorf("the server's token is another after a start beside WEIR_TOKEN: %+v", got)
	}
	r.stops()

	const given = "the administrator's own secret"
	for range 2 { // the second time it replaces nothing
		t.Setenv("WEIR_ADMIN_TOKEN", given)
		r = serves(t, data)
		r.stops()
		if strings.Contains(r.log.String(), given) {
			t.Error("the token is logged")
		}
		if warned := strings.Contains(r.log.String(), "admin token of the data folder was replaced"); warned != (token != "") {
			t.Errorf("replacing is warned of: %v: %s", warned, r.log)
		}
		token = ""
	}
	t.Setenv("WEIR_TOKEN", "")
	if got := weirs(t, "project", "list", "--url", r.url); got.status != 2 || !strings.Contains(got.stderr, "WEIR_TOKEN") {
		t.Errorf("the command takes the server's variable for its own: %+v", got)
	}
}

// field returns the value beside a label in a command's output.
func field(t *testing.T, out, label string) string {
	t.Helper()
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, label+"  "); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("no %s in %s", label, out)
	return ""
}

func TestProjectsAndKeysAreManagedFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	r := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", r.url)
	ok := func(args ...string) string {
		t.Helper()
		got := weirs(t, args...)
		if got.status != 0 || got.stderr != "" {
			t.Fatalf("%v: %+v", args, got)
		}
		return got.out
	}
	sends := func(key string) int {
		t.Helper()
		resp, err := http.Post(r.url+"/v1/events?key="+key, "application/json", strings.NewReader(`{"name":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}

	made := ok("project", "create", "My shop", "--timezone", "Europe/Berlin")
	project, first := field(t, made, "project"), field(t, made, "write key")
	if got := field(t, made, "timezone"); got != "Europe/Berlin" {
		t.Errorf("timezone %q", got)
	}
	if list := ok("project", "list"); !strings.Contains(list, project) || !strings.Contains(list, "My shop") {
		t.Errorf("list: %s", list)
	}

	second := strings.TrimSpace(ok("key", "create", project))
	if sends(first) != 200 || sends(second) != 200 {
		t.Error("a key does not write")
	}
	var id string
	keys := ok("key", "list", project)
	for line := range strings.Lines(keys) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == second[len(second)-4:] {
			id = f[0]
		}
	}
	if id == "" || strings.Contains(keys, second) {
		t.Fatalf("keys: %s", keys)
	}
	ok("key", "revoke", project, id)
	if sends(first) != 200 || sends(second) != 401 {
		t.Error("revoking a key does not end it, or ends another")
	}
	if list := ok("key", "list", project); !strings.Contains(list, "ended ") {
		t.Errorf("the list does not tell a revoked key: %s", list)
	}

	for _, args := range [][]string{
		{"project", "create", "Other", "--timezone", "Mars/Olympus"},
		{"project", "create", ""},
		{"key", "create", "nothing"},
		{"key", "list", "nothing"},
		{"key", "revoke", project, "nothing"},
		{"key", "revoke", project, id},
	} {
		if got := weirs(t, args...); got.status != 1 || got.out != "" || !oneLine(got.stderr) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
