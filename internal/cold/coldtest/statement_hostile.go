package coldtest

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// refusedStatements try to reach what is not theirs. Each is refused as wrong, without a word of the engine's.
var refusedStatements = []string{
	// other statements
	"INSERT INTO events SELECT * FROM events", "UPDATE events SET name = 'x'", "DELETE FROM events", "DROP TABLE events", "TRUNCATE events", "ALTER TABLE events ADD COLUMN x INT",
	"CREATE TABLE x AS SELECT 1", "CREATE VIEW x AS SELECT 1", "CREATE MACRO f(a) AS a", "CREATE OR REPLACE FUNCTION f AS (a) -> a", "CREATE USER eve", "GRANT ALL ON *.* TO eve",
	"ATTACH '/tmp/x.db' AS x", "DETACH weir", "USE system", "COPY events TO '/tmp/x.csv'", "COPY (SELECT * FROM events) TO '/tmp/x.parquet'", "EXPORT DATABASE '/tmp/x'", "IMPORT DATABASE '/tmp/x'",
	"INSTALL httpfs", "LOAD httpfs", "PRAGMA database_list", "PRAGMA table_info('events')", "SET enable_external_access = true", "SET readonly = 0", "RESET threads", "CALL pragma_version()", "CHECKPOINT", "VACUUM",
	"DESCRIBE events", "SHOW TABLES", "SHOW CREATE TABLE events", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "SUMMARIZE events", "EXISTS TABLE events", "SYSTEM SHUTDOWN", "KILL QUERY WHERE 1", "OPTIMIZE TABLE events FINAL",
	"BEGIN", "COMMIT", "PREPARE x AS SELECT 1", "EXECUTE x", "EXECUTE IMMEDIATE 'SELECT 1'", "FROM events", "FROM events SELECT *", "VALUES (1)", "TABLE events", "PIVOT events ON name", "UNPIVOT events ON name", "WITH x AS (INSERT INTO events SELECT 1) SELECT 1",
	"SELECT 1; SELECT 2", "SELECT 1; DROP TABLE events", "SELECT 1;; SELECT 1", "", ";", "--", "/*", "(", "SELECT",
	// other tables
	"SELECT * FROM sightings", "SELECT * FROM tallies", "SELECT * FROM identities", "SELECT * FROM aliases", "SELECT * FROM erasures", "SELECT * FROM deletions", "SELECT * FROM deleted_events", "SELECT * FROM dead_letters", "SELECT * FROM batches", "SELECT * FROM schema_version",
	"SELECT * FROM main.events", "SELECT * FROM weir.main.events", "SELECT * FROM \"main\".\"events\"", "SELECT * FROM \"main.events\"", "SELECT * FROM default.events", "SELECT * FROM `events`", "SELECT * FROM [events]", "SELECT * FROM EVENTS.events", "SELECT * FROM \"EVENTS\"", "SELECT * FROM \"events \"",
	"SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.columns", "SELECT * FROM duckdb_tables", "SELECT * FROM duckdb_tables()", "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_secrets()", "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_tables", "SELECT * FROM pg_class",
	"SELECT * FROM system.tables", "SELECT * FROM system.users", "SELECT * FROM system.query_log", "SELECT * FROM system.one", "SELECT * FROM events_local", "SELECT * FROM t1", "SELECT * FROM w1", "SELECT * FROM visits_now",
	// functions of tables, files and the network
	"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_csv_auto('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_blob('/etc/*')", "SELECT * FROM read_json('/etc/passwd')", "SELECT * FROM read_parquet('x')", "SELECT * FROM parquet_scan('x')", "SELECT * FROM glob('/*')", "SELECT * FROM sniff_csv('/etc/passwd')",
	"SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM 'weir.duckdb'", "SELECT * FROM \"weir.duckdb\"", "SELECT * FROM query('SELECT * FROM events')", "SELECT * FROM query_table('events')", "SELECT * FROM query_table(['events'])", "SELECT * FROM pragma_table_info('events')", "SELECT * FROM pragma_show('events')", "SELECT * FROM duckdb_logs",
	"SELECT * FROM url('http://127.0.0.1/', CSV, 'a String')", "SELECT * FROM file('/etc/passwd', 'TSV', 'a String')", "SELECT * FROM s3('http://x', 'CSV')", "SELECT * FROM remote('127.0.0.1', system.one)", "SELECT * FROM cluster('weir', system.one)", "SELECT * FROM clusterAllReplicas('weir', system.one)", "SELECT * FROM mysql('h:1', 'd', 't', 'u', 'p')", "SELECT * FROM postgresql('h:1', 'd', 't', 'u', 'p')", "SELECT * FROM jdbc('x', 'y')", "SELECT * FROM executable('x', TSV, 'a String')",
	"SELECT * FROM merge('default', '.*')", "SELECT * FROM merge(currentDatabase(), 'events')", "SELECT * FROM numbers(10)", "SELECT * FROM range(10)", "SELECT * FROM generate_series(1, 10)", "SELECT * FROM unnest([1])", "SELECT * FROM view(SELECT 1)", "SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('a Int'))", "SELECT * FROM dictionary('d')", "SELECT * FROM input('a Int')", "SELECT * FROM sqlite_scan('x', 'y')", "SELECT * FROM mergeTreeIndex('default', 'events')",
	// functions
	"SELECT getenv('HOME')", "SELECT current_setting('memory_limit')", "SELECT current_user", "SELECT current_user()", "SELECT \"current_user\"", "SELECT current_database()", "SELECT current_schema()", "SELECT current_schemas(true)", "SELECT current_query()", "SELECT session_user", "SELECT user", "SELECT version()", "SELECT pg_sleep(1)", "SELECT sleep(3)", "SELECT sleepEachRow(1)", "SELECT txid_current()", "SELECT nextval('x')",
	"SELECT read_text('/etc/passwd')", "SELECT file('/etc/passwd')", "SELECT getSetting('readonly')", "SELECT currentDatabase()", "SELECT hostName()", "SELECT serverUUID()", "SELECT getMacro('shard')", "SELECT dictGet('d', 'a', 1)", "SELECT joinGet('j', 'a', 1)", "SELECT catboostEvaluate('x', 1)", "SELECT addressToLine(1)", "SELECT demangle('x')", "SELECT throwIf(1)", "SELECT error('x')", "SELECT evalMLMethod(1, 2)", "SELECT hasColumnInTable('default', 'events', 'ts')", "SELECT main.lower('x')", "SELECT system.main.lower('x')", "SELECT struct_pack(a := 1)", "SELECT getvariable('x')", "SELECT eval('1')", "SELECT apply(events, x)",
	"SELECT list_transform([1], x -> x)", "SELECT arrayMap(x -> x, [1])", "SELECT [1, 2]", "SELECT {'a': 1}", "SELECT (1, 2)", "SELECT ROW(1, 2)", "SELECT array_agg(name) FROM events", "SELECT string_agg(name, ',') FROM events", "SELECT groupArray(name) FROM events", "SELECT repeat('x', 1000000000)", "SELECT lpad('x', 1000000000, 'y')", "SELECT range(1000000000)",
	// columns that are not there
	"SELECT project_id FROM events", "SELECT events.project_id FROM events", "SELECT \"project_id\" FROM events", "SELECT rowid FROM events", "SELECT _table FROM events", "SELECT _part FROM events", "SELECT _shard_num FROM events", "SELECT sign FROM visits", "SELECT version FROM visits", "SELECT seq FROM events", "SELECT t1.name FROM events", "SELECT c1 FROM events", "SELECT one FROM events", "SELECT events FROM events", "SELECT e FROM events e", "SELECT e.* FROM events", "SELECT main.events.name FROM events", "SELECT name FROM events WHERE project_id = 'other'", "SELECT count(*) FROM events GROUP BY project_id", "SELECT name FROM events ORDER BY project_id", "SELECT max(name) OVER (PARTITION BY project_id) FROM events",
	"SELECT COLUMNS('.*') FROM events", "SELECT * EXCLUDE (name) FROM events", "SELECT * REPLACE (1 AS name) FROM events", "SELECT COLUMNS(*) FROM events", "SELECT events.* EXCEPT name FROM events", "SELECT * LIKE 'a%' FROM events",
	// out of the place of the table
	"SELECT * FROM events) AS t1, events AS (SELECT 1", "SELECT * FROM events WHERE 1=1) UNION SELECT * FROM (SELECT * FROM events", "SELECT name FROM events UNION SELECT name FROM main.events", "SELECT name FROM events UNION ALL (SELECT token FROM batches)", "SELECT * FROM events, LATERAL (SELECT * FROM batches)", "SELECT * FROM events JOIN main.events e2 ON TRUE", "SELECT (SELECT max(name) FROM main.events)", "SELECT name FROM events WHERE name IN (SELECT name FROM main.events)", "SELECT name FROM events WHERE EXISTS (SELECT 1 FROM system.tables)", "SELECT name FROM events ORDER BY (SELECT 1 FROM batches)", "SELECT (SELECT count(*) FROM events e2 WHERE e2.name = e.name) FROM events e", "SELECT name FROM events e WHERE EXISTS (SELECT 1 FROM visits v WHERE v.country = e.name)", "SELECT ts FROM events WHERE ts > '2001-12-31'", "SELECT name FROM events LIMIT (SELECT 1)", "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM batches)) FROM events",
	"WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r", "WITH events AS (SELECT * FROM main.events) SELECT * FROM events", "WITH batches AS (SELECT * FROM batches) SELECT * FROM batches", "WITH a AS (SELECT * FROM b), b AS (SELECT * FROM batches) SELECT * FROM a", "WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a", "WITH 1 AS a SELECT a",
	"SELECT * FROM events SETTINGS readonly = 0", "SELECT * FROM events FORMAT CSV", "SELECT * FROM events INTO OUTFILE '/tmp/x'", "SELECT * FROM events FINAL", "SELECT * FROM events SAMPLE 1", "SELECT * FROM events TABLESAMPLE 10%", "SELECT * FROM events AT (VERSION => 1)", "SELECT * FROM events PREWHERE 1", "SELECT * FROM events QUALIFY 1", "SELECT * FROM events ARRAY JOIN [1] AS x", "SELECT * FROM events GLOBAL JOIN visits ON 1", "SELECT * FROM events ASOF JOIN visits USING (ts)", "SELECT * FROM events NATURAL JOIN visits", "SELECT * FROM events POSITIONAL JOIN visits", "SELECT name FROM events LIMIT 1 BY name", "SELECT name FROM events LIMIT 10%", "SELECT name FROM events GROUP BY ALL", "SELECT name FROM events ORDER BY ALL", "SELECT name, count(*) FROM events GROUP BY ROLLUP (name)", "SELECT name FROM events GROUP BY GROUPING SETS ((name))", "SELECT name FROM events FOR UPDATE", "SELECT name INTO x FROM events", "SELECT DISTINCT ON (name) name FROM events",
	// quotes, comments, escapes
	"SELECT 'a' FROM events WHERE name = '' OR project_id = '' --'", "SELECT 'unclosed", "SELECT \"unclosed", "SELECT /* /* nested */ */ 1", "SELECT $$text$$", "SELECT $tag$text$tag$", "SELECT E'\\x41'", "SELECT X'41'", "SELECT U&'\\0041'", "SELECT 1 # comment", "SELECT 'a\x00b'", "SELECT \"\"", "SELECT \\", "SELECT @x", "SELECT :x", "SELECT {x:String}", "SELECT ?", "SELECT $1", "SELECT $0", "SELECT $99999999999999999999", "SELECT ٣", "SELECT name FROM events WHERE name = ‘x’", "ＳＥＬＥＣＴ 1", "SELECT 1\u00a0", "SELECT\u200b1", "SELECT 1 \ufeff", "SELECT 'x'::json", "SELECT 'x'::events", "SELECT CAST('batches' AS regclass)", "SELECT 'x'::STRUCT(a INT)", "SELECT 1::INT[]", "SELECT name COLLATE nocase FROM events", "SELECT name FROM events WHERE name GLOB '*'", "SELECT name FROM events WHERE name SIMILAR TO 'x'", "SELECT name FROM events WHERE name ~ 'x'", "SELECT name[1] FROM events", "SELECT name->'x' FROM events", "SELECT 1 -> 2", "SELECT properties->>name FROM events", "SELECT name ->> 'x' FROM events", "SELECT name LIKE path FROM events", "SELECT name LIKE 'a' ESCAPE 'b' FROM events",
	// too much
	"SELECT " + strings.Repeat("(", 5000) + "1", "SELECT " + strings.Repeat("-", 9000) + "1", "SELECT " + strings.Repeat("NOT ", 3000) + "TRUE", "SELECT 1" + strings.Repeat("+1", 2000), "SELECT 1" + strings.Repeat(" UNION SELECT 1", 500), "SELECT * FROM events e0" + strings.Repeat(", events", 20), "SELECT 1" + strings.Repeat(", 1", 200), "SELECT '" + strings.Repeat("x", 40_000) + "'", "SELECT 1" + strings.Repeat("::int", 500), "SELECT " + strings.Repeat("local(", 20) + "ts" + strings.Repeat(")", 20) + " FROM events",
	"WITH a AS (SELECT path||path||path||path AS x FROM events), b AS (SELECT x||x||x||x AS x FROM a), c AS (SELECT x||x||x||x AS x FROM b) SELECT x||x FROM c", "SELECT replace(path, '/', '" + strings.Repeat("y", 900) + "') FROM events", "SELECT regexp_replace(path, '', '" + strings.Repeat("y", 90) + "', 'g') FROM events", "SELECT regexp_matches(path, '((((a{1000}){1000}){1000}))') FROM events", "SELECT regexp_matches(path, '(') FROM events", "SELECT regexp_matches(path, path) FROM events",
	"SELECT b+b AS a, a+a AS b FROM events GROUP BY lower(a)", "SELECT a AS a GROUP BY a", "SELECT name FROM events GROUP BY path", "SELECT count(*), name FROM events", "SELECT max(max(status)) FROM events", "SELECT name FROM events WHERE count(*) > 1",
}

