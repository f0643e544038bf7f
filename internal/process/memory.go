// Package process bounds and measures the process that Weir runs as: its memory, by parts
// of the budget, and its open files.
package process

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	gometrics "runtime/metrics"
	"time"

	"github.com/weir-analytics/weir/internal/memory"
)

// BoundMemory sets Go's limits to the budget and logs how the budget is divided. Limits
// that the environment sets (GOMEMLIMIT, GOGC) stay.
func BoundMemory(p memory.Parts, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(p.Go))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(p.GCPercent())
	}
	attrs := []any{"total", p.Total}
	for _, part := range partsOf(p) {
		if part.size > 0 {
			attrs = append(attrs, part.name, part.size)
		}
	}
	log.Info("memory is divided", attrs...)
	if n, err := memory.Available(); err == nil && p.Total > n*100/memory.Share {
		log.Warn("the machine or container has less memory than --memory; the process may be killed", "memory", p.Total, "available", n*100/memory.Share)
	}
}

const (
	// trimEvery is how often an idle process returns unneeded memory to the system.
	trimEvery = 20 * time.Second
	// busyTrims makes a busy process do so only every busyTrims-th time, because it needs most
	// of that memory again.
	busyTrims = 3
)

// idleAllocs is how many bytes Go allocates within trimEvery, at most, in a process that
// idles. Some 400 events/s take this much. The drain's look at the open visits of 100,000 devices
// takes 95 MB by itself, once a minute.
const idleAllocs = 128 << 20

// KeepTrimmed returns unneeded memory to the system until ctx is done: what trimMalloc
// returns, and pages of the program's file that were read at the start. While the process idles,
// it also returns memory of the stores (trimStores), and what Go's heap keeps for the next
// collections. It always returns nil.
func KeepTrimmed(ctx context.Context, trimMalloc func(), trimStores []func(context.Context) error, log *slog.Logger) error {
	t := time.NewTicker(trimEvery)
	defer t.Stop()
	before := uint64(0)
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			now := allocated()
			idle := now-before < idleAllocs
			before = now
			if idle {
				for _, trim := range trimStores {
					if err := trim(ctx); err != nil && ctx.Err() == nil {
						log.Warn("an idle store keeps its memory", "error", err)
					}
				}
				// This collects garbage, for which an idle process has the time.
				debug.FreeOSMemory()
				before = allocated()
			} else if n%busyTrims != 0 {
				continue
			}
			trimMalloc()
			if err := DropPages(); err != nil {
				log.Warn("pages of the program's file cannot be returned; not trying again", "error", err)
				return nil
			}
		}
	}
}

// allocated returns the bytes that Go has allocated since the start.
func allocated() uint64 {
	s := []gometrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	gometrics.Read(s)
	return s[0].Value.Uint64()
}

type part struct {
	name string
	size memory.Size
}

// partsOf returns the parts with their names in the log and in metrics.
func partsOf(p memory.Parts) []part {
	return []part{
		{"program", p.Program},
		{"go", p.Go},
		{"hot", p.Hot},
		{"cold", p.Cold},
		{"cold_extra", p.ColdExtra},
		{"bodies", p.Bodies},
		{"batches", p.Batches},
		{"visits", p.Visits},
		{"presence", p.Presence},
		{"counts", p.Counts},
		{"ids", p.IDs},
		{"pages", p.Pages},
		{"answers", p.Answers},
		{"kept_answers", p.Kept},
	}
}
