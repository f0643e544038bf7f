package sqlgate_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/sqlgate"
)

// plain is a dialect in which each function is a call of its name.
type plain struct{}

func (plain) Micros(x string) string                 { return "micros(" + x + ")" }
func (plain) Time(x string) string                   { return "time(" + x + ")" }
func (plain) Number(x string) string                 { return "number(" + x + ")" }
func (plain) Sum(x string) string                    { return "sum(" + x + ")" }
func (plain) Quantile(x string, q float64) string    { return fmt.Sprintf("quantile(%s, %g)", x, q) }
func (plain) ArgMin(v, by string) string             { return "arg_min(" + v + ", " + by + ")" }
func (plain) ArgMax(v, by string) string             { return "arg_max(" + v + ", " + by + ")" }
func (plain) PropertyText(c, n string) (string, any) { return "property(" + c + ", ?)", n }
func (plain) MemberText(c, p, m string) (string, []any) {
	return "member(" + c + ", ?, ?)", []any{p, m}
}
func (plain) Contains(x, part string) string   { return "contains(" + x + ", " + part + ")" }
func (plain) StartsWith(x, part string) string { return "starts_with(" + x + ", " + part + ")" }
func (plain) Matches(x, p string) string       { return "matches(" + x + ", " + p + ")" }
func (plain) LikePattern(p string) string      { return p }
func (plain) Function(name string) string {
	if strings.Contains(name, " ") || name == "integer" || name == "strftime" {
		return strings.NewReplacer(" ", "_", "%", "pc").Replace(name) + "({1})"
	}
	return ""
}

func catalog() sqlgate.Catalog {
	table := func(name string, columns ...sqlgate.Column) sqlgate.Table {
		return sqlgate.Table{Name: name, Columns: columns, Source: func(used []string) (string, []any) {
			return "SELECT " + strings.Join(append(used, "1"), ", ") + " FROM real_" + name + " WHERE project_id = ?", []any{"own"}
		}}
	}
	return sqlgate.Catalog{
		Dialect: plain{}, Now: 1e15 + 8e14, Local: func(at string) string { return "local(" + at + ", " + at + ")" },
		Tables: []sqlgate.Table{
			table("events", sqlgate.Column{Name: "ts", Kind: sqlgate.Time}, sqlgate.Column{Name: "name", Kind: sqlgate.Text}, sqlgate.Column{Name: "status", Kind: sqlgate.Int},
				sqlgate.Column{Name: "latency_ms", Kind: sqlgate.Float}, sqlgate.Column{Name: "bot", Kind: sqlgate.Bool}, sqlgate.Column{Name: "properties", Kind: sqlgate.JSON}),
			table("visits", sqlgate.Column{Name: "start_at", Kind: sqlgate.Time}, sqlgate.Column{Name: "events", Kind: sqlgate.Int}),
		},
	}
}

func TestNoNameAndNoTextOfAStatementIsInTheSQL(t *testing.T) {
	st, err := sqlgate.Check(`WITH secret(hidden) AS (SELECT name AS mine FROM events AS alias WHERE name LIKE 'pattern' AND properties.inner = 'value')
SELECT hidden AS "shown as", $1 FROM secret AS other WHERE hidden IN ('one', 'two') ORDER BY "shown as"`, []any{"bound"}, 10, catalog())
	if err != nil {
		t.Fatal(err)
	}
	want := `WITH w2 AS (SELECT t1."name" AS c1 FROM (SELECT name, properties, 1 FROM real_events WHERE project_id = ?) AS t1 WHERE ((t1."name" LIKE CAST(? AS VARCHAR)) AND (property(t1."properties", ?) = CAST(? AS VARCHAR)))) ` +
		`SELECT CAST(t3.c1 AS VARCHAR) AS c1, CAST(CAST(? AS VARCHAR) AS VARCHAR) AS c2 FROM w2 AS t3 WHERE (t3.c1 IN (CAST(? AS VARCHAR), CAST(? AS VARCHAR))) ORDER BY 1 LIMIT 10`
	if st.SQL != want {
		t.Errorf("SQL\n%s\nwant\n%s", st.SQL, want)
	}
	if got := fmt.Sprint(st.Args); got != "[own pattern inner value bound one two]" {
		t.Errorf("values %s", got)
	}
	if got := fmt.Sprint(st.Columns); got != "[{shown as text } {$1 text }]" && got != "[{shown as text } {column_2 text }]" {
		t.Errorf("columns %s", got)
	}
}

