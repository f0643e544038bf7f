package coldtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/visit"
)

// alien is in each text of the other project, and alienNumber is the least of its numbers.
const (
	alien       = "ALIEN"
	alienNumber = 7_000_000
)

// statementWorld writes a small project, and another one with many more events, whose values can be told apart.
func statementWorld(t *testing.T, s cold.Store) *weir.Project {
	p := &weir.Project{ID: "own", Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 28, 22, 30, 0, 0, time.UTC)
	var rows []weir.EventRow
	add := func(project, device, profile, name, path string, minutes int, more func(*weir.Event)) {
		e := weir.Event{
			ID: fmt.Sprint(project, len(rows)), ProjectID: project, DeviceID: device, ProfileID: profile, Name: name, Path: path, Channel: "direct", Country: "DE", Browser: "Firefox",
			Time: at.Add(time.Duration(minutes) * time.Minute), ReceivedAt: at,
		}
		if more != nil {
			more(&e)
		}
		rows = append(rows, weir.EventRow{Event: e, Seq: uint64(len(rows) + 1)})
	}
	call := func(route string, status int, latency float64) func(*weir.Event) {
		return func(e *weir.Event) {
			e.Call = &weir.Call{Method: "GET", Route: route, Status: status, LatencyMS: weir.Known(latency)}
		}
	}
	set := func(properties string) func(*weir.Event) {
		return func(e *weir.Event) { e.Properties = []byte(properties) }
	}
	add("own", "d1", "", weir.NameScreenView, "/", 0, nil)
	add("own", "d1", "anna", weir.NameIdentify, "/", 1, set(`{"plan":"pro","seats":3}`))
	add("own", "d1", "anna", "purchase", "/buy", 2, func(e *weir.Event) {
		e.Revenue, e.Currency, e.Properties = weir.Known(19.9), "EUR", []byte(`{"plan":"pro","seats":3,"a":{"b":"deep"}}`)
	})
	add("own", "d2", "", weir.NameScreenView, "/pricing", 30, set(`{"seats":"many"}`))
	add("own", "d2", "", weir.NameScreenView, "/", 170, func(e *weir.Event) { e.Browser = "Chrome" })
	add("own", "s", "", weir.NameCall, "", 180, call("/v1/a", 200, 10))
	add("own", "s", "", weir.NameCall, "", 181, call("/v1/a", 500, 30))
	add("own", "s", "", weir.NameCall, "", 182, call("/v1/b", 200, 20.5))
	for i := range 50 {
		add("other", fmt.Sprint(alien, i), fmt.Sprint(alien, "p", i), alien+"name", "/"+alien, i, func(e *weir.Event) {
			call("/"+alien, alienNumber, alienNumber+float64(i))(e)
			e.Country, e.Browser, e.Channel = alien, alien, alien
			e.Revenue, e.Currency = weir.Known(float64(alienNumber)), alien
			e.Properties = []byte(`{"plan":"` + alien + `","seats":` + fmt.Sprint(alienNumber) + `}`)
		})
	}
	states := visit.Open{}
	first := 0
	// The first visit goes on in the second batch, so it has two states.
	for i, last := range []int{2, len(rows)} {
		part := rows[first:last]
		folded := visit.Folder{LogID: "log"}.Fold(states, part, at.Add(time.Duration(i)*time.Hour), nil)
		maps.Copy(states, folded.Changed)
		write(t, s, &cold.Batch{Token: fmt.Sprint("statements", i), Log: "log", First: part[0].Seq, Last: part[len(part)-1].Seq, Now: at, Events: part, Visits: folded.Visits})
		first = last
	}
	return p
}

// statementNow is the time of the questions.
var statementNow = time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)

func statementEngine(s cold.Store) *insight.Engine {
	return insight.New(s, written{statementNow}, func() time.Time { return statementNow }, insight.Options{})
}

