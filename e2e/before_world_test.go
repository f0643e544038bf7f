package e2e_test

import (
	"archive/tar"
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redistest"
)

// stores are the stores of one weir, which can be saved to a file and made of one.
type stores struct {
	data       string
	redis      *redistest.Server      // nil: Pebble
	clickhouse *clickhousetest.Server // nil: DuckDB
}

// newStores returns empty stores: a folder, or Redis, ClickHouse and a folder for meta.
func newStores(t *testing.T, remote bool) *stores {
	t.Helper()
	s := &stores{data: t.TempDir()}
	if remote {
		s.redis, s.clickhouse = redistest.Start(t), clickhousetest.Start(t)
	}
	return s
}

func (s *stores) args() []string {
	args := []string{"--data", s.data, "--shards", "2"}
	if s.redis != nil {
		args = append(args, "--hot", s.redis.URL(), "--cold", s.clickhouse.URL("weir"))
	}
	return args
}

// Files of an archive that stand for the data of a server.
const (
	redisFile      = "redis.jsonl"
	clickhouseFile = "clickhouse.sql"
)

// redisKey is a line of redisFile. Redis can restore what a server of the same or of
// an earlier version dumped.
type redisKey struct {
	Key, Dump string // base64
	TTL       string // milliseconds, 0 is none
}

// save writes the stores of a stopped weir to an archive.
func (s *stores) save(t *testing.T, file string) {
	t.Helper()
	if s.redis != nil {
		write(t, filepath.Join(s.data, redisFile), s.dumpRedis(t))
		write(t, filepath.Join(s.data, clickhouseFile), s.dumpClickHouse())
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "LOCK" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.data, path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	pack(t, file, out.Bytes())
}

// pack writes a compressed file, which unpacked reads.
func pack(t *testing.T, file string, content []byte) {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, w.EncodeAll(content, nil))
}

func unpacked(t *testing.T, file string) []byte {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := r.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *stores) dumpRedis(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	for key := range strings.SplitSeq(s.redis.Do("KEYS", "*"), "\n") {
		ttl := s.redis.Do("PTTL", key)
		if strings.HasPrefix(ttl, "-") {
			ttl = "0"
		}
		line, err := json.Marshal(redisKey{key, base64.StdEncoding.EncodeToString([]byte(s.redis.Do("DUMP", key))), ttl})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	return out.Bytes()
}

// dumpClickHouse returns statements, each with a line that is a semicolon after it.
func (s *stores) dumpClickHouse() []byte {
	var out bytes.Buffer
	for table := range strings.SplitSeq(s.clickhouse.Do("SELECT name FROM system.tables WHERE database = 'weir' ORDER BY name"), "\n") {
		fmt.Fprintf(&out, "%s\n;\n", s.clickhouse.Do("SHOW CREATE TABLE weir."+table+" FORMAT TabSeparatedRaw"))
		if s.clickhouse.Do("SELECT count() FROM weir."+table) != "0" {
			fmt.Fprintf(&out, "INSERT INTO weir.%s FORMAT JSONEachRow\n%s\n;\n", table,
				s.clickhouse.Do("SELECT * FROM weir."+table+" FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 1"))
		}
	}
	return out.Bytes()
}

// load makes stores of an archive that save wrote.
func (s *stores) load(t *testing.T, file string) {
	t.Helper()
	for archive := tar.NewReader(bytes.NewReader(unpacked(t, file))); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Name {
		case redisFile:
			s.loadRedis(t, content)
		case clickhouseFile:
			s.loadClickHouse(content)
		default:
			path := filepath.Join(s.data, filepath.FromSlash(h.Name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, path, content)
		}
	}
}

func (s *stores) loadRedis(t *testing.T, lines []byte) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var k redisKey
		if err := json.Unmarshal(line, &k); err != nil {
			t.Fatal(err)
		}
		dump, err := base64.StdEncoding.DecodeString(k.Dump)
		if err != nil {
			t.Fatal(err)
		}
		s.redis.Do("RESTORE", k.Key, k.TTL, string(dump))
	}
}

func (s *stores) loadClickHouse(script []byte) {
	s.clickhouse.Do("CREATE DATABASE IF NOT EXISTS weir")
	for statement := range strings.SplitSeq(string(script), "\n;\n") {
		if statement != "" {
			s.clickhouse.Do(statement)
		}
	}
}

