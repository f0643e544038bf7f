package weir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/weir-analytics/weir"

// room is a package's place in the house. A package imports only from lower
// floors.
type room struct {
	floor int
	// only, when not nil, lists the whole of what the package may import of
	// this module, whatever the floors say.
	only []string
	// visitors, when not nil, are the only packages that may import it.
	visitors []string
	// tests, when not 0, is the floor that its tests stand on: they look at more
	// than the package itself.
	tests int
	// support marks what only tests use: any test may import it.
	support bool
}

var (
	domain  = []string{""}
	nothing = []string{}
	command = []string{"cmd/weir"}
	opener  = []string{"internal/backend"}

	wireContract = []string{"", "internal/wire", "internal/wire/jsonscan"}
	wireShared   = []string{"", "internal/wire", "internal/wire/jsonscan", "internal/wire/body", "internal/wire/item"}
)

// house lists every package of the module by its path within it. ARCHITECTURE.md
// says what each is for.
var house = map[string]room{
	"":                {floor: 0, only: nothing},
	"internal/codec":  {floor: 0, only: nothing},
	"internal/outage": {floor: 0, only: nothing},
	"internal/memory": {floor: 0, only: nothing, visitors: []string{"internal/backend", "internal/process", "cmd/weir"}},

	"internal/datadir": {floor: 0, only: nothing, visitors: command},

	"internal/hot":       {floor: 1},
	"internal/cold":      {floor: 2},
	"internal/visit":     {floor: 1},
	"internal/enrich":    {floor: 1},
	"internal/wire":      {floor: 1},
	"internal/accesslog": {floor: 1},
	"internal/tail":      {floor: 1, only: domain, visitors: []string{"internal/importer"}},
	"internal/meta":      {floor: 2, visitors: []string{"cmd/weir", "internal/httpd", "internal/retention", "internal/demo"}},

	"internal/meta/postgres": {floor: 1, only: domain, visitors: []string{"internal/meta", "internal/backend"}},
	"internal/oidc":          {floor: 1, only: domain, visitors: []string{"internal/httpd"}},
	"internal/oidc/oidctest": {floor: 2, only: nothing, support: true},
	"internal/keyring":       {floor: 0, only: nothing, visitors: []string{"internal/meta", "cmd/weir"}},
	"internal/password":      {floor: 1, only: domain, visitors: []string{"internal/meta"}},

	// wire is the contract of a protocol. A folder of wire that is not listed is the protocol of
	// a vendor.
	"internal/wire/jsonscan":  {floor: 0, only: nothing, tests: 2},
	"internal/wire/body":      {floor: 2, only: wireContract, tests: 3},
	"internal/wire/item":      {floor: 2, only: wireContract},
	"internal/wire/native":    {floor: 3, only: wireShared},
	"internal/wire/otlp":      {floor: 3, only: wireShared},
	"internal/wire/protocols": {floor: 4},
	"internal/wire/wiretest":  {floor: 3, support: true},

	"internal/deliver": {floor: 1, only: domain, visitors: []string{"cmd/weir", "internal/alert"}},

	"internal/redisconn": {floor: 1, only: []string{"internal/outage"}, visitors: []string{"internal/backend", "internal/hot/redis", "internal/fleet/redis"}},

	"internal/dump": {floor: 4, only: []string{"", "internal/wire", "internal/wire/item", "internal/wire/posthog", "internal/wire/ga4"}, visitors: []string{"internal/importer"}},

	"internal/hot/pebble": {floor: 2, visitors: opener},
	"internal/hot/redis":  {floor: 2, visitors: opener},

	// schema describes the tables of the cold tier.
	"internal/cold/schema": {floor: 1, only: domain},
	// sqlgate writes the SQL that runs in the place of a user's.
	"internal/sqlgate":         {floor: 1, only: nothing, visitors: []string{"internal/insight", "internal/httpd"}},
	"internal/cold/duckdb":     {floor: 3, visitors: opener},
	"internal/cold/clickhouse": {floor: 3, visitors: opener},

	"internal/fleet":       {floor: 1},
	"internal/fleet/local": {floor: 2},
	"internal/fleet/redis": {floor: 2, visitors: opener},

	// backend names the backends, and nobody else does.
	"internal/backend": {floor: 4, visitors: command, only: []string{
		"", "internal/outage", "internal/memory", "internal/hot", "internal/cold", "internal/fleet", "internal/meta/postgres", "internal/redisconn",
		"internal/hot/pebble", "internal/hot/redis", "internal/fleet/redis", "internal/cold/duckdb", "internal/cold/clickhouse",
	}},

	"internal/importer": {floor: 5, only: []string{"", "internal/wire", "internal/wire/native", "internal/accesslog", "internal/dump", "internal/enrich", "internal/tail"}, visitors: command},

	"internal/spill":    {floor: 3, tests: 4},
	"internal/deletion": {floor: 3, only: []string{"", "internal/cold", "internal/cold/schema", "internal/hot", "internal/visit", "internal/fleet"}},
	"internal/transfer": {floor: 3, only: []string{"", "internal/cold", "internal/cold/schema"}, visitors: command},
	// ingest knows no protocol: from wire it has the reasons of rejections.
	"internal/ingest":  {floor: 3, tests: 5, only: []string{"", "internal/wire", "internal/enrich", "internal/hot", "internal/fleet", "internal/fleet/local"}},
	"internal/drain":   {floor: 3},
	"internal/stats":   {floor: 3},
	"internal/insight": {floor: 3},

	"internal/recount":   {floor: 3, only: []string{"", "internal/cold", "internal/hot"}, visitors: command},
	"internal/retention": {floor: 3, only: []string{"", "internal/cold", "internal/meta"}, visitors: command},

	"internal/process": {floor: 3, only: []string{"internal/memory"}, visitors: command},

	"internal/demo": {floor: 5, only: []string{"", "internal/accesslog", "internal/ingest", "internal/meta"}, visitors: command},

	// report and alert ask insight.
	"internal/report": {floor: 4},
	"internal/alert":  {floor: 4},
	"internal/live":   {floor: 4, visitors: []string{"internal/httpd", "cmd/weir"}},

	// receive is the one way of an event from a protocol to ingest. It names no protocol.
	"internal/receive": {floor: 4, only: []string{"", "internal/wire", "internal/wire/body", "internal/fleet", "internal/ingest"}, visitors: []string{"internal/httpd", "cmd/weir"}},

	// httpd knows the stores only through what floor 3 answers.
	"internal/httpd": {floor: 5, only: []string{
		"", "internal/outage", "internal/oidc", "internal/wire", "internal/wire/protocols", "internal/receive", "internal/fleet", "internal/fleet/local", "internal/meta",
		"internal/ingest", "internal/stats", "internal/insight", "internal/report", "internal/alert", "internal/live", "internal/deletion",
	}},

	"cmd/weir": {floor: 6},
	"bench":    {floor: 1, only: domain, tests: 7},                   // its benchmarks run the whole pipeline
	"client":   {floor: 1, only: nothing, visitors: []string{"e2e"}}, // other people's programs import it
	"web":      {floor: 1, only: nothing},
	"e2e":      {floor: 7},

	"internal/hot/hottest":     {floor: 2, support: true},
	"internal/fleet/fleettest": {floor: 2, support: true},
	"internal/metricstest":     {floor: 3, only: nothing, support: true},
	"internal/servertest":      {floor: 1, only: nothing, support: true},
	"internal/redistest":       {floor: 2, only: []string{"internal/servertest"}, support: true},
	"internal/clickhousetest":  {floor: 2, only: []string{"internal/servertest"}, support: true},
	"internal/postgrestest":    {floor: 2, only: []string{"internal/servertest"}, support: true},
	"internal/cold/coldtest":   {floor: 4, support: true},
}