// statements are questions in SQL with their answers: rows of JSON. They are checked on each engine.
var statements = []struct {
	sql    string
	params []any
	want   string
}{
	{"SELECT count(*) FROM events", nil, `[8]`},
	{"select name, count(*) as n from events group by name order by n desc, name", nil, `["api_call",3] ["screen_view",3] ["identify",1] ["purchase",1]`},
	{"SELECT name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2", nil, `["api_call",3] ["screen_view",3]`},
	{"SELECT count(DISTINCT person) FROM events WHERE name <> 'api_call'", nil, `[2]`},
	{"SELECT person, count(*) FROM events GROUP BY person ORDER BY person", nil, `["dd2",2] ["ds",3] ["uanna",3]`},
	{
		"SELECT route, count(*) calls, round(100.0 * count_if(status >= 500) / count(*), 1) pct, quantile(latency_ms, 0.5) FROM events WHERE name = 'api_call' GROUP BY route ORDER BY calls DESC", nil,
		`["/v1/a",2,50,20] ["/v1/b",1,0,20.5]`,
	},
	{"SELECT date_trunc('day', ts) AS day, count(*) FROM events GROUP BY day ORDER BY day", nil, `["2026-03-28T00:00:00Z",4] ["2026-03-29T00:00:00Z",4]`},
	{"SELECT date_trunc('hour', local(ts)) AS hour, count(*) FROM events GROUP BY hour ORDER BY hour", nil, `["2026-03-28T23:00:00Z",3] ["2026-03-29T00:00:00Z",1] ["2026-03-29T03:00:00Z",4]`},
	{"SELECT strftime(local(ts), '%Y-%m-%d %H:%M') FROM events WHERE name = 'purchase'", nil, `["2026-03-28 23:32"]`},
	{"SELECT extract(hour FROM ts) h, date_part('isodow', ts), date_diff('minute', TIMESTAMP '2026-03-28 22:30:00', ts) FROM events WHERE path = '/pricing'", nil, `[23,6,30]`},
	{"SELECT min(ts), max(ts) FROM events", nil, `["2026-03-28T22:30:00Z","2026-03-29T01:32:00Z"]`},
	{"SELECT count(*) FROM events WHERE ts >= '2026-03-29' AND ts < now() - INTERVAL 1 DAY", nil, `[0]`},
	{"SELECT count(*) FROM events WHERE ts BETWEEN '2026-03-28' AND '2026-03-28 23:00'", nil, `[4]`},
	{"SELECT properties.plan, properties ->> 'seats', properties.a.b FROM events WHERE properties.plan IS NOT NULL ORDER BY ts", nil, `["pro","3",null] ["pro","3","deep"]`},
	{"SELECT sum(properties.seats) FROM events", nil, `[6]`},
	{"SELECT properties.seats::integer + 1, CAST(properties.seats AS double) FROM events WHERE properties IS NOT NULL ORDER BY ts", nil, `[4,3] [4,3] [null,null]`},
	{"SELECT name FROM events WHERE properties.seats = 3 ORDER BY 1", nil, `["identify"] ["purchase"]`},
	{"SELECT name FROM events WHERE country = $1 AND status = $2 AND latency_ms < $3 AND bot = $4", []any{"DE", int64(200), 15.5, false}, `["api_call"]`},
	{"SELECT ?, ? FROM events LIMIT 1", []any{"it's \\ \"a\" text; -- ?", nil}, `["it's \\ \"a\" text; -- ?",null]`},
	{"SELECT 'it''s \\ ? @ {1}', 1, 1.5, TRUE, NULL, -3", nil, `["it's \\ ? @ {1}",1,1.5,true,null,-3]`},
	{"SELECT device_type, browser FROM events GROUP BY browser, device_type HAVING count(*) > 1", nil, `["","Firefox"]`},
	{"SELECT e.name, v.events FROM events AS e JOIN visits v ON e.session_id = v.session_id WHERE e.name = 'purchase'", nil, `["purchase",3]`},
	{"SELECT count(*), sum(events), sum(screen_views), max(duration_ms) FROM visits", nil, `[4,8,3,120000]`},
	{"SELECT person, sum(events) FROM visits GROUP BY person ORDER BY person", nil, `["dd2",2] ["ds",3] ["uanna",3]`},
	{"SELECT channel, count(*) FROM visits GROUP BY channel", nil, `["direct",4]`},
	{"SELECT * FROM profiles", nil, `["anna","2026-03-28T22:30:00Z","2026-03-28T22:32:00Z",3]`},
	{"SELECT * FROM traits ORDER BY trait", nil, `["anna","plan","pro"] ["anna","seats","3"]`},
	{"SELECT p.profile_id, t.value FROM profiles p LEFT JOIN traits t ON t.profile_id = p.profile_id AND t.trait = 'plan'", nil, `["anna","pro"]`},
	{
		"WITH a AS (SELECT person, min(ts) AS first FROM events GROUP BY person), b AS (SELECT person, max(ts) AS last FROM events GROUP BY person) SELECT person, date_diff('minute', first, last) FROM a JOIN b USING (person) ORDER BY 2 DESC, 1", nil,
		`["dd2",140] ["ds",2] ["uanna",2]`,
	},
	{"WITH events AS (SELECT * FROM events WHERE name = 'purchase') SELECT count(*) FROM events", nil, `[1]`},
	{"SELECT name FROM events e WHERE EXISTS (SELECT 1 FROM events x WHERE x.name = 'purchase') AND NOT EXISTS (SELECT 1 FROM visits WHERE events > 100) ORDER BY ts LIMIT 1", nil, `["screen_view"]`},
	{"SELECT name FROM events WHERE person IN (SELECT person FROM events WHERE name = 'purchase') ORDER BY ts", nil, `["screen_view"] ["identify"] ["purchase"]`},
	{"SELECT (SELECT max(latency_ms) FROM events) AS m", nil, `[30]`},
	{"SELECT path, row_number() OVER (ORDER BY ts), lag(path) OVER (PARTITION BY person ORDER BY ts) FROM events WHERE name = 'screen_view' ORDER BY ts", nil, `["/",1,null] ["/pricing",2,null] ["/",3,"/pricing"]`},
	{"SELECT name, count(*) AS n, sum(count(*)) OVER () FROM events GROUP BY name ORDER BY n, name LIMIT 1", nil, `["identify",1,8]`},
	{
		"SELECT ts, sum(latency_ms) OVER (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM events WHERE status > 0 ORDER BY ts", nil,
		`["2026-03-29T01:30:00Z",10] ["2026-03-29T01:31:00Z",40] ["2026-03-29T01:32:00Z",60.5]`,
	},
	{"(SELECT 1 AS a UNION ALL SELECT 2.5) UNION SELECT 1 ORDER BY a DESC", nil, `[2.5] [1]`},
	{"SELECT name FROM events INTERSECT SELECT 'purchase' EXCEPT SELECT 'x'", nil, `["purchase"]`},
	{"SELECT CASE WHEN status >= 500 THEN 'bad' WHEN status IS NULL THEN 'none' ELSE 'good' END AS s, count(*) FROM events GROUP BY s ORDER BY s", nil, `["bad",1] ["good",2] ["none",5]`},
	{"SELECT CASE name WHEN 'purchase' THEN 1 ELSE 0.5 END FROM events ORDER BY 1 DESC LIMIT 1", nil, `[1]`},
	{"SELECT DISTINCT lower(browser) b FROM events ORDER BY b", nil, `["chrome"] ["firefox"]`},
	{
		"SELECT upper('aä'), length('äb'), left('abc', 2), right('abc', 2), substring('abcd', 2, 2), substr('abcd', 3), trim('  x '), strpos('abc', 'c'), position('b' IN 'abc')", nil,
		`["AÄ",2,"ab","bc","bc","cd","x",3,2]`,
	},
	{"SELECT replace('aXbX', 'X', '--'), split_part('a/b/c', '/', 2), split_part('a', '/', 3), contains('abc', 'b'), starts_with('abc', 'b'), ends_with('abc', 'c')", nil, `["a--b--","b","",true,false,true]`},
	{"SELECT regexp_matches('/user/12', '^/user/[0-9]+$'), regexp_extract('/user/12', '/([0-9]+)', 1), regexp_extract('/user/12', '[a-z]+'), regexp_replace('a1b22', '([0-9]+)', '<\\1>')", nil, `[true,"12","user","a<1>b<22>"]`},
	{"SELECT 'a' || 'b' || NULL, concat('a', 1, TRUE), coalesce(NULL, 'x'), nullif('a', 'a'), greatest(1, 3, 2), least(2, 1.5)", nil, `[null,"a1true","x",null,3,1.5]`},
	{"SELECT abs(-2), floor(1.7), ceil(1.2), sqrt(9), power(2, 10), round(2.345, 2), 7 % 4, 1 / 4, 1 / 0, 5 % 0, sqrt(-1)", nil, `[2,1,2,3,1024,2.35,3,0.25,null,null,null]`},
	{
		"SELECT 'x'::integer, '12'::integer, '1.9'::int, path::timestamp, '2026-03-01'::timestamp, 1::boolean, 'true'::boolean, TRUE::integer, ts::date, ts::text FROM events WHERE name = 'purchase'", nil,
		`[null,12,1,null,"2026-03-01T00:00:00Z",true,true,1,"2026-03-28T00:00:00Z","2026-03-28 22:32:00"]`,
	},
	{
		"SELECT count(*) FILTER (WHERE status = 200), sum(latency_ms) FILTER (WHERE status = 200), arg_max(route, latency_ms), arg_min(route, latency_ms) FILTER (WHERE latency_ms > 15), any_value(country), avg(latency_ms), median(latency_ms), stddev(status) FROM events WHERE name = 'api_call' AND status <> 500", nil,
		`[2,30.5,"/v1/b","/v1/b","DE",15.25,15.25,0]`,
	},
	{"SELECT name FROM events WHERE path LIKE '/p%' OR path ILIKE '/BUY' OR path NOT LIKE '%' ORDER BY 1", nil, `["purchase"] ["screen_view"]`},
	{"SELECT count(*) FROM events WHERE path LIKE '\\%'", nil, `[0]`},
	{"SELECT count(*) FROM events WHERE status NOT IN (200, 201) AND status NOT BETWEEN 100 AND 199 AND NOT status IS NULL", nil, `[1]`},
	{"SELECT count(*) FROM events WHERE (status = 200) IS TRUE", nil, `[2]`},
	{"SELECT count(*) FROM events WHERE (status = 200) IS NOT TRUE", nil, `[6]`},
	{
		"SELECT date_trunc('week', ts) w, date_trunc('month', ts), date_trunc('minute', ts), date_trunc('quarter', ts), date_trunc('year', ts), ts + INTERVAL '2 hours', ts - INTERVAL 1 MONTH, epoch(ts) FROM events ORDER BY ts LIMIT 1", nil,
		`["2026-03-23T00:00:00Z","2026-03-01T00:00:00Z","2026-03-28T22:30:00Z","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z","2026-03-29T00:30:00Z","2026-02-28T22:30:00Z",1774737000]`,
	},
	{"SELECT a.c FROM (SELECT name AS c FROM events) a CROSS JOIN (SELECT 1 AS x) b, (SELECT 2 AS y) AS z WHERE z.y > b.x AND a.c = 'purchase' -- a comment\n;", nil, `["purchase"]`},
	{"SELECT e.name, v.events FROM visits v RIGHT JOIN events e ON v.session_id = e.session_id AND v.events > 100 ORDER BY e.ts LIMIT 1", nil, `["screen_view",null]`},
	{"SELECT \"name\" AS \"The Name\" FROM events ORDER BY \"The Name\" LIMIT 1 OFFSET 7", nil, `["screen_view"]`},
	{"SELECT name FROM events GROUP BY name ORDER BY count(*) DESC, lower(name) LIMIT 1", nil, `["api_call"]`},
	{"SELECT country || '-' || browser AS k, count(*) FROM events GROUP BY k ORDER BY k", nil, `["DE-Chrome",1] ["DE-Firefox",7]`},
	{"SELECT country || '-' || browser, max(status) FROM events GROUP BY country || '-' || browser ORDER BY 1 LIMIT 1", nil, `["DE-Chrome",null]`},
}

