package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// said is what a command came to.
type said struct {
	status      int
	out, stderr string
}

// weirs runs a command to its end.
func weirs(t *testing.T, args ...string) said {
	t.Helper()
	var out, stderr bytes.Buffer
	status := run(t.Context(), args, &out, &stderr)
	return said{status, out.String(), stderr.String()}
}

// commands returns all commands, as one types them.
func commands(t *testing.T) [][]string {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Vars{"version": version})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	var visit func(n *kong.Node, path []string)
	visit = func(n *kong.Node, path []string) {
		all = append(all, path)
		for _, child := range n.Children {
			if child.Type == kong.CommandNode {
				visit(child, append(slices.Clip(path), child.Name))
			}
		}
	}
	visit(parser.Model.Node, nil)
	return all
}

func TestEveryCommandsHelpShowsAnExample(t *testing.T) {
	all := commands(t)
	if len(all) < 12 {
		t.Fatalf("commands are %v", all)
	}
	for _, path := range all {
		got := weirs(t, append(path, "--help")...)
		example := strings.Join(append([]string{"    weir"}, path...), " ")
		fromEnv := strings.Join(append([]string{"… weir"}, path...), " ")
		_, examples, ok := strings.Cut(got.out, "Example")
		if got.status != 0 || got.stderr != "" || !ok || !strings.Contains(examples, example) && !strings.Contains(examples, fromEnv) {
			t.Errorf("%v: %d %q\n%s", path, got.status, got.stderr, got.out)
		}
	}
}

func TestWhatIsNoCommandOrFlagIsToldOnStandardError(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"flow"}, "flow"},
		{[]string{"--wat"}, "--wat"},
		{[]string{"serve", "--wat"}, "--wat"},
		{[]string{"serve", "--shards", "many"}, "--shards"},
		{[]string{"serve", "--log-level", "loud"}, "--log-level"},
		{[]string{"serve", "--trusted-proxies", "everybody"}, "--trusted-proxies"},
		{[]string{"serve", "more"}, "more"},
		{[]string{"import", "--format", "xml", "file"}, "--format"},
		{[]string{"project", "create"}, "<name>"},
		{[]string{"key", "revoke", "p"}, "<key>"},
		{nil, "expected"},
	} {
		got := weirs(t, c.args...)
		if got.status != 2 || got.out != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

// oneLine says whether it is one line that names the program.
func oneLine(s string) bool {
	return strings.HasPrefix(s, "weir: ") && strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n")
}

func TestTheVersionIsPrinted(t *testing.T) {
	if got := weirs(t, "version"); got != (said{0, "weir " + version + "\n", ""}) {
		t.Errorf("%+v", got)
	}
}

func TestAServerThatCannotServeSaysWhyInOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"another hot tier":           {[]string{"--hot", "kafka://127.0.0.1"}, []string{"--hot", "kafka:", "pebble:"}},
		"a Redis of two hosts":       {[]string{"--hot", "redis://:0123456789abcdef@a,b"}, []string{"--hot", "redis+cluster://"}},
		"a cache that is no Redis":   {[]string{"--cache", "here"}, []string{"--cache", "redis://"}},
		"an unknown role":            {[]string{"--roles", "ingest,cook"}, []string{"--roles", "cook", "drain"}},
		"a part of a lone node":      {[]string{"--roles", "drain,query,jobs"}, []string{"--roles", "ingest", "--hot redis://"}},
		"a file with two owners":     {[]string{"--hot", "redis://127.0.0.1", "--roles", "drain"}, []string{"--roles", "DuckDB", "query"}},
		"a demo that takes nothing":  {[]string{"--demo", "--hot", "redis://127.0.0.1", "--roles", "drain,query"}, []string{"--demo", "ingest"}},
		"a spillway beside Pebble":   {[]string{"--spill", "x"}, []string{"--spill", "--hot redis://"}},
		"replicas of Pebble":         {[]string{"--hot-ack", "replica"}, []string{"--hot-ack", "redis+sentinel://"}},
		"a hot tier without place":   {[]string{"--hot", "pebble:"}, []string{"--hot", "pebble:PATH"}},
		"a hot tier without scheme":  {[]string{"--hot", "somewhere"}, []string{"--hot", "pebble:PATH"}},
		"another cold tier":          {[]string{"--cold", "clickhous://u:0123456789abcdef@127.0.0.1"}, []string{"--cold", "clickhous:", "duckdb:", "clickhouse://"}},
		"no such cold option":        {[]string{"--cold", "clickhouse://u:0123456789abcdef@127.0.0.1/weir?clutser=x"}, []string{"--cold", "clutser", "cluster"}},
		"another meta store":         {[]string{"--meta", "mysql://127.0.0.1"}, []string{"--meta", "mysql:", "sqlite:", "postgres:"}},
		"a demo for all":             {[]string{"--demo", "--listen", "0.0.0.0:0"}, []string{"--demo", "0.0.0.0:0"}},
		"a demo on all addresses":    {[]string{"--demo", "--listen", ":0"}, []string{"--demo", "loopback"}},
		"profiles for all":           {[]string{"--pprof", "0.0.0.0:0"}, []string{"--pprof", "0.0.0.0:0"}},
		"profiles at no port":        {[]string{"--pprof", "127.0.0.1"}, []string{"--pprof", "127.0.0.1"}},
		"too short a window":         {[]string{"--dedup-window", "59s"}, []string{"--dedup-window", "59s"}},
		"no shards":                  {[]string{"--shards", "0"}, []string{"--shards", "not 0"}},
		"too many shards":            {[]string{"--shards", "1025"}, []string{"--shards", "1025"}},
		"no address":                 {[]string{"--listen", "nowhere"}, []string{"--listen", "nowhere"}},
		"too little for DuckDB":      {[]string{"--cold-memory", "32MB"}, []string{"weir: --cold-memory: DuckDB", "32MB", "64MB"}},
		"little, and much of it":     {[]string{"--memory", "512MB", "--cold-memory", "480MB"}, []string{"weir: --memory, --cold-memory:", "480MB"}},
		"too little memory":          {[]string{"--memory", "64MB"}, []string{"weir: --memory: ", "64MB"}},
		"too few connections":        {[]string{"--max-conns", "1"}, []string{"--max-conns", "not 1"}},
		"too many mails":             {[]string{"--mails-per-hour", "0"}, []string{"--mails-per-hour", "not 0"}},
		"mail without a sender":      {[]string{"--smtp", "smtp://127.0.0.1"}, []string{"--smtp", "--mail-from"}},
		"no time of reports":         {[]string{"--report-at", "1 am"}, []string{"--report-at"}},
		"data in a file":             {[]string{"--data", file}, []string{"data folder", file}},
		"an admin token of a key":    {[]string{"--admin-token", "wk_0123456789abcdef_and_longer"}, []string{"--admin-token", "wk_"}},
		"a short admin token":        {[]string{"--admin-token", "x0123456789abcdef"}, []string{"--admin-token", "24 characters"}},
		"a public address of words":  {[]string{"--public-url", "weir.example.com"}, []string{"--public-url", "https://"}},
		"a public path with escapes": {[]string{"--public-url", "https://example.com/we%2Fir"}, []string{"--public-url", "plain"}},
		"a certificate without key":  {[]string{"--tls-cert", "cert.pem"}, []string{"--tls-cert", "--tls-key"}},
		"a lost country database":    {[]string{"--geo-country", filepath.Join(t.TempDir(), "none.mmdb")}, []string{"none.mmdb"}},
	} {
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, c.args...)
		got := weirs(t, args...)
		last := got.stderr[strings.LastIndex(strings.TrimSuffix(got.stderr, "\n"), "\n")+1:] // logs may stand before it
		status := 2
		if slices.Contains([]string{"data in a file", "a lost country database"}, name) { // no mistake in the command line
			status = 1
		}
		if got.status != status || got.out != "" || !oneLine(last) {
			t.Errorf("%s: %+v", name, got)
		}
		for _, want := range c.want {
			if !strings.Contains(last, want) {
				t.Errorf("%s: %q does not name %q", name, last, want)
			}
		}
		if strings.Contains(got.stderr, "0123456789abcdef") {
			t.Errorf("%s: the token is told: %s", name, got.stderr)
		}
	}
}

