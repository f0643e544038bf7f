package clickhousetest_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/weir-analytics/weir/internal/clickhousetest"
)

func TestAServerThatAbortedIsStartedAgain(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
	s.Do("INSERT INTO t VALUES (7)")
	was := s.PID()
	if err := syscall.Kill(was, syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(time.Minute)
	for {
		if got, err := s.Try("SELECT n FROM t"); err == nil && s.PID() != was {
			if got != "7" {
				t.Errorf("it has %q", got)
			}
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("it does not come back")
		}
	}
}

func TestAServerAnswers(t *testing.T) {
	s := clickhousetest.Start(t)
	if got := s.Do("SELECT number, 'a\tb' FROM numbers(2)"); got != "0\ta\\tb\n1\ta\\tb" {
		t.Errorf("answer is %q", got)
	}
	if got := s.Do("CREATE DATABASE weir"); got != "" {
		t.Errorf("answer to a statement is %q", got)
	}
	if _, err := s.Try("SELECT 1 FROM weir.nothing"); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TABLE") {
		t.Errorf("error is %v", err)
	}
	// The status has been sent when it happens, but for a server that waits.
	if _, err := s.Try("SELECT throwIf(number = 1000000) FROM numbers(1000001)"); err == nil || !strings.Contains(err.Error(), "throwIf") {
		t.Errorf("late error is %v", err)
	}
}

func TestAServerSpeaksTheNativeProtocol(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE DATABASE weir")
	s.Do("CREATE TABLE weir.t (a Int64, b String) ENGINE = MergeTree ORDER BY a")
	if want := "clickhouse://default@" + s.Addr + "/weir"; s.URL("weir") != want {
		t.Errorf("URL %q, want %q", s.URL("weir"), want)
	}
	db := open(t, s.URL("weir"))
	batch, err := db.PrepareBatch(t.Context(), "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := batch.Append(int64(i), fmt.Sprint("b", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	if got := s.Do("SELECT sum(a), max(b) FROM weir.t"); got != "45\tb9" {
		t.Errorf("the table has %q", got)
	}
}

func TestAUserMayDoWhatIsGranted(t *testing.T) {
	s := clickhousetest.Start(t, clickhousetest.User("reader", "se<cr>&t/", "SELECT ON weir.seen"))
	s.Do("CREATE DATABASE weir")
	for _, table := range []string{"seen", "hidden"} {
		s.Do("CREATE TABLE weir." + table + " ENGINE = MergeTree ORDER BY a AS SELECT 7 AS a")
	}
	db := open(t, s.URLAs("reader", "weir"))
	var a uint8
	if err := db.QueryRow(t.Context(), "SELECT a FROM seen").Scan(&a); err != nil || a != 7 {
		t.Errorf("the reader sees %d, %v", a, err)
	}
	for _, refused := range []string{"SELECT a FROM hidden", "INSERT INTO seen VALUES (1)", "CREATE TABLE more (a UInt8) ENGINE = Memory"} {
		if err := db.Exec(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "ACCESS_DENIED") && !strings.Contains(err.Error(), "Not enough privileges") {
			t.Errorf("%s: error is %v", refused, err)
		}
	}
	wrong := open(t, strings.Replace(s.URLAs("reader", "weir"), "reader:", "reader:x", 1))
	if err := wrong.Ping(t.Context()); err == nil {
		t.Error("a wrong password does")
	}
}

func TestAKilledServerKeepsItsTables(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE DATABASE weir")
	s.Do("CREATE TABLE weir.t (a Int64) ENGINE = MergeTree ORDER BY a")
	s.Do("INSERT INTO weir.t SELECT number FROM numbers(1000)")
	s.Kill()
	s.Kill()
	if s.PID() != 0 {
		t.Error("a killed server has a pid")
	}
	if _, err := s.Try("SELECT 1"); err == nil {
		t.Error("a killed server answers")
	}
	s.Restart()
	if got := s.Do("SELECT count(), sum(a) FROM weir.t"); got != "1000\t499500" {
		t.Errorf("after the restart the table has %q", got)
	}
}

func TestAStoppedServerWritesWhatItHolds(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE DATABASE weir")
	s.Do("CREATE TABLE weir.t (a Int64) ENGINE = MergeTree ORDER BY a")
	s.Do("CREATE TABLE weir.memory AS weir.t ENGINE = Buffer(weir, t, 1, 600, 600, 1000000, 1000000, 1000000000, 1000000000)")
	for _, end := range []struct {
		name string
		end  func()
		want string
	}{{"Kill", s.Kill, "0"}, {"Stop", s.Stop, "1"}} {
		s.Do("INSERT INTO weir.memory VALUES (1)")
		end.end()
		if s.PID() != 0 {
			t.Errorf("%s: it has a pid", end.name)
		}
		s.Restart()
		if got := s.Do("SELECT count() FROM weir.t"); got != end.want {
			t.Errorf("%s: the table has %s rows, want %s", end.name, got, end.want)
		}
	}
}

func TestAPausedServerAnswersWhenItGoesOn(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Pause()
	c, err := net.Dial("tcp", s.HTTP) // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /ping HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if reply, err := io.ReadAll(c); !os.IsTimeout(err) {
		t.Errorf("a paused server replied %q, %v", reply, err)
	}
	s.Resume()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if reply, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(reply), "Ok.\n") {
		t.Errorf("a resumed server replied %q, %v", reply, err)
	}
}

func TestServersEndWithTheirTest(t *testing.T) {
	var s *clickhousetest.Server
	t.Run("one", func(t *testing.T) { s = clickhousetest.Start(t) })
	if s == nil {
		t.Skip("no server was started")
	}
	if s.PID() != 0 {
		t.Errorf("process %d is left", s.PID())
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestTheLauncherIsCompiledOnce(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Run("by several at once", func(t *testing.T) {
		for i := range 3 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				clickhousetest.Start(t)
			})
		}
	})
	var files []string
	err := filepath.WalkDir(cache, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Errorf("the cache has %q", files)
	}
}

func TestWithoutTheLibraryATestIsSkippedOrFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("WEIR_TEST_CLICKHOUSE", "")
	for _, c := range []struct{ strict, want string }{{"", "skip: "}, {"1", "fatal: "}} {
		t.Setenv("WEIR_TEST_STRICT", c.strict)
		w := &witness{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			clickhousetest.Start(w)
		}()
		<-done
		if !strings.HasPrefix(w.end, c.want) || !strings.Contains(w.end, "libchdb.so") {
			t.Errorf("WEIR_TEST_STRICT=%q: the test ends with %q, want %q and the file", c.strict, w.end, c.want)
		}
	}
}

// witness is a test that tells how it was ended.
type witness struct {
	testing.TB
	end string
}

func (w *witness) Skip(args ...any)  { w.exit("skip: ", args) }
func (w *witness) Fatal(args ...any) { w.exit("fatal: ", args) }

func (w *witness) exit(how string, args []any) {
	w.end = how + fmt.Sprint(args...)
	runtime.Goexit()
}

func open(t *testing.T, url string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
