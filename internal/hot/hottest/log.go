package hottest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testLog(t *testing.T) {
	ctx := context.Background()
	fill := func(f *fixture, n int) {
		for i := range n {
			f.append(f.event(fmt.Sprint(i), "d"))
		}
	}
	shardOf := func(f *fixture) int {
		e := f.event("", "d")
		return hot.ShardOf(&e, f.Shards())
	}
	claim := func(f *fixture, shard int) hot.Lease {
		l, err := f.Claim(ctx, shard, "me", time.Minute)
		if err != nil {
			f.t.Fatal(err)
		}
		return l
	}
	t.Run("a new store has an id for ever, its shards, and nothing else", func(t *testing.T) {
		f, other := s.new(t), s.new(t)
		id := f.ID()
		if id == "" || id == other.ID() {
			t.Fatalf("ids %q and %q", id, other.ID())
		}
		for shard := range f.Shards() {
			if h, err := f.Head(ctx, shard); h != 0 || err != nil {
				t.Fatal(h, err)
			}
		}
		f.reopen()
		if f.ID() != id {
			t.Fatal("id changed at reopening")
		}
	})
	t.Run("a commit moves on, trims, keeps state, and drops the intent", func(t *testing.T) {
		f := s.new(t)
		fill(f, 30)
		shard := shardOf(f)
		l := claim(f, shard)
		in := hot.Intent{First: 1, Last: 20, Now: f.clock.Now()}
		if err := f.Intend(ctx, l, in); err != nil {
			t.Fatal(err)
		}
		f.reopen()
		p, err := f.Progress(ctx, shard)
		if d := cmp.Diff(hot.Progress{Head: 30, Intent: &in}, p); d != "" || err != nil {
			t.Fatal(d, err)
		}
		l = claim(f, shard)
		err = f.Commit(ctx, l, in, []hot.Change{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{}}})
		if err != nil {
			t.Fatal(err)
		}
		f.reopen()
		p, err = f.Progress(ctx, shard)
		if d := cmp.Diff(hot.Progress{Head: 30, Committed: 20}, p); d != "" || err != nil {
			t.Fatal(d, err)
		}
		if got := read(t, f, shard, 20); len(got) != 10 || got[0].Event.ID != "20" {
			t.Fatalf("%d records left", len(got))
		}
		if d := cmp.Diff(map[string]string{"a": "1", "b": ""}, state(t, f, shard)); d != "" {
			t.Fatal(d)
		}
		l = claim(f, shard)
		in = hot.Intent{First: 21, Last: 30, Now: f.clock.Now()}
		if err := f.Commit(ctx, l, in, []hot.Change{{Key: "a", Value: []byte("2")}, {Key: "b"}, {Key: "never"}}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]string{"a": "2"}, state(t, f, shard)); d != "" {
			t.Fatal(d)
		}
	})
	t.Run("seqs go on after everything was trimmed", func(t *testing.T) {
		f := s.new(t)
		fill(f, 3)
		shard := shardOf(f)
		drain(t, f, shard, f.clock.Now())
		f.reopen()
		f.append(f.event("next", "d"))
		got := read(t, f, shard, 3)
		if len(got) != 1 || got[0].Seq != 4 {
			t.Fatalf("%+v", got)
		}
	})
	t.Run("a read ends before it has too many bytes, but not before its first record", func(t *testing.T) {
		f := s.new(t)
		var sent []weir.Event
		for i := range 40 {
			e := f.event(fmt.Sprint(i), "d")
			// Sizes differ, so that no average tells how many fit.
			e.Properties = fmt.Appendf(nil, `{"n":"%s"}`, strings.Repeat("x", 100*(i%7)*(i%7)))
			f.append(e)
			sent = append(sent, e)
		}
		shard := hot.ShardOf(&sent[0], f.Shards())
		for _, most := range []int{1, 500, 3000, 10_000, 1 << 20} {
			after := uint64(0)
			for after < 40 {
				got, err := f.Read(ctx, shard, after, hot.Limit{Bytes: most})
				if err != nil || len(got) == 0 {
					t.Fatalf("%d records after %d: %v", len(got), after, err)
				}
				size := 0
				for _, r := range got {
					after++
					if r.Seq != after || r.Event.ID != fmt.Sprint(after-1) {
						t.Fatalf("seq %d, event %s where %d was due", r.Seq, r.Event.ID, after)
					}
					size += len(hot.AppendRecord(nil, &r.Event))
				}
				if size > most && len(got) > 1 {
					t.Fatalf("%d records of %d bytes, limit %d", len(got), size, most)
				}
				if after < 40 && size+len(hot.AppendRecord(nil, &sent[after])) <= most {
					t.Fatalf("the read ended after %d bytes, limit %d, though the next record had room", size, most)
				}
			}
		}
	})
	t.Run("state is read by key, and the note of an intent is kept", func(t *testing.T) {
		f := s.new(t)
		l := claim(f, 0)
		var changes []hot.Change
		var keys []string
		for i := range 2500 {
			keys = append(keys, fmt.Sprintf("p\x00device %d", i))
			if i%3 > 0 {
				changes = append(changes, hot.Change{Key: keys[i], Value: fmt.Append(nil, i)})
			}
		}
		in := hot.Intent{First: 1, Last: 0, Now: f.clock.Now(), Note: "any bytes \x00 \xff"}
		if err := f.Commit(ctx, l, in, changes); err != nil {
			t.Fatal(err)
		}
		if err := f.Intend(ctx, l, in); err != nil {
			t.Fatal(err)
		}
		f.reopen()
		got, err := f.States(ctx, 0, keys)
		if err != nil || len(got) != len(keys) {
			t.Fatalf("%d values of %d: %v", len(got), len(keys), err)
		}
		for i, v := range got {
			if i%3 > 0 && string(v) != fmt.Sprint(i) || i%3 == 0 && v != nil {
				t.Fatalf("value of %q: %q", keys[i], v)
			}
		}
		if n := len(state(t, f, 0)); n != len(changes) {
			t.Fatalf("a pass found %d entries of %d", n, len(changes))
		}
		p, err := f.Progress(ctx, 0)
		if err != nil || p.Intent == nil || *p.Intent != in {
			t.Fatalf("intent %+v, want %+v (%v)", p.Intent, in, err)
		}
	})
	t.Run("an empty batch commits state alone", func(t *testing.T) {
		f := s.new(t)
		fill(f, 2)
		shard := shardOf(f)
		l := claim(f, shard)
		in := hot.Intent{First: 1, Last: 0, Now: f.clock.Now()}
		if err := f.Intend(ctx, l, in); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(ctx, l, in, []hot.Change{{Key: "k", Value: []byte("v")}}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, f, shard, 0); len(got) != 2 {
			t.Fatalf("%d records, want both", len(got))
		}
	})
	t.Run("a batch that does not follow the last commit is refused", func(t *testing.T) {
		f := s.new(t)
		fill(f, 5)
		shard := shardOf(f)
		l := claim(f, shard)
		for _, in := range []hot.Intent{{First: 2, Last: 3}, {First: 1, Last: 6}} {
			if err := f.Commit(ctx, l, in, nil); err == nil {
				t.Errorf("commit of %d-%d was taken", in.First, in.Last)
			}
		}
		if got := read(t, f, shard, 0); len(got) != 5 {
			t.Fatalf("%d records left of 5", len(got))
		}
	})
	t.Run("shards do not touch each other", func(t *testing.T) {
		f := s.new(t)
		for _, id := range ids("d", 40) {
			f.append(f.event(id, id))
		}
		before := len(all(t, f))
		drain(t, f, 0, f.clock.Now())
		h, err := f.Head(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if h == 0 || int(h) == before {
			t.Fatalf("40 devices put %d of %d events into shard 0", h, before)
		}
		if got := len(all(t, f)); got != before-int(h) {
			t.Fatalf("%d left, want %d", got, before-int(h))
		}
	})
}