func TestWrongFlagOfServeCreatesNoStores(t *testing.T) {
	for _, flag := range []string{"--hot", "--cold", "--meta", "--admin-token"} {
		data := filepath.Join(t.TempDir(), "data")
		if got := weirs(t, "serve", "--data", data, flag, "mongodb://127.0.0"); got.status != 2 {
			t.Errorf("%s: %+v", flag, got)
		}
		if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a data folder: %v", flag, err)
		}
	}
}

func TestAMistakeInACommandsFlagsEndsItWithStatus2(t *testing.T) {
	t.Setenv("WEIR_TOKEN", "")
	t.Setenv("WEIR_KEY", "")
	t.Setenv("WEIR_ADMIN_TOKEN", "the server's own, which is not the command's")
	for want, args := range map[string][]string{
		"WEIR_TOKEN":       {"project", "list"},
		"--url":            {"project", "list", "--token", "t", "--url", "here"},
		"--retention-days": {"project", "set", "p", "--token", "t"},
		"--date":           {"report", "show", "p", "--token", "t", "--date", "2026-03-10", "--to", "2026-03-11"},
		"--by-api":         {"report", "show", "p", "--token", "t", "--by-api"},
		"bench: --key":     {"bench"},
		"bench: --url":     {"bench", "--key", "k", "--url", "http://192.0.2.1"},
		"import: --key":    {"import", "file"},
		"import: --url":    {"import", "--key", "k", "--url", "here", "file"},
		"import: --map":    {"import", "--key", "k", "--map", "nonsense", "file"},
		"import: --format": {"import", "--key", "k", "--map", "path=p", "--format", "combined", "file"},
		"--follow":         {"import", "--key", "k", "--follow", "-"},
		"import: --from":   {"import", "--key", "k", "--from", "nobody", "file"},
		"--from":           {"migrate", "--from", "mysql://h/d", "--to", "duckdb:x"},
	} {
		if got := weirs(t, args...); got.status != 2 || got.out != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: %+v, want %q", args, got, want)
		}
	}
}

func TestACommandWhoseServerIsAwayEndsWithStatus1(t *testing.T) {
	const url = "http://127.0.0.1:1"
	if got := weirs(t, "project", "list", "--token", "t", "--url", url); got.status != 1 || !oneLine(got.stderr) || !strings.Contains(got.stderr, url) {
		t.Errorf("%+v", got)
	}
}
