package duckdb

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/rand"
	"path/filepath"
	"testing"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func genBatch(r *rand.Rand, n, k int, seq uint64) *cold.Batch {
	b := &cold.Batch{Token: fmt.Sprintf("logid-0-%d", seq), First: seq, Last: seq + uint64(n) - 1, Now: time.Now()}
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seq) * time.Second / 4)
	for i := range n {
		e := weir.EventRow{Seq: seq + uint64(i)}
		e.ID = fmt.Sprintf("0190%08x-%04x-7000-8000-%012x", r.Uint32(), r.Intn(65536), r.Int63n(1<<47))
		e.ProjectID = "demo1234"
		e.Name = []string{"screen_view", "screen_view", "click", "api_call"}[r.Intn(4)]
		e.Time = base.Add(time.Duration(i) * time.Second / 4)
		e.ReceivedAt = e.Time.Add(time.Second)
		d := r.Intn(300000)
		e.DeviceID = fmt.Sprintf("%016x%016x", uint64(d)*0x9E3779B97F4A7C15, uint64(d)*0xC2B2AE3D27D4EB4F)
		e.SessionID = fmt.Sprintf("%016x%016x", uint64(d)*0x9E3779B97F4A7C16, seq)
		e.Path = fmt.Sprintf("/blog/articles/some-article-%d", r.Intn(500))
		e.Origin = "https://www.example.com"
		e.Title = "Some article of the blog"
		e.Referrer = "google.com"
		e.Channel = "search"
		e.Country = "DE"; e.Region = "Bavaria"; e.City = "Munich"
		e.Browser = "Chrome"; e.BrowserVersion = "131.0.0"; e.OS = "Windows"; e.OSVersion = "10"; e.DeviceType = "desktop"
		e.Language = "de-DE"; e.Library = "web/1.2.3"
		e.Properties = json.RawMessage(fmt.Sprintf(`{"plan":"pro","price":%d,"items":["a","b"],"screen":"1920x1080"}`, r.Intn(1000)))
		if e.Name == "api_call" {
			e.Call = &weir.Call{Method: "GET", Route: "/api/v1/users/:id", Status: 200, LatencyMS: r.Float64() * 100, Consumer: "acme"}
		}
		if e.Name == "click" { e.InheritedFrom = e.ID; e.ClosesEventID = e.ID; e.ClosesPath = e.Path; e.ClosesMS = 1234 }
		b.Events = append(b.Events, e)
		if i%4 == 0 {
			b.Visits = append(b.Visits, weir.VisitRow{ProjectID: e.ProjectID, DeviceID: e.DeviceID, SessionID: e.SessionID, Start: e.Time, End: e.Time, Entry: e.Path, Exit: e.Path, EntryAt: e.Time, ExitAt: e.Time, Events: 4, Country: "DE"})
		}
	}
	return b
}

func TestTmp(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "x.duckdb"), Options{})
	if err != nil { t.Fatal(err) }
	b := genBatch(rand.New(rand.NewSource(1)), 5000, 0, 1)
	for range 2 {
		w, err := s.Write(context.Background(), b)
		fmt.Println(w, err)
	}
	rows, err := s.Query(context.Background(), "select count(*), count(distinct path), min(title), count(status) from events")
	if err != nil { t.Fatal(err) }
	for rows.Next() { var a, b, d int; var c string; rows.Scan(&a, &b, &c, &d); fmt.Println(a, b, c, d) }
	rows.Close()
	if err := s.Close(); err != nil { t.Fatal(err) }
}

func BenchmarkWrite(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "x.duckdb"), Options{})
	if err != nil { b.Fatal(err) }
	defer s.Close()
	bt := genBatch(rand.New(rand.NewSource(1)), 10000, 0, 1)
	b.ResetTimer()
	for i := range b.N {
		bt.Token = fmt.Sprint("t", i)
		if _, err := s.Write(context.Background(), bt); err != nil { b.Fatal(err) }
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkFillOnly(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "x.duckdb"), Options{})
	if err != nil { b.Fatal(err) }
	defer s.Close()
	bt := genBatch(rand.New(rand.NewSource(1)), 10000, 0, 1)
	bt.Token="x"
	s.Write(context.Background(), bt)
	c := s.w.chunks["events"]
	b.Run("validate", func(b *testing.B) { for range b.N { validate(bt.Events) } })
	b.Run("fill", func(b *testing.B) { for range b.N { c.reset(); for i := range bt.Events { if c.full() { c.reset() }; putEvent(c, &bt.Events[i]) } } })
}

func BenchmarkAppendRow(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "x.duckdb"), Options{})
	if err != nil { b.Fatal(err) }
	defer s.Close()
	bt := genBatch(rand.New(rand.NewSource(1)), 10000, 0, 1)
	ctx := context.Background()
	conn, _ := s.db.Conn(ctx)
	b.ResetTimer()
	for range b.N {
		conn.Raw(func(dc any) error {
			cn := dc.(*duck.Conn)
			cn.ExecContext(ctx, "BEGIN TRANSACTION", nil)
			a, err := duck.NewAppenderFromConn(cn, "", "events")
			if err != nil { b.Fatal(err) }
			for i := range bt.Events {
				r := &bt.Events[i]
				var m, ro, st, la, co driver.Value
				if r.Call != nil { m, ro, st, la, co = r.Call.Method, r.Call.Route, int32(r.Call.Status), r.Call.LatencyMS, r.Call.Consumer }
				err := a.AppendRow(r.ProjectID, r.Time, r.Name, r.ID, r.ReceivedAt, r.ProfileID, r.DeviceID, r.SessionID, r.Path, r.Origin, r.Title, r.Referrer, r.Channel, r.UTMSource, r.UTMMedium, r.UTMCampaign, r.UTMTerm, r.UTMContent, r.Country, r.Region, r.City, r.Browser, r.BrowserVersion, r.OS, r.OSVersion, r.DeviceType, r.Bot, r.Language, r.Library, m, ro, st, la, co, nil, r.Currency, string(r.Properties), r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS, int32(r.Shard), r.Seq)
				if err != nil { b.Fatal(err) }
			}
			if err := a.Close(); err != nil { b.Fatal(err) }
			_, err = cn.ExecContext(ctx, "COMMIT", nil)
			if err != nil { b.Fatal(err) }
			return nil
		})
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "rows/s")
}
