package bench_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weir-analytics/weir/bench"
)

func TestQuantilesAreThoseOfTheSortedSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var whole, left, right bench.Histogram
	var all []time.Duration
	for i := range 10_001 {
		d := time.Duration(rng.ExpFloat64() * float64(3*time.Millisecond))
		all = append(all, d)
		whole.Add(d)
		if i%2 == 0 {
			left.Add(d)
		} else {
			right.Add(d)
		}
	}
	left.Merge(&right)
	slices.Sort(all)
	for _, q := range []float64{0, 0.01, 0.5, 0.95, 0.99, 0.999, 1} {
		want := all[max(int(q*float64(len(all))+0.5), 1)-1]
		got := whole.Quantile(q)
		if got < want || float64(got) > float64(want)*1.016 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
		if merged := left.Quantile(q); merged != got {
			t.Errorf("quantile %v of the merged halves is %v, want %v", q, merged, got)
		}
	}
	if whole.Max() != all[len(all)-1] || whole.Count() != 10_001 {
		t.Errorf("max %v, count %d", whole.Max(), whole.Count())
	}
}

func TestASmallHistogramIsExact(t *testing.T) {
	var h bench.Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram has values")
	}
	for _, d := range []time.Duration{-5, 10, 20, 63} {
		h.Add(d)
	}
	if h.Quantile(0.5) != 10 || h.Quantile(1) != 63 || h.Mean() != 23 {
		t.Errorf("p50 %v, p100 %v, mean %v", h.Quantile(0.5), h.Quantile(1), h.Mean())
	}
}

func FuzzHistogram(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(64))
	f.Add(int64(1) << 62)
	f.Fuzz(func(t *testing.T, n int64) {
		var h bench.Histogram
		h.Add(time.Duration(n))
		want := max(time.Duration(n), 0)
		if got := h.Quantile(0.5); got != want {
			t.Errorf("the quantile of %v alone is %v", want, got)
		}
		h.Add(1 << 62)
		if got := h.Quantile(0.5); got < want || float64(got) > float64(want)*1.016 {
			t.Errorf("the lesser of two is %v, want %v", got, want)
		}
	})
}