func TestAWrongStatementIsToldWhereAndWhatIsAllowed(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT a\nFROM events":                       `line 1, column 8: there is no column "a" here`,
		"SELECT 1\n  FROM nothing":                    `line 2, column 8: there is no table "nothing": there are events, visits`,
		"SELECT ä, nothing(1)":                        `line 1, column 8: there is no column "ä" here`,
		"SELECT 'ä', nothing(1)":                      `line 1, column 13: there is no function "nothing"`,
		"DROP TABLE events":                           `line 1, column 1: a statement begins with SELECT or WITH, not "drop": only questions can be asked`,
		"SELECT 1; SELECT 2":                          `line 1, column 11: "select" is not expected here: one SELECT is allowed, and nothing after it`,
		"SELECT name FROM events GROUP BY status":     `line 1, column 8: column name must be in GROUP BY, or in an aggregate such as max`,
		"SELECT name + 1 FROM events WHERE name":      `line 1, column 35: a condition is expected here, not a text`,
		"SELECT 1 FROM events WHERE bot = 1":          `line 1, column 34: a boolean and a integer do not go together here: cast one of them`,
		"SELECT 1 FROM events WHERE ts > 'friday'":    `line 1, column 33: the text is no time: write 2026-05-01 or 2026-05-01 12:30:00, in UTC`,
		"SELECT date_trunc('decade', ts) FROM events": `line 1, column 19: date_trunc does not take the unit "decade"`,
		"SELECT ts FROM events, visits v, events":     `line 1, column 34: two tables have the name "events": give one an alias`,
		"SELECT CAST(1 AS json)":                      `line 1, column 18: "json" is not a type that is allowed`,
		"SELECT $2":                                   `line 1, column 8: value 2 is missing: there are 1 values`,
		"SELECT quantile(status, 95) FROM events":     `line 1, column 25: a quantile is 0 to 1: 0.95 is p95`,
	} {
		_, err := sqlgate.Check(sql, []any{"x"}, 10, catalog())
		var e *sqlgate.Error
		if !errors.As(err, &e) || e.Error() != want {
			t.Errorf("%s\n  error %v\n  want  %s", sql, err, want)
		}
	}
}

func TestStatementsThatGrowAreRefused(t *testing.T) {
	for _, sql := range []string{
		"SELECT b+b AS a, a+a AS b FROM events GROUP BY lower(a)",
		"SELECT " + strings.Repeat("local(", 35) + "ts" + strings.Repeat(")", 35) + " FROM events",
		"SELECT 1 WHERE " + strings.Repeat("(", 6000),
		"SELECT name" + strings.Repeat("||name", 40) + " FROM events",
	} {
		if st, err := sqlgate.Check(sql, nil, 10, catalog()); err == nil {
			t.Errorf("%.100s is written in %d bytes", sql, len(st.SQL))
		}
	}
}

// written are the tokens that SQL may have.
var written = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_]*|"[a-z_]+"|[0-9.eE+]+|\?|<=|>=|<>|\|\||[-(),.*+/%=<> ])*$`)

// fromTable finds what stands after FROM and JOIN.
var fromTable = regexp.MustCompile(`\b(?:FROM|JOIN) (\(*)([A-Za-z_0-9]+)`)

func FuzzCheck(f *testing.F) {
	for _, sql := range []string{
		"SELECT 1", "SELECT * FROM events e JOIN visits v USING (events) WHERE e.name = 'x''y' OR NOT bot", "WITH a(b) AS (SELECT count(*) FROM events) SELECT b::text || '?' FROM a ORDER BY 1 DESC NULLS LAST LIMIT 3 OFFSET 1",
		"SELECT CASE name WHEN 'a' THEN 1 ELSE 2.5 END, lag(ts) OVER (PARTITION BY name ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM events",
		"(SELECT name FROM events UNION ALL SELECT properties.a.b FROM events) EXCEPT SELECT 'x'", "SELECT name, count(*) FILTER (WHERE status IN (SELECT 1)) n FROM events GROUP BY 1 HAVING max(ts) > now() - INTERVAL '2 days'",
		"SELECT \"we\"\"ird\" FROM (SELECT 1 AS \"we\"\"ird\") AS \"; DROP TABLE x\"", "SELECT extract(hour FROM local(ts)), strftime(ts, '%H:%M'), regexp_replace(name, '(a)', '\\1') FROM events",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		st, err := sqlgate.Check(sql, []any{"x", int64(1)}, 100, catalog())
		if err != nil {
			if _, ok := errors.AsType[*sqlgate.Error](err); !ok {
				t.Fatalf("%q: error %v is not of the gate", sql, err)
			}
			return
		}
		if !written.MatchString(st.SQL) {
			t.Fatalf("%q is written as %s", sql, st.SQL)
		}
		if n := strings.Count(st.SQL, "?"); n != len(st.Args) {
			t.Fatalf("%q has %d places for %d values: %s", sql, n, len(st.Args), st.SQL)
		}
		for _, m := range fromTable.FindAllStringSubmatch(st.SQL, -1) {
			switch table := m[2]; {
			case m[1] != "": // a query in parentheses
				if table != "SELECT" && table != "WITH" {
					t.Fatalf("%q reads %s: %s", sql, table, st.SQL)
				}
			case table == "real_events", table == "real_visits":
			case regexp.MustCompile(`^w[0-9]+$`).MatchString(table):
			default:
				t.Fatalf("%q reads %s: %s", sql, table, st.SQL)
			}
		}
		if strings.Count(st.SQL, " FROM real_") != strings.Count(st.SQL, " WHERE project_id = ?) AS t") {
			t.Fatalf("%q reads rows of all projects: %s", sql, st.SQL)
		}
	})
}

func TestTheManualNamesEachFunction(t *testing.T) {
	manual, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range sqlgate.Functions {
		if f.Name != "->>" && !strings.Contains(string(manual), "`"+f.Name+"`") {
			t.Errorf("docs/sql.md does not name %s", f.Name)
		}
	}
}
