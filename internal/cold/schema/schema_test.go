package schema_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

func TestColumnsAreNamedOnce(t *testing.T) {
	tables := map[string]bool{}
	for _, table := range schema.All() {
		if tables[table.Name] {
			t.Errorf("table %s is described twice", table.Name)
		}
		tables[table.Name] = true
		columns := map[string]bool{}
		for _, c := range append(table.Columns, table.Origin...) {
			if columns[c.Name] {
				t.Errorf("column %s of %s is described twice", c.Name, table.Name)
			}
			columns[c.Name] = true
		}
	}
}

// A row that is read as it was written is the same row.
func TestScannerReadsEveryStoredColumn(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	columns := schema.Events.Stored()
	values := map[string]any{
		"ts": at, "received_at": at, "bot": true, "status": int64(200), "latency_ms": 1.5, "revenue": 2.5,
		"properties": []byte(`{"a":1}`), "request_bytes": int64(0), "response_bytes": int64(1 << 53), "closes_ms": int64(9), "replaces_ms": 0.0, "rest_ms": 4.0, "shard": int64(3), "seq": int64(7),
	}
	read := func(null bool) weir.EventRow {
		var r weir.EventRow
		err := schema.Scanner(columns)(func(dest ...any) error {
			for i, c := range columns {
				v, ok := values[c.Name]
				if !ok {
					v = c.Name
				}
				if null && c.Null != schema.Never {
					v = nil
				}
				if err := assign(dest[i], v); err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
			}
			return nil
		}, &r)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := weir.EventRow{
		Event: weir.Event{
			ID: "id", ProjectID: "project_id", Name: "name", Time: at.UTC(), ReceivedAt: at.UTC(), ProfileID: "profile_id", DeviceID: "device_id", SessionID: "session_id",
			Path: "path", Origin: "origin", Title: "title", Referrer: "referrer", Channel: "channel",
			UTMSource: "utm_source", UTMMedium: "utm_medium", UTMCampaign: "utm_campaign", UTMTerm: "utm_term", UTMContent: "utm_content",
			Country: "country", Region: "region", City: "city", Browser: "browser", BrowserVersion: "browser_version", OS: "os", OSVersion: "os_version",
			DeviceType: "device_type", Bot: true, Language: "language", Library: "library", ImportID: "import_id",
			Call: &weir.Call{
				Method: "method", Route: "route", Status: 200, LatencyMS: weir.Known(1.5), Consumer: "consumer",
				RequestBytes: weir.Known(0), ResponseBytes: weir.Known(1 << 53), Error: "error", TraceID: "trace_id",
			},
			Revenue: weir.Known(2.5), Currency: "currency", Properties: []byte(`{"a":1}`),
		},
		Shard: 3, Seq: 7, InheritedFrom: "inherited_from", ClosesEventID: "closes_event_id", ClosesPath: "closes_path", ClosesMS: 9,
		ReplacesMS: weir.Known(0.0), RestMS: weir.Known(4.0),
	}
	if d := cmp.Diff(want, read(false)); d != "" {
		t.Error(d)
	}
	want.Call, want.Revenue, want.Properties, want.ImportID = nil, weir.Number{}, nil, ""
	want.ReplacesMS, want.RestMS = weir.Number{}, weir.Number{}
	if d := cmp.Diff(want, read(true)); d != "" {
		t.Errorf("with NULL: %s", d)
	}
}

func TestOffsetIsOfFieldsOfTheRowAlone(t *testing.T) {
	r := weir.EventRow{Event: weir.Event{Path: "/a"}, ClosesPath: "/b"}
	for want, f := range map[string]func(*weir.EventRow) *string{
		"/a": func(r *weir.EventRow) *string { return &r.Path },
		"/b": func(r *weir.EventRow) *string { return &r.ClosesPath },
	} {
		at, ok := schema.Offset(f)
		if !ok || *schema.At[string](&r, at) != want {
			t.Errorf("%s is not found at %d", want, at)
		}
	}
	elsewhere := "x"
	if _, ok := schema.Offset(func(*weir.EventRow) *string { return &elsewhere }); ok {
		t.Error("a value outside of the row has an offset")
	}
	if _, ok := schema.Offset(func(*weir.EventRow) *string { return nil }); ok {
		t.Error("no value has an offset")
	}
}

// assign is what database/sql does with a value of a result.
func assign(dest, v any) error {
	if s, ok := dest.(interface{ Scan(any) error }); ok {
		return s.Scan(v)
	}
	switch d := dest.(type) {
	case *string:
		*d = v.(string)
	case *[]byte:
		*d, _ = v.([]byte)
	case *bool:
		*d = v.(bool)
	case *int:
		*d = int(v.(int64))
	case *int64:
		*d = v.(int64)
	case *uint64:
		*d = uint64(v.(int64))
	case *time.Time:
		*d = v.(time.Time)
	default:
		return fmt.Errorf("destination of type %T", dest)
	}
	return nil
}
