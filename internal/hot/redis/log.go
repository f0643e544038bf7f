package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
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
	f, err := s.shardFields(ctx, shard, "committed", "intent", "head")
	if err != nil {
		return p, err
	}
	if p.Committed, err = strconv.ParseUint(f[0], 10, 64); err != nil {
		return p, fmt.Errorf("hot: committed seq of shard %d: %w", shard, err)
	}
	if p.Head, err = strconv.ParseUint(f[2], 10, 64); err != nil {
		return p, fmt.Errorf("hot: head of shard %d: %w", shard, err)
	}
	if f[1] != "" {
		if p.Intent, err = parseIntent(f[1]); err != nil {
			return p, fmt.Errorf("hot: intent of shard %d: %w", shard, err)
		}
	}
	return p, nil
}

// formatIntent returns first, last and now with a space between, and after one more
// space the note, if there is one.
func formatIntent(in hot.Intent) string {
	text := fmt.Sprintf("%d %d %d", in.First, in.Last, in.Now.UnixMicro())
	if in.Note != "" {
		text += " " + in.Note
	}
	return text
}

func parseIntent(text string) (*hot.Intent, error) {
	parts := append(strings.SplitN(text, " ", 4), "")
	if len(parts) < 4 {
		return nil, fmt.Errorf("%q is corrupt", text)
	}
	first, err1 := strconv.ParseUint(parts[0], 10, 64)
	last, err2 := strconv.ParseUint(parts[1], 10, 64)
	now, err3 := strconv.ParseInt(parts[2], 10, 64)
	return &hot.Intent{First: first, Last: last, Now: time.UnixMicro(now).UTC(), Note: parts[3]}, errors.Join(err1, err2, err3)
}

// Read implements hot.Log. What stands in the stream has been acknowledged, or
// is about to be.
func (s *Store) Read(ctx context.Context, shard int, after uint64, limit hot.Limit) ([]hot.Record, error) {
	limit = limit.WithDefaults()
	r := reading{shard: shard, next: after + 1, left: limit}
	// How long entries are is not known before the first one.
	for chunks := int64(1); !r.full; {
		entries, err := s.chunks(ctx, shard, r.next, chunks)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(entries) && !r.full; i++ {
			if err = r.unpack(entries[i]); err != nil {
				return nil, fmt.Errorf("hot: read shard %d: %w", shard, err)
			}
		}
		if len(entries) < int(chunks) {
			break
		}
		chunks = r.chunks()
	}
	if len(r.out) == 0 { // nothing is there, or it is lost
		if _, err := s.shardFields(ctx, shard); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

// chunks returns the first entries of the stream that hold seqs from one on.
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

// reading gathers the records of a Read.
type reading struct {
	shard   int
	out     []hot.Record
	next    uint64    // the seq after the last of out
	left    hot.Limit // room for more
	full    bool      // a record found no room
	entries int       // unpacked
	bytes   int       // of all records, packed into out or not
}

// chunks returns how many entries of the stream the room that is left may hold, going
// by those before. They are as long as is read ahead, so it is not many.
func (r *reading) chunks() int64 {
	byEvents := r.left.Events / (len(r.out)/r.entries + 1)
	byBytes := r.left.Bytes / (r.bytes/r.entries + 1)
	return int64(min(1000, max(1, min(byEvents, byBytes)+1)))
}

// unpack takes the entry's records that are due, as long as there is room.
func (r *reading) unpack(e rueidis.XRangeEntry) error {
	seq, last, err := chunkID(e.ID)
	if err != nil {
		return err
	}
	if seq > r.next {
		return fmt.Errorf("records %d to %d are missing", r.next, seq-1)
	}
	r.entries++
	var bad error
	err = records([]byte(e.FieldValues["r"]), func(record []byte) bool {
		r.bytes += len(record)
		if seq >= r.next {
			if r.full = r.left.Events == 0 || r.left.Bytes < len(record) && len(r.out) > 0; r.full {
				return false
			}
			r.out = append(r.out, hot.Record{Shard: r.shard, Seq: seq})
			if err := hot.DecodeRecord(record, &r.out[len(r.out)-1].Event); err != nil {
				bad = fmt.Errorf("record %d: %w", seq, err)
				return false
			}
			r.left.Events--
			r.left.Bytes -= len(record)
			r.next++
		}
		seq++
		return true
	})
	if err = errors.Join(err, bad); err != nil {
		return fmt.Errorf("entry %s: %w", e.ID, err)
	}
	if seq != last+1 && !r.full {
		return fmt.Errorf("entry %s: %w", e.ID, errChunk)
	}
	r.full = r.full || r.left.Events == 0
	return nil
}

// statesAtOnce is how many entries one command asks for.
const statesAtOnce = 1000

// States implements hot.Log. The shard's own field is read in the same step: an
// empty state is not a lost one.
func (s *Store) States(ctx context.Context, shard int, keys []string) ([][]byte, error) {
	values := make([][]byte, 0, len(keys))
	for some := range slices.Chunk(keys, statesAtOnce) {
		got, err := s.states(ctx, shard, some)
		if err != nil {
			return nil, s.fault(fmt.Sprintf("read state of shard %d", shard), err)
		}
		values = append(values, got...)
	}
	return values, nil
}

func (s *Store) states(ctx context.Context, shard int, keys []string) ([][]byte, error) {
	if _, err := s.shardFields(ctx, shard); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	got, err := s.client.Do(ctx, s.client.B().Hmget().Key(s.keys.state(shard)).Field(keys...).Build()).ToArray()
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for i := range got {
		if got[i].IsNil() {
			continue
		}
		if values[i], err = got[i].AsBytes(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// ScanState implements hot.Log. A cursor means something on its own server only: a
// scan that goes on elsewhere, after a move or a failover, repeats entries or
// leaves some out, which the next pass finds.
func (s *Store) ScanState(ctx context.Context, shard int, cursor string, limit int) (entries []hot.Change, next string, err error) {
	what := fmt.Sprintf("scan state of shard %d", shard)
	at := uint64(0)
	if cursor != "" {
		if at, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", fmt.Errorf("hot: %s: %w", what, err)
		}
	}
	if _, err = s.shardFields(ctx, shard); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	cmd := s.client.B().Hscan().Key(s.keys.state(shard)).Cursor(at).Count(int64(max(limit, 1))).Build()
	page, err := s.client.Do(ctx, cmd).AsScanEntry()
	if err != nil {
		return nil, "", s.fault(what, err)
	}
	for i := 0; i+1 < len(page.Elements); i += 2 {
		entries = append(entries, hot.Change{Key: page.Elements[i], Value: []byte(page.Elements[i+1])})
	}
	if page.Cursor != 0 {
		next = strconv.FormatUint(page.Cursor, 10)
	}
	return entries, next, nil
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