// harmlessStatements look as if they tried, and answer with own rows alone.
var harmlessStatements = []string{
	"SELECT * FROM events", "SELECT * FROM visits", "SELECT * FROM profiles", "SELECT * FROM traits", "SELECT * FROM events, visits", "SELECT e.*, v.* FROM events e FULL JOIN visits v ON 1 = 1",
	"SELECT * FROM events WHERE 1 = 1 OR 1 = 1", "SELECT * FROM events WHERE TRUE OR name = 'x' -- AND project_id = 'own'", "SELECT * FROM events /*WHERE-project_id='own'*/", "SELECT * FROM events WHERE name = 'x'' OR 1=1 --' OR 1 = 1", "SELECT * FROM events WHERE name LIKE '%' OR path LIKE '%ALIEN%'",
	"SELECT max(status), max(latency_ms), max(revenue), count(*), sum(revenue) FROM events", "SELECT max(path), max(country), max(browser), max(name) FROM events", "SELECT path FROM events ORDER BY path DESC", "SELECT DISTINCT country FROM events", "SELECT path FROM events UNION SELECT path FROM events UNION SELECT country FROM visits",
	"WITH events AS (SELECT * FROM events) SELECT * FROM events", "WITH visits AS (SELECT * FROM events), events AS (SELECT * FROM visits) SELECT * FROM events", "WITH w1 AS (SELECT 1 AS c1), t1 AS (SELECT 2 AS c1) SELECT * FROM w1, t1", "WITH batches AS (SELECT * FROM events) SELECT * FROM batches", "WITH \"main.events\" AS (SELECT name FROM events) SELECT * FROM \"main.events\"", "WITH a(x, y) AS (SELECT name, path FROM events) SELECT x FROM a",
	"SELECT name AS project_id FROM events ORDER BY project_id", "SELECT 1 AS one, 2 AS \"t1.c1\", 3 AS \"x\"\"; DROP TABLE events; --\"", "SELECT name \"' OR 1=1 --\" FROM events", "SELECT count(*) AS \"?\", 1 AS \"@\", 2 AS \"{1}\", 3 AS \"\\\" FROM events WHERE name <> '?@{1}\\'''", "SELECT '\\'' OR 1=1 --' FROM events", "SELECT '{p1:String}', '$1', '?', '@', '{1}'",
	"SELECT * FROM (SELECT * FROM (SELECT * FROM events) a) b", "SELECT * FROM events a JOIN events b ON a.name <> b.name OR TRUE", "SELECT count(*) FROM events a, events b, visits c", "SELECT max(path) OVER () FROM events", "SELECT last_value(path) OVER (ORDER BY path ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM events",
	"SELECT path::integer, name::timestamp, path::boolean, path::double FROM events WHERE path::integer IS NULL", "SELECT count(*) FROM events WHERE sqrt(-status) > 0 OR 1 / (status - 7000000) > 0 OR power(latency_ms, 1000) > 0 OR exp(latency_ms) > 0", "SELECT properties.seats * 1e308 * 1e308, exp(properties.seats::double * 1000), power(10, 400) FROM events", "SELECT split_part(path, '/', 1000000), substring(path, 1000000, 0), left(path, 0), round(latency_ms, 300) FROM events", "SELECT ts + INTERVAL 50 YEAR + INTERVAL 50 YEAR - INTERVAL 20000 DAY, date_trunc('year', '9999-12-31'::text::timestamp), local(path::timestamp) FROM events",
	"SELECT properties ->> '$.*', properties ->> '/plan', properties ->> '', properties.\"a.b\", properties.\"'\" FROM events", "SELECT regexp_replace(path, '(/)', '\\\\\\1\\0'), regexp_extract(path, '\\Qa\\E|(?i)x', 0) FROM events", "sElEcT/**/name/**/fRoM/**/events--x", "SELECT-1,+2,- -3,NOT NOT TRUE", "SELECT \"events\".\"name\" FROM \"events\"", "(((SELECT name FROM events)))", "SELECT ts FROM events WHERE ts > '2002-01-01' AND ts < '9999-12-31'", "SELECT 9223372036854775807, -9223372036854775807, 1e308, 9223372036854775807 + 1, 99999999999999999999",
}