// vendor is the room of each vendor's protocol, a folder of internal/wire.
var vendor = room{floor: 3, only: wireShared}

// roomOf returns a package's room.
func roomOf(path string) (r room, ok bool) {
	if r, ok = house[path]; ok {
		return r, true
	}
	folder, ok := strings.CutPrefix(path, "internal/wire/")
	return vendor, ok && !strings.Contains(folder, "/")
}

// guests are modules from elsewhere that have their rooms: nobody else imports
// them but tests.
var guests = []struct {
	prefix string
	from   func(path string) bool
}{
	{"github.com/duckdb/", in("internal/cold/duckdb")},
	{"github.com/ClickHouse/", in("internal/cold/clickhouse")},
	{"github.com/cockroachdb/", in("internal/hot/pebble")},
	{"github.com/redis/", in("internal/redisconn", "internal/hot/redis", "internal/fleet/redis")},
	{"modernc.org/sqlite", in("internal/meta")},
	{"github.com/jackc/pgx/", in("internal/meta/postgres", "internal/postgrestest")},
	{"github.com/oschwald/maxminddb-golang/", in("internal/enrich")},
	{"github.com/wneessen/go-mail", in("internal/deliver")},
	{"github.com/danielgtaylor/huma/", in("internal/httpd")},
	{"github.com/alecthomas/kong", in("cmd/weir")},
	{"github.com/prometheus/", func(path string) bool { r, _ := roomOf(path); return r.floor >= 3 }},
}