func testStatements(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := begin(t, open)
	p := statementWorld(t, s)
	e := statementEngine(s)
	t.Run("a statement is answered alike by each engine", func(t *testing.T) {
		for _, st := range statements {
			a, err := e.Run(t.Context(), p, insight.Statement{SQL: st.sql, Params: st.params, People: true})
			if err != nil {
				t.Errorf("%s: %v", st.sql, err)
				continue
			}
			if got := rowsOf(t, a); got != st.want {
				t.Errorf("%s\n  answers %s\n  want    %s", st.sql, got, st.want)
			}
		}
	})
	examples := manualStatements(t)
	if len(examples) < 5 {
		t.Errorf("the manual has %d examples", len(examples))
	}
	for _, example := range examples {
		if a, err := e.Run(t.Context(), p, insight.Statement{SQL: example, People: true}); err != nil || len(a.Rows) == 0 {
			t.Errorf("the manual's example answers %v, %v:\n%s", a, err, example)
		}
	}
}

// rowsOf is the answer as JSON, a row after the other.
func rowsOf(t *testing.T, a *insight.StatementAnswer) string {
	t.Helper()
	var rows []string
	for _, r := range a.Rows {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(b))
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.Join(rows, " "), `\u003c`, "<"), `\u003e`, ">")
}

// manualStatements are the examples of docs/sql.md.
func manualStatements(t *testing.T) []string {
	t.Helper()
	manual, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, part := range strings.Split(string(manual), "```sql\n")[1:] {
		example, _, _ := strings.Cut(part, "```")
		out = append(out, example)
	}
	return out
}