// earlierAnswers are the answers of an earlier version.
type earlierAnswers struct {
	Asked   time.Time
	Answers []answered
}

// startAt starts today's weir with a clock that shows a time of the past.
func (s *stores) startAt(t *testing.T, at time.Time) *server {
	t.Helper()
	clock := filepath.Join(t.TempDir(), "clock")
	write(t, clock, []byte(time.Until(at).String()))
	w := spawnWith(t, []string{"WEIR_ADMIN_TOKEN=" + adminToken, "WEIR_TEST_CLOCK=" + clock},
		binary(t, "clocked"), append(s.args(), "--listen", freeAddr(t))...)
	w.waitListening()
	w.waitReady()
	return w
}

// answered is a question with its answer, as an answers file has them.
type answered struct {
	Question string // method and path
	Body     string
	Answer   any
}

// volatile are fields whose value is of the moment.
var volatile = map[string]bool{
	"as_of": true, "elapsed_ms": true, "cached": true, "received_at": true, "computed_at": true, "checked_at": true, "since": true, "state": true,
	"message": true, // prose
}

// stable leaves out of an answer what depends on the moment, and the project's id.
func stable(v any, project string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if !volatile[k] {
				out[k] = stable(e, project)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = stable(v[i], project)
		}
		return out
	case string:
		return strings.ReplaceAll(v, project, "PROJECT")
	}
	return v
}

// common leaves out of an answer the fields that an earlier version's does not have.
func common(v, before any) any {
	switch v := v.(type) {
	case map[string]any:
		of, _ := before.(map[string]any)
		out := map[string]any{}
		for k, e := range v {
			if b, ok := of[k]; ok {
				out[k] = common(e, b)
			}
		}
		return out
	case []any:
		of, _ := before.([]any)
		out := make([]any, len(v))
		for i := range v {
			if out[i] = v[i]; i < len(of) {
				out[i] = common(v[i], of[i])
			}
		}
		return out
	}
	return v
}

// answers asks all questions.
func (s *server) answers(p project) (out []answered) {
	s.t.Helper()
	for _, q := range beforeQuestions() {
		method, path, _ := strings.Cut(q.Question, " ")
		var body io.Reader
		if q.Body != "" {
			body = strings.NewReader(q.Body)
		}
		raw, status := s.do(method, "/api/v1/projects/"+p.ID+path, adminToken, "application/json", body)
		var answer any = string(raw)
		if strings.HasPrefix(string(raw), "{") {
			if err := json.Unmarshal(raw, &answer); err != nil {
				s.t.Fatal(err)
			}
		}
		q.Answer = map[string]any{strconv.Itoa(status): stable(answer, p.ID)}
		out = append(out, q)
	}
	return out
}

// undrained counts the events that were accepted and are not in the cold tier. It opens
// the hot tier, which may change its files.
func (s *stores) undrained(t *testing.T) uint64 {
	t.Helper()
	open := alone{data: s.data}.openLog
	if s.redis != nil {
		open = func() (hot.Store, func(), error) { return (&fleet{t: t, hot: s.redis.URL()}).openLog() }
	}
	log, closeLog, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog()
	n, err := waiting(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// addDeadLetter stores an event as refused, in the cold tier of a stopped weir: no event
// that today's servers accept is refused there.
func (s *stores) addDeadLetter(t *testing.T, p project) {
	t.Helper()
	const columns = "(project_id, shard, seq, reason, event, refused_at)"
	row := "'" + p.ID + `', 0, 1, 'revenue is not a finite number', '{"ID":"dead-1","ProjectID":"` + p.ID + `","Name":"broken","ProfileID":"zoe","DeviceID":"d-3"}'`
	if s.clickhouse != nil {
		s.clickhouse.Do("INSERT INTO weir.dead_letters " + columns + " VALUES (" + row + ", '2026-11-24 08:00:00')")
		return
	}
	db, err := sql.Open("duckdb", filepath.Join(s.data, "cold.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO dead_letters " + columns + " VALUES (" + row + ", '2026-11-24 08:00:00')"); err != nil {
		t.Fatal(err)
	}
}
