package bench_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/bench"
)

func TestAProcessesUseIsReadWhateverItsName(t *testing.T) {
	stat := "42 (we ) ir) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 9 0 100 1000000 2500 18446744073709551615\n"
	status := "Name:\tweir\nVmPeak:\t  999 kB\nVmHWM:\t   20000 kB\nVmRSS:\t   10000 kB\n"
	got, err := bench.ParseProcess([]byte(stat), []byte(status))
	if err != nil {
		t.Fatal(err)
	}
	want := bench.Process{Name: "we ) ir", CPU: 2 * time.Second, RSS: 10000 << 10, Peak: 20000 << 10}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAProcessThatIsNotUnderstoodIsAnError(t *testing.T) {
	good := "1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1"
	for _, c := range [][2]string{
		{"", ""},
		{"1 (x) S 1 2", ""},
		{"1 (x) S 1 1 1 1 1 1 1 1 1 1 a 1 1 1", ""},
		{good, "VmRSS:\t many kB\n"},
	} {
		if _, err := bench.ParseProcess([]byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("no error for %q", c)
		}
	}
}

func TestThisProcessHasMemoryAndAnUnknownOneIsAnError(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	if p, err := bench.ReadProcess(os.Getpid()); err != nil || p.RSS <= 0 || p.Peak < p.RSS {
		t.Errorf("use is %+v, error %v", p, err)
	}
	if _, err := bench.ReadProcess(1 << 30); err == nil {
		t.Error("no error for a process that is not there")
	}
}

func FuzzParseProcess(f *testing.F) {
	f.Add([]byte("1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1"), []byte("VmRSS:\t 5 kB\n"))
	f.Fuzz(func(t *testing.T, stat, status []byte) {
		one, err1 := bench.ParseProcess(stat, status)
		// A longer name changes nothing else.
		two, err2 := bench.ParseProcess(append([]byte("7 (a) b "), stat...), status)
		one.Name, two.Name = "", ""
		if err1 == nil && (err2 != nil || one != two) {
			t.Errorf("%+v became %+v, %v", one, two, err2)
		}
	})
}