// testHostileStatements runs statements that try to reach another project's rows, or anything else: none does.
func testHostileStatements(t *testing.T, open func(t *testing.T, dir string) cold.Store, p Part) {
	s := begin(t, open)
	project := statementWorld(t, s)
	e := statementEngine(s)
	t.Run("no statement reaches rows of another project", func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, people := range []bool{true, false} {
			for _, sql := range refusedStatements {
				for _, written := range []string{sql, disguised(r, sql)} {
					a, err := e.Run(t.Context(), project, insight.Statement{SQL: written, People: people})
					if weir.ErrorCode(err) != weir.EINVALID || !strings.HasPrefix(weir.ErrorMessage(err), "sql: line ") {
						t.Errorf("%.200q: %v, %v; want it to be refused", written, a, err)
					}
				}
			}
		}
		for i, sql := range harmlessStatements {
			for _, written := range []string{sql, disguised(r, sql)} {
				if written != sql && i%p.Of != 0 {
					continue
				}
				a, err := e.Run(t.Context(), project, insight.Statement{SQL: written, People: true})
				if err != nil {
					t.Errorf("%.200q: %v", written, err)
					continue
				}
				checkOwn(t, written, a)
			}
		}
	})
	t.Run("who may not see people has no columns and tables of them", func(t *testing.T) {
		for _, sql := range []string{"SELECT person FROM events", "SELECT profile_id FROM events", "SELECT device_id FROM visits", "SELECT session_id FROM events", "SELECT count(DISTINCT person) FROM visits", "SELECT * FROM profiles", "SELECT * FROM traits"} {
			if _, err := e.Run(t.Context(), project, insight.Statement{SQL: sql}); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%s without the right to see people: %v", sql, err)
			}
		}
		a, err := e.Run(t.Context(), project, insight.Statement{SQL: "SELECT * FROM events, visits"})
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(a); strings.Contains(string(b), `"d1"`) || strings.Contains(string(b), "anna") {
			t.Errorf("who may not see people gets %s", b)
		}
	})
}

