package duckdb

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"testing"
	"time"
)

func TestReplay(t *testing.T) {
	p := "/tmp/replay.duckdb"
	if os.Getenv("REOPEN") != "" {
		wi, _ := os.Stat(p + ".wal")
		fi, _ := os.Stat(p)
		t0 := time.Now(); c0 := cpu()
		s, err := Open(p, Options{})
		if err != nil { t.Fatal(err) }
		if wi != nil { fmt.Print("wal ", wi.Size()>>20) }
		fmt.Println(" file", fi.Size()>>20, "open", time.Since(t0), "cpu", cpu()-c0, "rss", rss())
		t0 = time.Now()
		if err := s.Close(); err != nil { t.Fatal(err) }
		fmt.Println("close", time.Since(t0))
		return
	}
	os.Remove(p); os.Remove(p+".wal")
	s, err := Open(p, Options{})
	if err != nil { t.Fatal(err) }
	s.db.Exec("set global wal_autocheckpoint='"+os.Getenv("WAL")+"'")
	r := rand.New(rand.NewSource(1))
	var n int
	fmt.Sscan(os.Getenv("N"), &n)
	for i := range n {
		b := genBatch(r, 10000, 0, uint64(i*10000+1))
		if _, err := s.Write(context.Background(), b); err != nil { t.Fatal(err) }
	}
	os.Exit(0)
}
