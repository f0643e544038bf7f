package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

//go:embed scripts/intend.lua
var intendText string

//go:embed scripts/commit.lua
var commitText string

var (
	intendScript = newScript(intendText)
	commitScript = newScript(commitText)
)

// shardFields asks for fields of the shard's hash. A shard that is gone is an
// error, not an empty one.
func (s *Store) shardFields(ctx context.Context, shard int, fields ...string) ([]string, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	cmd := s.client.B().Hmget().Key(s.keys.shards[shard]).Field("id").Field(fields...).Build()
	got, err := s.client.Do(ctx, cmd).AsStrSlice()
	if err != nil {
		return nil, s.fault(fmt.Sprintf("read shard %d", shard), err)
	}
	if got[0] != s.id {
		return nil, fmt.Errorf("hot: read shard %d: %w", shard, errLost)
	}
	return got[1:], nil
}

// Head implements hot.Log.
func (s *Store) Head(ctx context.Context, shard int) (uint64, error) {
	f, err := s.shardFields(ctx, shard, "head")
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(f[0], 10, 64)
}

// Progress implements hot.Log.
func (s *Store) Progress(ctx context.Context, shard int) (p hot.Progress, err error) {
	f, err := s.shardFields(ctx, shard, "committed", "intent")
	if err != nil {
		return p, err
	}
	if p.Committed, err = strconv.ParseUint(f[0], 10, 64); err != nil {
		return p, fmt.Errorf("hot: committed seq of shard %d: %w", shard, err)
	}
	if f[1] != "" {
		if p.Intent, err = parseIntent(f[1]); err != nil {
			return p, fmt.Errorf("hot: intent of shard %d: %w", shard, err)
		}
	}
	return p, nil
}

func formatIntent(in hot.Intent) string {
	return fmt.Sprintf("%d %d %d", in.First, in.Last, in.Now.UnixMicro())
}

func parseIntent(text string) (*hot.Intent, error) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q is corrupt", text)
	}
	first, err1 := strconv.ParseUint(parts[0], 10, 64)
	last, err2 := strconv.ParseUint(parts[1], 10, 64)
	now, err3 := strconv.ParseInt(parts[2], 10, 64)
	return &hot.Intent{First: first, Last: last, Now: time.UnixMicro(now).UTC()}, errors.Join(err1, err2, err3)
}

// Read implements hot.Log. What stands in the stream has been acknowledged, or
// is about to be.
func (s *Store) Read(ctx context.Context, shard int, after uint64, limit int) ([]hot.Record, error) {
	if limit <= 0 {
		return nil, s.usable()
	}
	var out []hot.Record
	next, chunks := after+1, int64(16)
	for len(out) < limit {
		entries, err := s.chunks(ctx, shard, next, chunks)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			var last uint64
			if out, last, err = unpack(out, e, next, limit); err != nil {
				return nil, fmt.Errorf("hot: read shard %d: %w", shard, err)
			}
			next = last + 1
		}
		if len(entries) < int(chunks) {
			break
		}
		each := len(out)/len(entries) + 1
		chunks = int64(min(1000, max(16, (limit-len(out))/each+1)))
	}
	if len(out) == 0 { // nothing is there, or it is lost
		if _, err := s.shardFields(ctx, shard); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// chunks are the first entries of the stream that hold seqs from one on.
func (s *Store) chunks(ctx context.Context, shard int, from uint64, count int64) ([]rueidis.XRangeEntry, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	cmd := s.client.B().Xrange().Key(s.keys.stream(shard)).Start(strconv.FormatUint(from, 10)).End("+").Count(count).Build()
	entries, err := s.client.Do(ctx, cmd).AsXRange()
	if err != nil && !rueidis.IsRedisNil(err) {
		return nil, s.fault(fmt.Sprintf("read shard %d", shard), err)
	}
	return entries, nil
}

// unpack appends to out the entry's records from the seq next on, up to limit
// records. last is the seq of the last record of the entry.
func unpack(out []hot.Record, e rueidis.XRangeEntry, next uint64, limit int) (_ []hot.Record, last uint64, err error) {
	seq, last, err := chunkID(e.ID)
	if err != nil {
		return nil, 0, err
	}
	if seq > next {
		return nil, 0, fmt.Errorf("records %d to %d are missing", next, seq-1)
	}
	var bad error
	err = records([]byte(e.FieldValues["r"]), func(record []byte) bool {
		if seq >= next {
			if len(out) == limit {
				return false
			}
			event, err := hot.DecodeRecord(record)
			if err != nil {
				bad = fmt.Errorf("record %d: %w", seq, err)
				return false
			}
			out = append(out, hot.Record{Seq: seq, Event: event})
		}
		seq++
		return true
	})
	if err = errors.Join(err, bad); err != nil {
		return nil, 0, fmt.Errorf("entry %s: %w", e.ID, err)
	}
	if seq != last+1 && len(out) < limit {
		return nil, 0, fmt.Errorf("entry %s: %w", e.ID, errChunk)
	}
	return out, last, nil
}

// State implements hot.Log. A cursor means something on its own server only: a
// scan that goes on elsewhere, after a move or a failover, repeats entries or
// leaves some out. So repeated ones are not yielded, and a scan that did not
// find all of them ends with an error.
func (s *Store) State(ctx context.Context, shard int) iter.Seq2[hot.Change, error] {
	return func(yield func(hot.Change, error) bool) {
		if _, err := s.shardFields(ctx, shard); err != nil { // an empty state is not a lost one
			yield(hot.Change{}, err)
			return
		}
		seen := map[string]struct{}{}
		for cursor := uint64(0); ; {
			page, err := s.statePage(ctx, shard, cursor)
			if err != nil {
				yield(hot.Change{}, err)
				return
			}
			for i := 0; i+1 < len(page.Elements); i += 2 {
				key := page.Elements[i]
				if _, twice := seen[key]; twice {
					continue
				}
				seen[key] = struct{}{}
				if !yield(hot.Change{Key: key, Value: []byte(page.Elements[i+1])}, nil) {
					return
				}
			}
			if cursor = page.Cursor; cursor == 0 {
				break
			}
		}
		if err := s.stateIs(ctx, shard, len(seen)); err != nil {
			yield(hot.Change{}, err)
		}
	}
}

// stateIs is an error unless the shard's state has n entries.
func (s *Store) stateIs(ctx context.Context, shard, n int) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	all, err := s.client.Do(ctx, s.client.B().Hlen().Key(s.keys.state(shard)).Build()).AsInt64()
	if err == nil && all != int64(n) {
		err = fmt.Errorf("%d of %d entries were found: the shard has moved meanwhile", n, all)
	}
	return s.fault(fmt.Sprintf("read state of shard %d", shard), err)
}

