package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestASecondServerOnTheSameDataIsRefused(t *testing.T) {
	data := t.TempDir()
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	second := launch(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	<-second.done
	if second.err == nil || !strings.Contains(second.log.String(), "another weir is running") {
		t.Fatalf("%v: %s", second.err, second.log)
	}
	s.project("UTC") // the first one goes on
	s.stop()
}

func TestDataOfANewerVersionIsRefused(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "FORMAT"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := launch(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	<-s.done
	if s.err == nil || !strings.Contains(s.log.String(), "newer version") {
		t.Fatalf("%v: %s", s.err, s.log)
	}
}

func TestACrashWhileTheDataFolderWasMadeIsNoNewerVersion(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "FORMAT"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	s.stop()
	if got, err := os.ReadFile(filepath.Join(data, "FORMAT")); err != nil || string(got) != "1\n" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestAStopInTheMiddleOfSendingLosesNothing(t *testing.T) {
	t.Parallel()
	data, addr := t.TempDir(), freeAddr(t)
	s := start(t, binary(t, ""), "--listen", addr, "--data", data)
	p := s.project("UTC")
	var acked atomic.Int64
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				body := strings.Builder{}
				for j := range 50 {
					fmt.Fprintf(&body, "{\"id\":\"%d-%d-%d\",\"name\":\"x\",\"device_id\":\"d%d\"}\n", c, i, j, j)
				}
				req, err := http.NewRequest("POST", "http://"+addr+"/v1/events", strings.NewReader(body.String()))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+p.Key)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					return // stopped
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					return
				}
				acked.Add(50)
			}
		})
	}
	for acked.Load() < 5000 {
		time.Sleep(time.Millisecond)
	}
	s.stop() // with SIGTERM
	wg.Wait()
	if !strings.Contains(s.log.String(), "stopped") {
		t.Fatalf("no orderly stop:\n%s", s.log)
	}
	s = start(t, binary(t, ""), "--listen", addr, "--data", data)
	var tr trend
	s.query(p, map[string]any{"kind": "trend", "from": "-1d", "interval": "day", "series": []any{map[string]any{"math": "total"}}}, &tr)
	// A request that was cut off may be stored without having been acknowledged.
	if n := int64(tr.Series[0].Total); n < acked.Load() || n > acked.Load()+200 {
		t.Fatalf("%d events are stored, %d were acknowledged", n, acked.Load())
	}
	s.stop()
}

func TestAFullDiskRefusesAndKeepsWhatItHas(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
		if os.Getenv("WEIR_TEST_STRICT") != "" {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", filepath.Join(disk, "data"), "--min-free", "64")
	p := s.project("UTC")
	s.send(p, `[{"name":"before"},{"name":"before"}]`)

	filler := filepath.Join(disk, "filler")
	var st syscall.Statfs_t
	if err := syscall.Statfs(disk, &st); err != nil {
		t.Fatal(err)
	}
	size := int64(st.Bavail)*st.Bsize - 32<<20
	if err := os.WriteFile(filler, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // the disk is looked at four times a second
	req, err := http.NewRequest("POST", s.url+"/v1/events", strings.NewReader(`{"name":"refused"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	count := func() int {
		var tr trend
		s.query(p, map[string]any{"kind": "trend", "from": "-1d", "interval": "day", "series": []any{map[string]any{"math": "total"}}}, &tr)
		return int(tr.Series[0].Total)
	}
	if n := count(); n != 2 {
		t.Fatalf("%d events, want 2", n)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	s.send(p, `{"name":"after"}`)
	if n := count(); n != 3 {
		t.Fatalf("%d events, want 3", n)
	}
	s.stop()
}
