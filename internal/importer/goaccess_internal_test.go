package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

var updateGoAccess = flag.Bool("update", false, "write the golden file anew")

// goAccessDefinitions say why GoAccess counts otherwise, by what is counted.
var goAccessDefinitions = []struct{ what, why string }{
	{"hits", "GoAccess reads the line whose user agent has no closing quote; Weir refuses it, since the line is cut off."},
	{"day", "The refused line is of 2015-05-20."},
	{"status", "The refused line has status 200."},
	{"path", "Of /scripts/grok-py-test/configlib.py one is the refused line. GoAccess takes spaces off a path's end, and decodes what is no UTF-8 too. Paths are compared without query, percent-decoded."},
	{"browser", "Weir counts a client as a bot (GoAccess: Crawlers, Feeds) by its list of crawlers, tools and readers; GoAccess by words in the user agent. GoAccess's Unknown and Others are browsers that it does not name."},
}

// counted is a number by what is counted and its name.
type counted map[string]map[string]int

func (c counted) add(what, name string, n int) {
	if c[what] == nil {
		c[what] = map[string]int{}
	}
	c[what][name] += n
}

func TestASampleLogCountsAsInGoAccess(t *testing.T) {
	program, err := exec.LookPath("goaccess")
	if err != nil {
		if os.Getenv("WEIR_TEST_STRICT") != "" {
			t.Fatal("goaccess is missing: run scripts/install-test-deps.sh")
		}
		t.Skip("goaccess is missing: run scripts/install-test-deps.sh")
	}
	log := writeLog(t, "access.log", demoLines(t))
	theirs, ours := goAccess(t, program, log), ourCounts(t, log)
	var got strings.Builder
	got.WriteString("# Differences between GoAccess 1.7 and Weir on the sample log: what, name, GoAccess's number, Weir's.\n")
	for _, d := range goAccessDefinitions {
		same, differ := 0, ""
		names := maps.Clone(theirs[d.what])
		maps.Copy(names, ours[d.what])
		for _, name := range slices.SortedFunc(maps.Keys(names), func(a, b string) int { return cmp.Compare(a, b) }) {
			a, b := theirs[d.what][name], ours[d.what][name]
			if a == b {
				same++
				continue
			}
			differ += fmt.Sprintf("%s\t%q\t%d\t%d\n", d.what, name, a, b)
		}
		fmt.Fprintf(&got, "\n# %s\n# %d agree.\n%s", d.why, same, differ)
	}
	golden := "testdata/goaccess.golden"
	if *updateGoAccess {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// goAccess returns what GoAccess counts in a log.
func goAccess(t *testing.T, program, log string) counted {
	t.Helper()
	out := filepath.Join(t.TempDir(), "report.json")
	// Without --no-query-string a path with another query is another path.
	cmd := exec.CommandContext(t.Context(), program, log, "--log-format=COMBINED", "--no-global-config", "--no-progress",
		"--no-query-string", "--max-items=100000", "--tz=UTC", "-o", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("goaccess: %v\n%s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Data  string
		Hits  struct{ Count int }
		Items []row
	}
	type panel struct{ Data []row }
	var report struct {
		General struct {
			Valid int `json:"valid_requests"`
		}
		Visitors panel
		Requests panel
		Static   panel `json:"static_requests"`
		NotFound panel `json:"not_found"`
		Statuses panel `json:"status_codes"`
		Browsers panel
	}
	if err := json.Unmarshal(bytes.ToValidUTF8(raw, []byte("\uFFFD")), &report); err != nil {
		t.Fatal(err)
	}
	c := counted{}
	c.add("hits", "all", report.General.Valid)
	for _, d := range report.Visitors.Data {
		c.add("day", d.Data[:4]+"-"+d.Data[4:6]+"-"+d.Data[6:], d.Hits.Count)
	}
	for _, class := range report.Statuses.Data {
		for _, s := range class.Items {
			c.add("status", s.Data[:3], s.Hits.Count)
		}
	}
	for _, p := range []panel{report.Requests, report.Static, report.NotFound} {
		for _, d := range p.Data {
			c.add("path", d.Data, d.Hits.Count)
		}
	}
	for _, b := range report.Browsers.Data {
		name := b.Data
		switch name {
		case "MSIE":
			name = "Internet Explorer"
		case "Crawlers", "Feeds":
			name = "(bots)"
		case "Unknown", "Others":
			name = "(others)"
		}
		c.add("browser", name, b.Hits.Count)
	}
	return c
}

// ourCounts returns what Weir counts in a log: what the import sends, and the browsers that the server finds.
func ourCounts(t *testing.T, log string) counted {
	t.Helper()
	server := newFakeServer(t)
	if _, err := newImportRun(server.URL, log).do(t); err != nil {
		t.Fatal(err)
	}
	agents, err := enrich.New(enrich.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer agents.Close()
	c := counted{}
	for _, e := range server.events {
		c.add("hits", "all", 1)
		c.add("day", e.TS.UTC().Format("2006-01-02"), 1)
		status, _ := e.Call["status"].(float64)
		c.add("status", strconv.Itoa(int(status)), 1)
		path, _ := e.Call["route"].(string)
		if plain, err := url.PathUnescape(path); err == nil {
			path = string(bytes.ToValidUTF8([]byte(plain), []byte("\uFFFD")))
		}
		c.add("path", path, 1)
		in := weir.Incoming{Source: weir.Source{UserAgent: e.UserAgent}}
		agents.Apply(&in, nil)
		switch name := strings.TrimPrefix(in.Event.Browser, "Mobile "); {
		case in.Event.Bot:
			c.add("browser", "(bots)", 1)
		case slices.Contains([]string{"Chrome", "Firefox", "Internet Explorer", "Safari", "Opera"}, name):
			c.add("browser", name, 1)
		default:
			c.add("browser", "(others)", 1)
		}
	}
	return c
}
