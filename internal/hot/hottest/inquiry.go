package hottest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// called returns a call of a device of its own.
func (f *fixture) called(id, route string, status int, consumer string, at time.Time) weir.Event {
	e := f.event(id, "d"+id)
	e.Name, e.Time, e.Call = weir.NameCall, at, &weir.Call{Method: "GET", Route: route, Status: status, Consumer: consumer}
	return e
}

func (f *fixture) inquire(in hot.Inquiry) hot.Findings {
	f.t.Helper()
	got, err := f.Inquire(f.t.Context(), "p", in)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(got.Tables) != len(in.Tables) || len(got.Devices) != len(in.Devices) {
		f.t.Fatalf("%d tables and %d counts of devices, asked for %d and %d", len(got.Tables), len(got.Devices), len(in.Tables), len(in.Devices))
	}
	return got
}

// checkInquiry asks for each dimension of the last n buckets of each grain, and
// compares with what Members, Series and Uniques say.
func (f *fixture) checkInquiry(n int) {
	f.t.Helper()
	now := f.clock.Now()
	var in hot.Inquiry
	for _, g := range hot.Grains {
		var starts []time.Time
		for t := now; len(starts) < n; t = starts[0].Add(-time.Second) {
			starts = slices.Insert(starts, 0, g.Start(t, time.UTC))
		}
		for _, d := range hot.Dimensions {
			in.Tables = append(in.Tables, hot.Question{Grain: g, Dimension: d, Starts: starts})
		}
		in.Devices = append(in.Devices, hot.Bucket{Grain: g, Start: starts[n-1].Unix()})
	}
	in.Live = now
	got := f.inquire(in)
	for i, q := range in.Tables {
		from, to := q.Starts[0], q.Starts[n-1].Add(time.Second)
		members, err := f.Members(f.t.Context(), "p", q.Grain, q.Dimension, from, to, 0)
		if err != nil {
			f.t.Fatal(err)
		}
		table := got.Tables[i]
		var rest int64
		var want []hot.Row
		for _, m := range members {
			if m.Rest {
				rest = m.Count
				continue
			}
			row := hot.Row{Member: m.Name, Sum: m.Count, Counts: make([]int64, n)}
			points, err := f.Series(f.t.Context(), "p", q.Grain, q.Dimension, m.Name, from, to)
			if err != nil {
				f.t.Fatal(err)
			}
			for _, p := range points {
				row.Counts[slices.IndexFunc(q.Starts, p.Start.Equal)] = p.Count
			}
			want = append(want, row)
		}
		rows := slices.DeleteFunc(slices.Clone(table.Rows), func(r hot.Row) bool { return r.Sum == 0 })
		slices.SortStableFunc(rows, func(a, b hot.Row) int {
			return slices.Index(names(want), a.Member) - slices.Index(names(want), b.Member)
		})
		if d := cmp.Diff(want, rows); d != "" && len(want)+len(rows) > 0 {
			f.t.Fatalf("%c by %c: members and series (-), an inquiry (+):\n%s", q.Grain, q.Dimension, d)
		}
		for i, r := range table.Rows[:max(0, len(table.Rows)-1)] {
			if r.Sum < table.Rows[i+1].Sum {
				f.t.Fatalf("%c by %c: %v before %v", q.Grain, q.Dimension, r, table.Rows[i+1])
			}
		}
		var others int64
		for _, c := range table.Others {
			others += c
		}
		if table.Rest != rest || others != rest || table.Members != len(want) {
			f.t.Fatalf("%c by %c: %d beyond the cap, others %d, %d members; want %d, as much, %d", q.Grain, q.Dimension, table.Rest, others, table.Members, rest, len(want))
		}
	}
	for i, b := range in.Devices {
		at := time.Unix(b.Start, 0)
		want, err := f.Uniques(f.t.Context(), "p", b.Grain, at, at.Add(time.Second))
		if err != nil || got.Devices[i] != want {
			f.t.Fatalf("%c: %d devices, want %d (%v)", b.Grain, got.Devices[i], want, err)
		}
	}
	want, err := f.Live(f.t.Context(), "p", now)
	if err != nil || got.Live != want {
		f.t.Fatalf("%d live, want %d (%v)", got.Live, want, err)
	}
}

func names(rows []hot.Row) (names []string) {
	for _, r := range rows {
		names = append(names, r.Member)
	}
	return names
}
