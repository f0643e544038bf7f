package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/memory"
)

func TestAMemorySizeThatIsTooSmallIsRefusedAtTheStart(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--memory", "100MB"}, "give the process 384MB or more"},
		{[]string{"--memory", "512"}, "want a size such as 512MB or 2GB"},
		{[]string{"--memory", "1GB", "--cold-memory", "32MB"}, "DuckDB cannot work with 32MB: give it 64MB or more"},
		{[]string{"--memory", "512MB", "--cold-memory", "1GB"}, "or DuckDB less"},
		{[]string{"--hot", "redis://127.0.0.1:1", "--memory", "100MB"}, "give the process"},
		{[]string{"--cold", "clickhouse://127.0.0.1:1", "--cold-memory", "1GB"}, "--cold-memory is for a DuckDB file"},
	} {
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, c.args...)
		got := weirs(t, args...)
		if got.status == 0 || !oneLine(got.stderr) || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: %+v, want %q", c.args, got, c.says)
		}
	}
}

// Or so many heads that do not end take more than there is.
func TestConnectionsByDefaultFollowTheMemory(t *testing.T) {
	for _, c := range []struct {
		total memory.Size
		room  int
		want  int
	}{
		{memory.Least, 18_800, 1464},
		{512 * memory.MB, 18_800, 1953},
		{512 * memory.MB, 512, 512},
		{8 * memory.GB, 18_800, 4096},
		{8 * memory.GB, 2896, 2896},
	} {
		if got := defaultConns(c.total, c.room); got != c.want {
			t.Errorf("%s and room for %d files: %d, want %d", c.total, c.room, got, c.want)
		}
	}
}

func TestAServerSaysHowItDividesItsMemoryAndShowsWhatIsUsed(t *testing.T) {
	r := serves(t, t.TempDir(), "--memory", "512MB")
	if line := r.log.String(); !regexp.MustCompile(`msg="memory is divided" total=512MB program=\d+MB go=\d+MB hot=\d+MB cold=\d+MB`).MatchString(line) {
		t.Errorf("log: %s", line)
	}
	resp, err := http.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`weir_memory_limit_bytes{part="total"} 5.12e+08`,
		`weir_memory_limit_bytes{part="go"} `, `weir_memory_used_bytes{part="go"} `,
		`weir_memory_limit_bytes{part="cold"} `, `weir_memory_used_bytes{part="cold"} `,
		`weir_memory_limit_bytes{part="hot"} `, `weir_memory_used_bytes{part="total"} `,
		`weir_memory_limit_bytes{part="kept_answers"} `, `weir_memory_used_bytes{part="kept_answers"} 0`,
		"weir_memory_spilled_bytes 0",
	} {
		if !strings.Contains(string(b), "\n"+want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