// checkOwn fails if an answer has a value of the other project.
func checkOwn(t *testing.T, sql string, a *insight.StatementAnswer) {
	t.Helper()
	// What the statement itself says is no value of a row.
	for _, row := range a.Rows {
		for _, v := range row {
			switch v := v.(type) {
			case string:
				if strings.Contains(v, alien) {
					t.Errorf("%q: an answer of another project: %s", sql, v)
				}
			case float64:
				if v == alienNumber || v > alienNumber && v < alienNumber+100 || v == 50*alienNumber {
					t.Errorf("%q: an answer of another project: %v", sql, v)
				}
			case int64:
				if v >= alienNumber && v < alienNumber+100 {
					t.Errorf("%q: an answer of another project: %v", sql, v)
				}
			}
		}
	}
}

// disguised is a statement with other capitals, blanks and comments outside of quotes.
func disguised(r *rand.Rand, sql string) string {
	blanks := []string{" ", "\n", "\t", "/**/", " /* ' \" -- */ ", "--x'\n", "\r\n"}
	if strings.Contains(sql, "--") { // a line break would end the comment
		blanks = blanks[:1]
	}
	var b strings.Builder
	quote := rune(0)
	for i, c := range sql {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
			b.WriteRune(c)
		case c == '\'' || c == '"' || c == '`':
			quote = c
			b.WriteRune(c)
		case c == ' ' && i > 0 && sql[i-1] != '-':
			b.WriteString(blanks[r.IntN(len(blanks))])
		case unicode.IsLetter(c) && c < 128 && r.IntN(2) == 0:
			b.WriteRune(unicode.ToUpper(c))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
