package clickhouse

import (
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2/lib/column"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
)

// BenchmarkEncode makes the bytes of an insert of 10,000 events: with the columns of
// this package, and with those of clickhouse-go, a value at a time. One op is one
// event.
func BenchmarkEncode(b *testing.B) {
	var rows []weir.EventRow
	now := time.Now()
	for e := range bench.Mix(1, bench.Plan{Project: "p", From: now.Add(-time.Hour), To: now, Events: 10_000}) {
		rows = append(rows, weir.EventRow{Event: e, Seq: uint64(len(rows))})
	}
	from := originOf(&cold.Batch{Log: "log"})
	b.Run("columns=own", func(b *testing.B) {
		b.ReportAllocs()
		blk := newBlock(events)
		var buf proto.Buffer
		for i := 0; i < b.N; i += len(rows) {
			fill(blk, events, rows[:min(len(rows), b.N-i)], from)
			buf.Reset()
			for _, c := range blk.input {
				c.Data.EncodeColumn(&buf)
			}
			blk.reset()
		}
	})
	b.Run("columns=clickhouse-go", func(b *testing.B) {
		b.ReportAllocs()
		blk := newBlock(events)
		fresh := func() []driver.Interface {
			var out []driver.Interface
			for _, c := range blk.input {
				col, err := driver.Type(c.Data.Type()).Column(c.Name, &driver.ServerContext{Timezone: time.UTC})
				if err != nil {
					b.Fatal(err)
				}
				out = append(out, col)
			}
			return out
		}
		values := make([][]any, len(rows))
		for i := range rows {
			values[i] = valuesOf(&rows[i])
		}
		b.ResetTimer()
		columns := fresh()
		var buf proto.Buffer
		for i := 0; i < b.N; i++ {
			row := values[i%len(rows)]
			for j, c := range columns {
				if err := c.AppendRow(row[j]); err != nil {
					b.Fatal(blk.input[j].Name, err)
				}
			}
			if (i+1)%len(rows) == 0 {
				buf.Reset()
				for _, c := range columns {
					c.Encode(&buf)
				}
				columns = fresh()
			}
		}
	})
}

// valuesOf is an event as values in boxes, ready for clickhouse-go.
func valuesOf(r *weir.EventRow) []any {
	call := func(f func(*weir.Call) any) any {
		if r.Call == nil {
			return nil
		}
		return f(r.Call)
	}
	return []any{
		r.ProjectID, r.Time, weir.Quarter(r.Time), r.Name, r.ID, r.ReceivedAt, r.ProfileID, r.DeviceID, r.SessionID, weir.Person(r.ProfileID, r.DeviceID),
		r.Path, r.Origin, r.Title, r.Referrer, r.Channel, r.UTMSource, r.UTMMedium, r.UTMCampaign, r.UTMTerm, r.UTMContent,
		r.Country, r.Region, r.City, r.Browser, r.BrowserVersion, r.OS, r.OSVersion, r.DeviceType, r.Bot, r.Language, r.Library,
		call(func(c *weir.Call) any { return c.Method }), call(func(c *weir.Call) any { return c.Route }),
		call(func(c *weir.Call) any { return int32(c.Status) }), call(func(c *weir.Call) any { return c.LatencyMS }),
		call(func(c *weir.Call) any { return c.Consumer }), r.Revenue, r.Currency, string(r.Properties),
		r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS, int32(r.Shard), r.Seq, "log",
	}
}
