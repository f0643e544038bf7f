package dump_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/dump"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
)

// fuzz feeds a vendor's importer with anything. Whatever comes in, each record is
// an error, is left out or makes events, and the server reads what is written.
func fuzz(f *testing.F, vendor string) {
	files, err := filepath.Glob(filepath.Join("testdata", vendor, "*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".golden") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		// Small ones: a record each, and of CSV the names before it.
		lines := strings.SplitAfter(string(content), "\n")
		switch {
		case strings.HasSuffix(name, ".csv"):
			for _, line := range lines[1:min(4, len(lines))] {
				f.Add(lines[0] + line)
			}
		case strings.HasSuffix(name, ".jsonl"):
			for _, line := range lines[:min(8, len(lines))] {
				f.Add(line)
			}
		default:
			f.Add(string(content))
		}
	}
	f.Add("[{}]")
	f.Add("a,b\n\"")
	f.Fuzz(func(t *testing.T, content string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		defer func() {
			if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 64<<20 {
				t.Errorf("%d MB were allocated", (after.TotalAlloc-before.TotalAlloc)>>20)
			}
		}()
		var body []byte
		n := 0
		o := dump.Options{Memory: 1 << 10}
		// Read twice, as a join does; what is wrong with the file is no matter.
		_ = dump.Read(t.Context(), vendor, []dump.Table{text("a", content), text("b", content)}, o, func(r *dump.Record) error {
			if said := min(len(r.Events), 1) + min(len(r.Left), 1); r.Err != nil && said > 0 || r.Err == nil && said != 1 {
				t.Fatalf("record with %d events, left out %q, error %v", len(r.Events), r.Left, r.Err)
			}
			if r.Line == 0 && r.Offset == 0 {
				t.Fatalf("a record without a place")
			}
			for i := range r.Events {
				if r.Events[i].Event.ID == "" {
					r.Events[i].Event.ID = "i"
				}
				body = append(dump.AppendEvent(body, &r.Events[i]), '\n')
				n++
			}
			return nil
		})
		if n == 0 {
			return
		}
		in, rejected, err := native.Decode(body, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), wire.DefaultLimits())
		if err != nil || len(in)+len(rejected) != n {
			t.Fatalf("%d events and %d rejections of %d, error %v", len(in), len(rejected), n, err)
		}
		for _, x := range rejected {
			switch x.Reason {
			case wire.ReasonTimeAncient, wire.ReasonTimeFuture, wire.ReasonTooMany, wire.ReasonTooLarge:
			default:
				t.Fatalf("rejected: %v", x)
			}
		}
	})
}

func FuzzPostHog(f *testing.F)   { fuzz(f, "posthog") }
func FuzzOpenPanel(f *testing.F) { fuzz(f, "openpanel") }
func FuzzPlausible(f *testing.F) { fuzz(f, "plausible") }
func FuzzUmami(f *testing.F)     { fuzz(f, "umami") }
func FuzzGA4(f *testing.F)       { fuzz(f, "ga4") }
func FuzzMatomo(f *testing.F)    { fuzz(f, "matomo") }