func in(paths ...string) func(string) bool {
	return func(path string) bool { return slices.Contains(paths, path) }
}

// listed is what go list says of a package.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// faults names every import that the house does not allow, and every package
// that has no room or is no more.
func faults(packages []listed) []string {
	var out []string
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	missing := make(map[string]bool, len(house))
	for path := range house {
		missing[path] = true
	}
	for _, p := range packages {
		path, _ := inModule(p.ImportPath)
		delete(missing, path)
		if _, ok := roomOf(path); !ok {
			fault("%s has no floor: list it in house", name(path))
			continue
		}
		for _, to := range p.Imports {
			if why := forbidden(path, to); why != "" {
				fault("%s imports %s: %s", name(path), to, why)
			}
		}
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			if why := forbiddenInTest(path, to); why != "" {
				fault("tests of %s import %s: %s", name(path), to, why)
			}
		}
	}
	for path := range missing {
		fault("%s is in house and nowhere else", name(path))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// forbidden says why a package may not import another, or "".
func forbidden(path, to string) string {
	target, ours := inModule(to)
	if !ours {
		return forbiddenGuest(path, to)
	}
	from, _ := roomOf(path)
	r, _ := roomOf(target)
	switch {
	case r.support && !from.support:
		return "it is for tests"
	case r.visitors != nil && !slices.Contains(r.visitors, path):
		return "only " + strings.Join(r.visitors, " and ") + " may"
	case from.only != nil && !slices.Contains(from.only, target):
		return "it is not among the few that it may import"
	case r.floor >= from.floor:
		return fmt.Sprintf("from floor %d to floor %d", from.floor, r.floor)
	}
	return ""
}

// forbiddenInTest is forbidden for tests, which use real backends and the
// suites that prove them.
func forbiddenInTest(path, to string) string {
	target, ours := inModule(to)
	from, _ := roomOf(path)
	r, _ := roomOf(target)
	if !ours || target == path || r.support {
		return ""
	}
	if floor := max(from.floor, from.tests); r.floor > floor {
		return fmt.Sprintf("from floor %d to floor %d", floor, r.floor)
	}
	return ""
}

func forbiddenGuest(path, to string) string {
	for _, g := range guests {
		if strings.HasPrefix(to, g.prefix) && !g.from(path) {
			return "it has no business there"
		}
	}
	if path == "client" && strings.Contains(strings.Split(to, "/")[0], ".") {
		return "it imports the standard library only"
	}
	if (path == "" || path == "internal/codec") && strings.Contains(strings.Split(to, "/")[0], ".") {
		return "floor 0 imports the standard library only"
	}
	return ""
}

// inModule is an import path within the module; ok is false for any other.
func inModule(importPath string) (path string, ok bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func name(path string) string {
	if path == "" {
		return "the root"
	}
	return path
}

func TestImportsPointDown(t *testing.T) {
	for _, f := range faults(list(t)) {
		t.Error(f)
	}
}

// list asks go list for all packages of the module.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestAForbiddenImportIsFound(t *testing.T) {
	for _, c := range []struct {
		because  string
		from, to string
		test     bool
		want     string
	}{
		{"up", "internal/hot", module + "/internal/ingest", false, "internal/hot imports " + module + "/internal/ingest: from floor 1 to floor 3"},
		{"sideways on floor 1", "internal/wire", module + "/internal/enrich", false, "from floor 1 to floor 1"},
		{"sideways between backends", "internal/hot/pebble", module + "/internal/cold/duckdb", false, "only internal/backend may"},
		{"a backend named elsewhere", "internal/ingest", module + "/internal/hot/pebble", false, "only internal/backend may"},
		{"a backend named by the command", "cmd/weir", module + "/internal/hot/redis", false, "only internal/backend may"},
		{"from the domain", "", module + "/internal/codec", false, "not among the few"},
		{"the domain to a module", "", "github.com/google/uuid", false, "the root imports github.com/google/uuid: floor 0"},
		{"httpd past its floor", "internal/httpd", module + "/internal/enrich", false, "not among the few"},
		{"cgo outside its package", "cmd/weir", "github.com/duckdb/duckdb-go/v2", false, "no business"},
		{"metrics below floor 3", "internal/hot/pebble", "github.com/prometheus/client_golang/prometheus", false, "no business"},
		{"a suite in the product", "internal/hot/pebble", module + "/internal/hot/hottest", false, "it is for tests"},
		{"the client to a module", "client", "github.com/google/uuid", false, "client imports github.com/google/uuid: it imports the standard library only"},
		{"a vendor to another", "internal/wire/segment", module + "/internal/wire/posthog", false, "not among the few"},
		{"the client to the inside", "client", module + "/internal/wire", false, "not among the few"},
		{"a package without a floor", "internal/util", "fmt", false, "internal/util has no floor"},
		{"up, from a test", "internal/hot", module + "/internal/httpd", true, "tests of internal/hot import"},
	} {
		p := listed{ImportPath: strings.TrimSuffix(module+"/"+c.from, "/")}
		if c.test {
			p.XTestImports = []string{c.to}
		} else {
			p.Imports = []string{c.to}
		}
		found := faults([]listed{p})
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.want) }) {
			t.Errorf("%s: not found: %q", c.because, c.want)
		}
	}
}

func TestAnAllowedImportIsNoFault(t *testing.T) {
	for _, p := range []listed{
		{ImportPath: module, Imports: []string{"time", "encoding/json"}, XTestImports: []string{"github.com/google/go-cmp/cmp"}},
		{ImportPath: module + "/internal/hot/pebble", Imports: []string{module, module + "/internal/hot", "github.com/cockroachdb/pebble/v2"}},
		{ImportPath: module + "/internal/cold/duckdb", XTestImports: []string{module + "/internal/cold/coldtest"}},
		{ImportPath: module + "/internal/drain", XTestImports: []string{module + "/internal/hot/pebble"}},
		{ImportPath: module + "/internal/backend", Imports: []string{module + "/internal/hot/pebble"}},
		{ImportPath: module + "/cmd/weir", Imports: []string{module + "/internal/backend", module + "/web", "github.com/alecthomas/kong"}},
	} {
		for _, f := range faults([]listed{p}) {
			if !strings.HasSuffix(f, "nowhere else") {
				t.Error(f)
			}
		}
	}
}
