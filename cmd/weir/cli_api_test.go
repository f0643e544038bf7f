package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weir-analytics/weir/internal/httpd"
)

var update = flag.Bool("update", false, "write docs/cli.md")

// withoutRoute says why commands are not in the API.
var withoutRoute = map[string]string{
	"serve":         "is the server",
	"import":        "reads files of the machine, and sends them to `POST /v1/events` with a write key, as any client may",
	"key-ring add":  "writes the file with the keys that encrypt secrets; a server never gives that file away",
	"key-ring list": "reads that file",
	"migrate":       "copies stores that no server uses meanwhile",
	"bench":         "is a client that measures: `POST /v1/events`, and with `--project` also `POST /api/v1/projects/{id}/query`",
	"version":       "says the version of the file that was started; that of a server is in `GET /api/admin/status`",
}

// anAnswer is what the commands read of most answers; lists are the others.
const (
	anAnswer = `{"id":"i","users":[{"id":"i","email":"ada@example.org"}],"events":1,"state":"done"}`
	aList    = `[{"id":"i","email":"ada@example.org"}]`
)

var lists = map[string]string{
	"GET /api/v1/projects/{id}/members": `{"members":` + aList + `}`,
	"GET /api/v1/admins":                `{"admins":` + aList + `}`,
}

// asked records which routes are asked for.
type asked struct {
	mu     sync.Mutex
	routes map[string]bool
}

// newAsked returns a server with all routes.
func newAsked(t *testing.T) (*asked, string) {
	t.Helper()
	a := &asked{routes: map[string]bool{}}
	mux := http.NewServeMux()
	for _, rule := range httpd.Rules() {
		route := rule.Method + " " + rule.Path
		mux.HandleFunc(route, func(w http.ResponseWriter, _ *http.Request) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.routes[route] = true
			_, _ = io.WriteString(w, cmp.Or(lists[route], anAnswer))
		})
	}
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s is no route", r.Method, r.URL.Path) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return a, server.URL
}

// take returns the routes that were asked for since the last call, in order.
func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	routes := slices.Sorted(maps.Keys(a.routes))
	clear(a.routes)
	return routes
}

var shellWord = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)

// examples returns the arguments of each example in the help of a command.
func examples(t *testing.T, path []string) (all [][]string) {
	t.Helper()
	_, text, _ := strings.Cut(weirs(t, append(slices.Clip(path), "--help")...).out, "Example")
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, " > ")
		_, line, ok := strings.Cut(line, "weir ")
		if !ok || !strings.HasPrefix(line+" ", strings.Join(path, " ")+" ") {
			continue
		}
		var args []string
		for _, word := range shellWord.FindAllString(line, -1) {
			args = append(args, strings.Trim(word, `'"`))
		}
		all = append(all, args)
	}
	return all
}

func TestTheAPICanDoWhatTheCommandLineCan(t *testing.T) {
	a, server := newAsked(t)
	t.Setenv("WEIR_URL", server)
	t.Setenv("WEIR_TOKEN", "a token")
	var table strings.Builder
	table.WriteString("| command | routes, or why it has none |\n|---|---|\n")
	unused := maps.Clone(withoutRoute)
	all := commands(t)
	for i, path := range all {
		if i+1 < len(all) && len(all[i+1]) > len(path) { // it has commands of its own
			continue
		}
		name := strings.Join(path, " ")
		why, ok := withoutRoute[name]
		if delete(unused, name); !ok {
			for _, args := range examples(t, path) {
				if got := weirs(t, args...); got.status == 2 {
					t.Errorf("an example of the help is refused: weir %s: %s", strings.Join(args, " "), got.stderr)
				}
			}
			routes := a.take()
			if len(routes) == 0 {
				t.Errorf("no example of weir %s asks a route: if it is not for a server, say why in withoutRoute", name)
			}
			why = "`" + strings.Join(routes, "`, `") + "`"
		}
		fmt.Fprintf(&table, "| `weir %s` | %s |\n", name, why)
	}
	for name := range unused {
		t.Errorf("there is no command %q", name)
	}
	const file = "../../docs/cli.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(b), "| command |")
	if want := text + table.String(); want != string(b) {
		if *update {
			err = os.WriteFile(file, []byte(want), 0o644) //nolint:gosec // a page that everybody may read
		}
		t.Errorf("%s is not what the commands do (-update writes it): %v\n%s", file, err, table.String())
	}
}
