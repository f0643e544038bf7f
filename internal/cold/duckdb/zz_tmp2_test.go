package duckdb

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rss() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	var a, r int64
	fmt.Sscan(string(b), &a, &r)
	return r * 4096 >> 20
}

func TestPhases(t *testing.T) {
	p := filepath.Join(t.TempDir(), "x.duckdb")
	s, err := Open(p, Options{})
	if err != nil { t.Fatal(err) }
	defer s.Close()
	fmt.Println("rss open", rss())
	if q := os.Getenv("PRE"); q != "" { if _, err := s.db.Exec(q); err != nil { t.Fatal(err) } }
	r := rand.New(rand.NewSource(1))
	var tv, tt, tb, ta, tc, tot time.Duration
	n := 40
	for i := range n {
		b := genBatch(r, 10000, 0, uint64(i*10000+1))
		c0 := cpu()
		validate(b.Events)
		c1 := cpu()
		var one int
		s.db.QueryRowContext(context.Background(), "SELECT 1 FROM batches WHERE token = ?", b.Token).Scan(&one)
		c2 := cpu()
		s.w.exec("BEGIN TRANSACTION")
		if err := appendRows(s.w, "events", b.Events, putEvent); err != nil { t.Fatal(err) }
		c3 := cpu()
		if os.Getenv("NOV") == "" { appendRows(s.w, "visits", b.Visits, putVisit) }
		s.w.exec(fmt.Sprintf("insert into batches values ('%s',0,0,0,now()::timestamp)", b.Token))
		c4 := cpu()
		w4 := time.Now()
		if err := s.w.exec("COMMIT"); err != nil { t.Fatal(err) }
		c5 := cpu()
		if time.Since(w4) > 80*time.Millisecond { fmt.Println("commit cpu", c5-c4, "wall", time.Since(w4)) }
		tv += c1 - c0; tt += c2 - c1; tb += c3 - c2; ta += c4 - c3; tc += c5 - c4; tot += c5 - c0
	}
	k := time.Duration(n)
	fmt.Println("validate", tv/k, "token", tt/k, "events", tb/k, "visits", ta/k, "commit", tc/k, "total", tot/k, "rss", rss())
	fi, _ := os.Stat(p); wi, _ := os.Stat(p + ".wal")
	fmt.Println("file", fi.Size()>>20, "wal", wi.Size()>>20)
}