func (s *Store) statePage(ctx context.Context, shard int, cursor uint64) (rueidis.ScanEntry, error) {
	if err := s.usable(); err != nil {
		return rueidis.ScanEntry{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	cmd := s.client.B().Hscan().Key(s.keys.state(shard)).Cursor(cursor).Count(1000).Build()
	page, err := s.client.Do(ctx, cmd).AsScanEntry()
	return page, s.fault(fmt.Sprintf("read state of shard %d", shard), err)
}

// Intend implements hot.Log. With AckReplica it returns when the replicas have
// the intent: a batch written under an intent that a failover forgets would be
// written again under another.
func (s *Store) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	return s.change(ctx, "intend", l, intendScript, []string{s.keys.shards[l.Shard]}, strconv.FormatUint(in.First, 10), formatIntent(in))
}

// Commit implements hot.Log.
func (s *Store) Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	args := make([]string, 3, 3+2*len(changes))
	var deleted []string
	for _, c := range changes {
		if c.Value == nil {
			deleted = append(deleted, c.Key)
		} else {
			args = append(args, c.Key, rueidis.BinaryString(c.Value))
		}
	}
	args[0], args[1], args[2] = strconv.FormatUint(in.First, 10), strconv.FormatUint(in.Last, 10), strconv.Itoa((len(args)-3)/2)
	keys := []string{s.keys.shards[l.Shard], s.keys.stream(l.Shard), s.keys.state(l.Shard)}
	return s.change(ctx, "commit", l, commitScript, keys, append(args, deleted...)...)
}

// change runs a script that the lease gives the right to.
func (s *Store) change(ctx context.Context, what string, l hot.Lease, sc *script, keys []string, args ...string) error {
	if err := s.usable(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	what = fmt.Sprintf("%s shard %d", what, l.Shard)
	r, err := s.run(ctx, sc, s.replica, keys, append([]string{s.id, l.Owner, strconv.FormatUint(l.Epoch, 10)}, args...))
	if err != nil {
		return s.fault(what, err)
	}
	switch word, err := r.ToString(); {
	case err != nil:
		return s.fault(what, err)
	case word == "fenced":
		return fmt.Errorf("hot: %s: %w", what, hot.ErrFenced)
	case word == "gap":
		return fmt.Errorf("hot: %s: the batch does not follow the last commit", what)
	}
	return nil
}
