package bench

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram counts durations. A quantile is at most 0.8 % more than exact. The zero value
// is empty.
type Histogram struct {
	counts *hdrhistogram.Histogram // nil while it is empty; some 60 KB
	max    time.Duration
	sum    time.Duration
}

func (h *Histogram) grow() {
	if h.counts == nil {
		h.counts = hdrhistogram.New(1, math.MaxInt64, 2)
	}
}

// Add counts a duration; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	h.grow()
	d = max(d, 0)
	_ = h.counts.RecordValue(int64(d)) // every value is in its range
	h.sum += d
	h.max = max(h.max, d)
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	if other.counts == nil {
		return
	}
	h.grow()
	h.counts.Merge(other.counts)
	h.sum += other.sum
	h.max = max(h.max, other.max)
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 {
	if h.counts == nil {
		return 0
	}
	return uint64(h.counts.TotalCount())
}

// Max returns the longest of them, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean returns their mean, exactly; 0 if there are none.
func (h *Histogram) Mean() time.Duration {
	if h.counts == nil {
		return 0
	}
	return h.sum / time.Duration(h.counts.TotalCount())
}

// Quantile returns the least duration that a share q, in [0, 1], of all does not exceed;
// 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.counts == nil {
		return 0
	}
	q = max(q, 1/float64(h.counts.TotalCount())) // at least the shortest
	return min(time.Duration(h.counts.ValueAtQuantile(100*q)), h.max)
}
