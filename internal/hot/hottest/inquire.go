package hottest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testInquire(t *testing.T) {
	t.Run("an inquiry agrees with the counters after each append, late ones and restarts included", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.MaxMembers = 6 })
		random := rand.New(rand.NewPCG(1, 2))
		f.checkInquiry(3)
		for round := range 40 {
			var events []weir.Event
			for i := range 1 + random.IntN(12) {
				id := fmt.Sprint(round, "-", i)
				at := f.clock.Now()
				if random.IntN(4) == 0 {
					at = at.Add(-time.Duration(random.IntN(180)) * time.Minute)
				}
				e := f.called(id, fmt.Sprint("/", random.IntN(3+round/2)), []int{0, 200, 302, 404, 503}[random.IntN(5)], fmt.Sprint("c", random.IntN(9)), at)
				e.DeviceID = fmt.Sprint("d", random.IntN(30))
				if random.IntN(3) == 0 {
					e.Name, e.Call = fmt.Sprint("name", random.IntN(4)), nil
				}
				events = append(events, e)
			}
			f.append(events...)
			f.append(events[0]) // again: nothing changes
			if f.checkInquiry(3); round%13 == 12 {
				f.reopen()
				f.checkInquiry(3)
			}
			f.clock.Add(time.Duration(random.IntN(50)) * time.Second)
		}
	})
	t.Run("rows are the most counted ones, with the same members' count elsewhere, and the others are one sum", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		var events []weir.Event
		for i := range 15 { // /1 once, /2 twice …; every third call fails
			route := []string{"/1", "/2", "/2", "/3", "/3", "/3", "/4", "/4", "/4", "/4", "/5", "/5", "/5", "/5", "/5"}[i]
			events = append(events, f.called(fmt.Sprint(i), route, []int{200, 200, 500}[i%3], "", now.Add(-time.Duration(i%2)*time.Minute)))
		}
		f.append(events...)
		minute := hot.Minute.Start(now, time.UTC)
		q := hot.Question{Grain: hot.Minute, Dimension: hot.Route, Starts: []time.Time{minute.Add(-time.Minute), minute}, Top: 2, AlsoCount: hot.Failed}
		want := hot.Table{
			Rows: []hot.Row{
				{Member: "/5", Sum: 5, Counts: []int64{2, 3}, AlsoCount: 2},
				{Member: "/4", Sum: 4, Counts: []int64{2, 2}, AlsoCount: 1},
			},
			Others: []int64{3, 3}, Members: 5,
		}
		only := q
		only.Only, only.AlsoCount = "/3", 0
		none := only
		none.Only = "/nowhere"
		named := q // /1 and /5 are one, /4 stays, and the others are a third
		named.Named = func(member string) string {
			return map[string]string{"/1": "/:id", "/5": "/:id", "/2": "/x", "/3": "/x"}[member] + map[string]string{"/4": "/4"}[member]
		}
		namedOnly := named
		namedOnly.Only, namedOnly.AlsoCount = "/x", 0
		namedNone := namedOnly
		namedNone.Only = "/2"
		got := f.inquire(hot.Inquiry{Tables: []hot.Question{q, only, none, named, namedOnly, namedNone}})
		together := hot.Table{
			Rows: []hot.Row{
				{Member: "/:id", Sum: 6, Counts: []int64{2, 4}, AlsoCount: 2},
				{Member: "/x", Sum: 5, Counts: []int64{3, 2}, AlsoCount: 2},
			},
			Others: []int64{2, 2}, Members: 3,
		}
		if d := cmp.Diff(together, got.Tables[3]); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(want, got.Tables[0]); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]hot.Row{{Member: "/x", Sum: 5, Counts: []int64{3, 2}}}, got.Tables[4].Rows); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]hot.Row{{Member: "/2", Counts: []int64{0, 0}}}, got.Tables[5].Rows); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]hot.Row{{Member: "/3", Sum: 3, Counts: []int64{2, 1}}}, got.Tables[1].Rows); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]hot.Row{{Member: "/nowhere", Counts: []int64{0, 0}}}, got.Tables[2].Rows); d != "" {
			t.Error(d)
		}
	})
	t.Run("a bucket of which the totals are known already tells its members too", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		f.append(f.called("1", "/a", 404, "c", now))
		f.reopen()
		q := func(d hot.Dimension) hot.Question {
			return hot.Question{Grain: hot.Hour, Dimension: d, Starts: []time.Time{hot.Hour.Start(now, time.UTC)}}
		}
		for _, questions := range [][]hot.Question{
			{q(hot.Total)}, {q(hot.Total), q(hot.Status)}, {q(hot.Total), q(hot.Route), q(hot.Status)}, {q(hot.Consumer)}, {q(hot.Total), q(hot.Failed)},
		} {
			for i, table := range f.inquire(hot.Inquiry{Tables: questions}).Tables {
				if len(table.Rows) != 1 || table.Rows[0].Sum != 1 {
					t.Errorf("by %c after %d others: %+v, want one row of one", questions[i].Dimension, i, table)
				}
			}
		}
	})
	t.Run("a member that is called other is not what is beyond the cap", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.MaxMembers = 2 })
		now := f.clock.Now()
		for i, route := range []string{hot.Other, "/a", "/b", "/c", hot.Other} {
			e := f.called(fmt.Sprint(i), route, 500, "", now)
			e.DeviceID = "d" // one shard
			f.append(e)
		}
		for range 2 {
			day := hot.Day.Start(now, time.UTC)
			got := f.inquire(hot.Inquiry{Tables: []hot.Question{{Grain: hot.Day, Dimension: hot.Route, Starts: []time.Time{day}, AlsoCount: hot.Failed}}}).Tables[0]
			want := hot.Table{
				Rows:   []hot.Row{{Member: hot.Other, Sum: 2, Counts: []int64{2}, AlsoCount: 2}, {Member: "/a", Sum: 1, Counts: []int64{1}, AlsoCount: 1}},
				Others: []int64{2}, Rest: 2, Members: 2,
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			members, err := f.Members(t.Context(), "p", hot.Day, hot.Route, day, now, 0)
			if d := cmp.Diff([]hot.Member{{Name: hot.Other, Count: 2}, {Name: "/a", Count: 1}, {Name: hot.Other, Count: 2, Rest: true}}, members); d != "" || err != nil {
				t.Error(d, err)
			}
			f.reopen()
		}
	})
	t.Run("an inquiry sees what was acknowledged before it, while others append", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		var acknowledged atomic.Int64
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := range 60 {
					var events []weir.Event
					for j := range 5 {
						events = append(events, f.called(fmt.Sprint(w, "-", i, "-", j), fmt.Sprint("/", i), 500, fmt.Sprint("c", j), now))
					}
					if _, err := f.Append(context.Background(), items(events)); err != nil {
						t.Error(err)
						return
					}
					acknowledged.Add(5)
				}
			})
		}
		done := make(chan struct{})
		go func() { writers.Wait(); close(done) }()
		in := hot.Inquiry{Devices: []hot.Bucket{{Grain: hot.Day, Start: hot.Day.Start(now, time.UTC).Unix()}}}
		for _, g := range hot.Grains {
			for _, d := range []hot.Dimension{hot.Total, hot.Route, hot.Failed, hot.Consumer} {
				in.Tables = append(in.Tables, hot.Question{Grain: g, Dimension: d, Starts: []time.Time{g.Start(now, time.UTC)}, Top: 3})
			}
		}
		last := make([]int64, len(in.Tables))
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			least := acknowledged.Load()
			for i, table := range f.inquire(in).Tables {
				if n := table.Sum(); n < least || n < last[i] || ended && n != 4*60*5 {
					t.Fatalf("%c by %c: %d after %d, where %d were acknowledged", in.Tables[i].Grain, in.Tables[i].Dimension, n, last[i], least)
				} else {
					last[i] = n
				}
			}
		}
		f.checkInquiry(2)
	})
	t.Run("an inquiry knows what another node has appended", func(t *testing.T) {
		f := s.new(t)
		other, err := f.open(f.place, f.conf)
		if errors.Is(err, hot.ErrBusy) {
			return // this backend is one process's
		}
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		for i := range 30 {
			events := []weir.Event{f.called(fmt.Sprint(i), fmt.Sprint("/", i/2), 404, fmt.Sprint("c", i%5), f.clock.Now().Add(-time.Duration(i%3)*time.Minute))}
			if _, err := other.Append(t.Context(), items(events)); err != nil {
				t.Fatal(err)
			}
			f.checkInquiry(3)
		}
	})
	t.Run("what is over its time is not found", func(t *testing.T) {
		f := s.new(t)
		at := f.clock.Now()
		f.append(f.called("1", "/a", 200, "", at))
		minute := []time.Time{hot.Minute.Start(at, time.UTC)}
		in := hot.Inquiry{Tables: []hot.Question{
			{Grain: hot.Minute, Dimension: hot.Route, Starts: minute}, {Grain: hot.Minute, Dimension: hot.Total, Starts: minute},
		}}
		for _, step := range []struct {
			days int
			want int64
		}{{0, 1}, {7, 1}, {11, 0}} {
			f.clock.Add(at.AddDate(0, 0, step.days).Sub(f.clock.Now()))
			f.sweep()
			for i, table := range f.inquire(in).Tables {
				if n := table.Sum(); n != step.want {
					t.Errorf("table %d after %d days: %d, want %d", i, step.days, n, step.want)
				}
			}
		}
	})
	t.Run("a store that is closed answers nothing", func(t *testing.T) {
		f := s.new(t)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Inquire(t.Context(), "p", hot.Inquiry{Live: f.clock.Now()}); err == nil {
			t.Fatal("no error")
		}
	})
}