func (s suite) testLease(t *testing.T) {
	ctx := context.Background()
	t.Run("a shard has one owner until the lease ends", func(t *testing.T) {
		f := s.new(t)
		a, err := f.Claim(ctx, 0, "a", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Claim(ctx, 0, "b", 10*time.Second); !errors.Is(err, hot.ErrHeld) {
			t.Fatalf("%v, want ErrHeld", err)
		}
		f.clock.Add(8 * time.Second)
		if err := f.Renew(ctx, a, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		f.clock.Add(8 * time.Second)
		if _, err := f.Claim(ctx, 0, "b", 10*time.Second); !errors.Is(err, hot.ErrHeld) {
			t.Fatalf("%v after renewal, want ErrHeld", err)
		}
		f.clock.Add(3 * time.Second)
		b, err := f.Claim(ctx, 0, "b", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if b.Epoch <= a.Epoch {
			t.Fatalf("epoch %d after %d", b.Epoch, a.Epoch)
		}
	})
	t.Run("a released shard is free at once", func(t *testing.T) {
		f := s.new(t)
		a, err := f.Claim(ctx, 0, "a", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Release(ctx, a); err != nil {
			t.Fatal(err)
		}
		b, err := f.Claim(ctx, 0, "b", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if b.Epoch <= a.Epoch {
			t.Fatalf("epoch %d after %d", b.Epoch, a.Epoch)
		}
		if err := f.Release(ctx, a); err != nil {
			t.Fatalf("release of a lost lease: %v", err)
		}
		if err := f.Renew(ctx, b, time.Hour); err != nil {
			t.Fatalf("the late release took the new owner's lease: %v", err)
		}
	})
	t.Run("a deposed owner is fenced off from everything", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "d"))
		e := f.event("", "d")
		shard := hot.ShardOf(&e, f.Shards())
		old, err := f.Claim(ctx, shard, "a", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		in := hot.Intent{First: 1, Last: 1, Now: f.clock.Now()}
		if err := f.Intend(ctx, old, in); err != nil {
			t.Fatal(err)
		}
		f.clock.Add(2 * time.Second)
		if _, err := f.Claim(ctx, shard, "b", time.Minute); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"renew":  f.Renew(ctx, old, time.Minute),
			"intend": f.Intend(ctx, old, in),
			"commit": f.Commit(ctx, old, in, []hot.Change{{Key: "k", Value: []byte("v")}}),
		} {
			if !errors.Is(err, hot.ErrFenced) {
				t.Errorf("%s: %v, want ErrFenced", name, err)
			}
		}
		p, err := f.Progress(ctx, shard)
		if err != nil || p.Committed != 0 || p.Intent == nil {
			t.Fatalf("%+v, %v", p, err)
		}
		if st := state(t, f, shard); len(st) != 0 {
			t.Fatalf("the fenced commit changed the state: %v", st)
		}
	})
	t.Run("claiming again fences one's own former lease", func(t *testing.T) {
		f := s.new(t)
		a, err := f.Claim(ctx, 0, "a", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Claim(ctx, 0, "a", time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := f.Renew(ctx, a, time.Minute); !errors.Is(err, hot.ErrFenced) {
			t.Fatalf("%v, want ErrFenced", err)
		}
	})
	t.Run("epochs grow through restarts", func(t *testing.T) {
		f := s.new(t)
		last := uint64(0)
		for range 3 {
			l, err := f.Claim(ctx, 0, "a", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if l.Epoch <= last {
				t.Fatalf("epoch %d after %d", l.Epoch, last)
			}
			last = l.Epoch
			f.reopen()
		}
	})
}

func state(t *testing.T, s hot.Store, shard int) map[string]string {
	t.Helper()
	got := map[string]string{}
	for cursor := ""; ; {
		entries, next, err := s.ScanState(context.Background(), shard, cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range entries {
			got[c.Key] = string(c.Value)
		}
		if cursor = next; cursor == "" {
			return got
		}
	}
}
