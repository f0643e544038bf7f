package accesslog_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/accesslog"
)

// sample is the real log that the demo shows.
const sample = "../../internal/demo/access.log.gz"

func readSample(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestARealLogHasItsKnownNumbers(t *testing.T) {
	p := newParser(t, accesslog.Combined)
	days, statuses, paths := map[string]int{}, map[int]int{}, map[string]int{}
	var rejected []int
	var e accesslog.Entry
	s := accesslog.NewScanner(bytes.NewReader(readSample(t)))
	for s.Next() {
		if err := p.Parse(s.Bytes(), &e); err != nil {
			rejected = append(rejected, s.Line())
			continue
		}
		days[e.Time.Format("2006-01-02")]++
		statuses[e.Status]++
		paths[e.Path]++
	}
	if diff := cmp.Diff([]int{8899}, rejected); diff != "" {
		t.Errorf("rejected lines (-want +got):\n%s", diff)
	}
	wantDays := map[string]int{"2015-05-17": 1632, "2015-05-18": 2893, "2015-05-19": 2896, "2015-05-20": 2578}
	if diff := cmp.Diff(wantDays, days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if statuses[200] != 9125 || statuses[404] != 213 || statuses[500] != 3 {
		t.Errorf("statuses are %v", statuses)
	}
	if n := paths["/favicon.ico"]; n != 807 {
		t.Errorf("/favicon.ico was asked for %d times, want 807", n)
	}
}

func TestALineCostsAtMostOneAllocation(t *testing.T) {
	line := []byte(`192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /docs?a=b HTTP/1.1" 200 20302 "https://example.com/docs" "Mozilla/5.0 (X11; Linux x86_64)"`)
	p := newParser(t, accesslog.Combined)
	var e accesslog.Entry
	allocs := testing.AllocsPerRun(100, func() {
		if err := p.Parse(line, &e); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 {
		t.Errorf("%v allocations, want at most the copy of the line", allocs)
	}
}

func BenchmarkCombined(b *testing.B) {
	log := readSample(b)
	p := newParser(b, accesslog.Combined)
	var e accesslog.Entry
	lines := 0
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		s := accesslog.NewScanner(bytes.NewReader(log))
		for s.Next() {
			_ = p.Parse(s.Bytes(), &e) // one line is broken
			lines++
		}
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkCaddy(b *testing.B) {
	log := read(b, "testdata/caddy.log")
	line := log[:bytes.IndexByte(log, '\n')]
	p := newParser(b, accesslog.Caddy)
	var e accesslog.Entry
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Parse(line, &e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
