package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/redistest"
	"go.yaml.in/yaml/v3"
)

const (
	rulesFile = "../../deploy/prometheus/weir.rules.yml"
	manual    = "../../docs/redis.md"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ruled is a rule of the file.
type ruled struct{ name, expr, wait, severity, summary, description string }

func alerts(t *testing.T) (all []ruled) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all = append(all, ruled{r.Alert, r.Expr, r.For, r.Labels["severity"], r.Annotations["summary"], r.Annotations["description"]})
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d alerts", len(all))
	}
	return all
}

// get returns the body of an answer.
func get(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v: %s", url, resp.Status, err, body)
	}
	return string(body)
}

var (
	sample      = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)
	sampleLabel = regexp.MustCompile(`([a-z_]+)="`)
	described   = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
)

// shown returns the metrics of a server, by name, with their labels: what /metrics
// shows, and what of Redis it would show of another Redis.
func shown(t *testing.T, url string) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	add := func(name string, labels ...string) {
		if all[name] == nil {
			all[name] = map[string]bool{}
		}
		for _, l := range labels {
			all[name][l] = true
		}
	}
	for lines := bufio.NewScanner(strings.NewReader(get(t, url+"/metrics", ""))); lines.Scan(); {
		if m := sample.FindStringSubmatch(lines.Text()); m != nil {
			add(m[1])
			for _, l := range sampleLabel.FindAllStringSubmatch(m[2], -1) {
				add(m[1], l[1])
			}
		}
	}
	descs := make(chan *prometheus.Desc, 100)
	backend.Describe(descs)
	close(descs)
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s", d)
		}
		add(m[1], strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' })...)
	}
	return all
}

var (
	selector   = regexp.MustCompile(`\b(weir_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	aggregates = regexp.MustCompile(`without \(([a-z_, ]+)\)`)
	templated  = regexp.MustCompile(`\$labels\.([a-z_]+)`)
)

func TestAlertsAreOnMetricsThatAServerShows(t *testing.T) {
	group := redistest.StartSentinel(t)
	server := serves(t, t.TempDir(), "--hot", group.URL(), "--spill", t.TempDir())
	get(t, server.url+"/healthz", "") // so that there is a request to count
	metrics := shown(t, server.url)
	if len(metrics) < 60 {
		t.Fatalf("metrics are %v", slices.Sorted(maps.Keys(metrics)))
	}
	for _, name := range []string{"weir_redis_up", "weir_redis_replica_lag_seconds", "weir_redis_shard_oldest_seconds"} {
		if !strings.Contains(get(t, server.url+"/metrics", ""), "\n"+name) {
			t.Errorf("%s is not shown", name)
		}
	}
	if n := strings.Count(get(t, server.url+"/metrics", ""), "\nweir_redis_replica_online{"); n != 2 {
		t.Errorf("%d replicas are shown", n)
	}
	for _, a := range alerts(t) {
		labels := map[string]bool{"instance": true, "job": true}
		found := selector.FindAllStringSubmatch(a.expr, -1)
		for _, m := range found {
			of, ok := metrics[m[1]]
			if !ok {
				t.Errorf("%s: no server shows %s", a.name, m[1])
			}
			maps.Copy(labels, of)
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !of[l[1]] {
					t.Errorf("%s: %s has no label %s", a.name, m[1], l[1])
				}
			}
		}
		if len(found) == 0 {
			t.Errorf("%s is on no metric of Weir", a.name)
		}
		for _, m := range aggregates.FindAllStringSubmatch(a.expr, -1) {
			for l := range strings.SplitSeq(m[1], ", ") {
				delete(labels, l)
			}
		}
		for _, m := range templated.FindAllStringSubmatch(a.summary+a.description, -1) {
			if !labels[m[1]] {
				t.Errorf("%s: its words name the label %s, which its expression has not", a.name, m[1])
			}
		}
	}
	for _, m := range selector.FindAllStringSubmatch(readText(t, manual), -1) {
		if metrics[m[1]] == nil {
			t.Errorf("the manual names %s, which no server shows", m[1])
		}
	}
	for name := range metrics {
		if strings.HasPrefix(name, "weir_redis_") && !strings.Contains(readText(t, manual), "`"+name+"`") {
			t.Errorf("the manual does not name %s", name)
		}
	}
}

func TestEachAlertSaysWhatToDoAndStandsInTheManual(t *testing.T) {
	seen := map[string]bool{}
	text := readText(t, manual)
	for _, a := range alerts(t) {
		if seen[a.name] || !strings.HasPrefix(a.name, "Weir") {
			t.Errorf("%q: a name that is there twice, or not Weir's", a.name)
		}
		seen[a.name] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, a.severity) || a.summary == "" || len(a.description) < 60 || a.expr == "" {
			t.Errorf("%+v lacks something", a)
		}
		if a.wait == "" && !strings.Contains(a.expr, "_total") {
			t.Errorf("%s fires on a single look", a.name)
		}
		if !strings.Contains(text, "| `"+a.name+"` | "+a.severity+" |") {
			t.Errorf("%s (%s) does not stand in the manual", a.name, a.severity)
		}
	}
	for _, m := range regexp.MustCompile("\\| `(Weir[A-Za-z]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			t.Errorf("the manual has an alert %s, which is not in the file", m[1])
		}
	}
}

func TestEachAlertHasAWorldInWhichItFires(t *testing.T) {
	worlds := readText(t, "testdata/alerts.yml")
	for _, a := range alerts(t) {
		if !strings.Contains(worlds, fmt.Sprintf("{alertname=%q}", a.name)) {
			t.Errorf("nobody has seen %s fire", a.name)
		}
	}
}
