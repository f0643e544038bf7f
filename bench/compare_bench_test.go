package bench_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/insight"
)

// compared is a question, and SQL that answers about the same without Weir: without links between
// devices and profiles, bots and timezones. Where a question has several parts, so has raw.
type compared struct {
	name string
	weir.Question
	raw []string
}

// comparedQuestions has each kind of question, over 30 days.
func comparedQuestions(d cold.Dialect) []compared {
	month := weir.Common{From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Interval: weir.Day}
	whole := month
	whole.Interval = ""
	total, unique := weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique}
	views := weir.Series{Event: weir.NameScreenView, Math: weir.MathUnique}
	trend := func(by string, s weir.Series) weir.Trend {
		return weir.Trend{Common: month, Series: []weir.Series{s}, Breakdown: by}
	}
	day := d.IntDiv("quarter", "96")
	property, arg := d.PropertyText("properties", "theme")
	property = strings.Replace(property, "?", fmt.Sprintf("'%v'", arg), 1)
	const viewed = " FROM events WHERE name = '" + weir.NameScreenView + "'"
	persons := "COUNT(DISTINCT person)"
	return []compared{
		{"daily total", trend("", total), []string{"SELECT " + day + " AS day, COUNT(*) FROM events GROUP BY day"}},
		{"daily total by a column", trend("country", total), []string{"SELECT country, " + day + " AS day, COUNT(*) FROM events GROUP BY country, day"}},
		{"daily total by a property", trend("properties.theme", total), []string{"SELECT " + property + " AS theme, " + day + " AS day, COUNT(*) FROM events GROUP BY theme, day"}},
		{"daily uniques", trend("", unique), []string{"SELECT " + day + " AS day, " + persons + " FROM events GROUP BY day"}},
		{"daily uniques by a column", trend("country", unique), []string{"SELECT country, " + day + " AS day, " + persons + " FROM events GROUP BY country, day"}},
		{"daily uniques of an event by a property", trend("properties.theme", views), []string{"SELECT " + property + " AS theme, " + day + " AS day, " + persons + viewed + " GROUP BY theme, day"}},
		{"pages", weir.Pages{Common: whole}, []string{
			"SELECT path, COUNT(*), " + persons + viewed + " GROUP BY path",
			"SELECT entry, SUM(sign) FROM visits GROUP BY entry",
			"SELECT exit, SUM(sign) FROM visits GROUP BY exit",
			"SELECT closes_path, AVG(closes_ms) FROM events WHERE closes_path <> '' GROUP BY closes_path",
		}},
		{"calls by route", weir.Calls{Common: whole}, []string{
			"SELECT route, COUNT(*), " + d.Quantiles("latency_ms", 0.5, 0.9, 0.95, 0.99) + " FROM events WHERE name = '" + weir.NameCall + "' GROUP BY route",
			"SELECT consumer, MIN(quarter), MAX(quarter) FROM events WHERE name = '" + weir.NameCall + "' GROUP BY consumer",
		}},
		{"growth", weir.Growth{Common: month}, []string{
			"SELECT " + day + " AS day, " + persons + " FROM events GROUP BY day",
			"SELECT first, COUNT(*) FROM (SELECT person, MIN(quarter) AS first FROM events GROUP BY person) AS firsts GROUP BY first",
		}},
	}
}

// BenchmarkCompare fills each engine with WEIR_BENCH_EVENTS events of each mix, asks each kind of
// question and its raw SQL in turn, and writes a table into the file that WEIR_BENCH_TABLE names,
// between two comments.
func BenchmarkCompare(b *testing.B) {
	file := os.Getenv("WEIR_BENCH_TABLE")
	if file == "" {
		b.Skip("WEIR_BENCH_TABLE names no file: make bench-compare does")
	}
	n := eventsWanted(b)
	p := &weir.Project{ID: queryProject, Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		b.Fatal(err)
	}
	var table strings.Builder
	for _, mix := range mixes {
		fmt.Fprintf(&table, "%s, %d events, medians and p95 of %d in ms, and medians as multiples of the raw SQL's:\n\n| question |", mix.name, n, compareTimes)
		lines := make([]string, len(comparedQuestions(duckdb.Dialect{})))
		columns := 0
		engines(b, func(b *testing.B, e *engine) {
			columns++
			fmt.Fprintf(&table, " %s | raw |", e.name)
			e.fill(b, mix.make(1, bench.Plan{Project: queryProject, From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Events: n}), 100_000)
			// As a server does when it idles.
			if s, ok := e.Store.(*duckdb.Store); ok {
				if err := s.Trim(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			asker := insight.New(e, complete{}, nil, insight.Options{MaxTime: time.Hour})
			for i, q := range comparedQuestions(e.Dialect()) {
				asked, raw := e.compare(b, asker, p, q)
				lines[i] += fmt.Sprintf(" %.0f, %.0f | %.2f |", middle(asked), asked[len(asked)*95/100], middle(asked)/middle(raw))
				b.Logf("%s: %s", q.name, lines[i])
			}
		})
		table.WriteString("\n|---|" + strings.Repeat("---|---|", columns) + "\n")
		for i, q := range comparedQuestions(duckdb.Dialect{}) {
			fmt.Fprintf(&table, "| %s |%s\n", q.name, lines[i])
		}
		table.WriteString("\n")
	}
	writeTable(b, file, table.String())
}

// compareTimes is how often each question is asked.
const compareTimes = 9

// compare asks a question and its raw SQL in turn, so that other work of the machine falls on both.
// The times are sorted, in ms.
func (e *engine) compare(b *testing.B, asker *insight.Engine, p *weir.Project, q compared) (asked, raw []float64) {
	b.Helper()
	since := func(began time.Time) float64 { return float64(time.Since(began).Microseconds()) / 1000 }
	for range compareTimes {
		began := time.Now()
		if _, err := asker.Ask(b.Context(), p, q.Question, 0); err != nil {
			b.Fatal(q.name, err)
		}
		asked = append(asked, since(began))
		began = time.Now()
		for _, s := range q.raw {
			rows, err := e.Query(b.Context(), s)
			if err != nil {
				b.Fatal(q.name, err)
			}
			for rows.Next() {
			}
			if err := rows.Err(); err != nil {
				b.Fatal(q.name, err)
			}
			if err := rows.Close(); err != nil {
				b.Fatal(q.name, err)
			}
		}
		raw = append(raw, since(began))
	}
	slices.Sort(asked)
	slices.Sort(raw)
	return asked, raw
}

func middle(sorted []float64) float64 { return sorted[len(sorted)/2] }

// writeTable puts text between the comments of a file.
func writeTable(b *testing.B, file, text string) {
	b.Helper()
	const begin, end = "<!-- bench-compare -->\n", "<!-- /bench-compare -->"
	content, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		b.Fatalf("%s has no place for the table:\n%s", file, text)
	}
	if err := os.WriteFile(file, []byte(before+begin+text+end+after), 0o600); err != nil {
		b.Fatal(err)
	}
}

// eventsWanted is WEIR_BENCH_EVENTS, a million if it is not set.
func eventsWanted(b *testing.B) int {
	b.Helper()
	s := os.Getenv("WEIR_BENCH_EVENTS")
	if s == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
