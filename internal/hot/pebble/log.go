package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// loadShard finds where the shard stood, and takes its undrained events back
// into presence.
func (s *Store) loadShard(shard int) error {
	st := &s.shards[shard]
	raw, err := s.get(shardKey(shard, fieldProgress))
	if err != nil {
		return err
	}
	if raw != nil {
		st.committed = binary.BigEndian.Uint64(raw)
	}
	if raw, err = s.get(shardKey(shard, fieldIntent)); err != nil {
		return err
	}
	if raw != nil {
		r := codec.NewReader(raw)
		in := hot.Intent{First: r.Uint(), Last: r.Uint(), Now: r.Time()}
		if r.More() { // a store of an earlier version has no note
			in.Note = r.String()
		}
		if err := r.Done(); err != nil {
			return fmt.Errorf("intent: %w", err)
		}
		st.intent = &in
	}
	if raw, err = s.get(shardKey(shard, fieldLease)); err != nil {
		return err
	}
	if raw != nil {
		r := codec.NewReader(raw)
		st.lease = leaseRecord{epoch: r.Uint(), owner: r.String(), until: r.Time()}
		if err := r.Done(); err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		// The owner was this store's former process, which is gone: the
		// database's lock says so.
		st.lease.until = time.Time{}
	}
	head := st.committed
	from := logKey(nil, shard, 0)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(from[:3])})
	if err != nil {
		return err
	}
	if it.Last() {
		head = max(head, binary.BigEndian.Uint64(it.Key()[3:]))
	}
	s.heads[shard].Store(head)
	return it.Close()
}

// Head implements hot.Log.
func (s *Store) Head(_ context.Context, shard int) (uint64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	return s.heads[shard].Load(), nil
}

// Read implements hot.Log. It stops at the durable head: an append becomes
// readable in the database before its fsync ends.
func (s *Store) Read(ctx context.Context, shard int, afterSeq uint64, limit hot.Limit) ([]hot.Record, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	head := s.heads[shard].Load()
	if afterSeq >= head {
		return nil, nil
	}
	limit = limit.WithDefaults()
	var records []hot.Record
	last := min(head, afterSeq+uint64(limit.Events))
	next, size := afterSeq+1, 0
	err := s.scan(ctx, logKey(nil, shard, next), logKey(nil, shard, last+1), func(k, v []byte) error {
		seq := binary.BigEndian.Uint64(k[3:])
		if seq != next {
			return fmt.Errorf("record %d is missing", next)
		}
		if size += len(v); size > limit.Bytes && len(records) > 0 {
			return errStop
		}
		if records == nil { // room for all, if they are as large as the first: a record is a large struct to move
			records = make([]hot.Record, 0, min(int(last-afterSeq), 1+limit.Bytes/len(v))) //nolint:gosec // at most limit.Events
		}
		records = append(records, hot.Record{Shard: shard, Seq: seq})
		if err := hot.DecodeRecord(v, &records[len(records)-1].Event); err != nil {
			return fmt.Errorf("record %d: %w", seq, err)
		}
		next++
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("hot: read shard %d: %w", shard, err)
	}
	return records, nil
}

// errStop ends a scan that has found enough.
var errStop = errors.New("stop")

// Progress implements hot.Log.
func (s *Store) Progress(_ context.Context, shard int) (hot.Progress, error) {
	st := &s.shards[shard]
	st.mu.Lock()
	defer st.mu.Unlock()
	p := hot.Progress{Committed: st.committed, Head: s.heads[shard].Load()}
	if st.intent != nil {
		in := *st.intent
		p.Intent = &in
	}
	return p, s.usable()
}

// States implements hot.Log.
func (s *Store) States(ctx context.Context, shard int, keys []string) ([][]byte, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for i, key := range keys {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v, err := s.get(stateKey(shard, key))
		if err != nil {
			return nil, fmt.Errorf("hot: read state of shard %d: %w", shard, err)
		}
		values[i] = v
	}
	return values, nil
}

// ScanState implements hot.Log. The cursor is the last key of the page before.
func (s *Store) ScanState(ctx context.Context, shard int, cursor string, limit int) (entries []hot.Change, next string, err error) {
	if err := s.usable(); err != nil {
		return nil, "", err
	}
	prefix := stateKey(shard, "")
	from := prefix
	if cursor != "" {
		from = append(stateKey(shard, cursor), 0) // the first key behind it
	}
	err = s.scan(ctx, from, after(prefix), func(k, v []byte) error {
		if len(entries) >= max(limit, 1) {
			next = entries[len(entries)-1].Key
			return errStop
		}
		entries = append(entries, hot.Change{Key: string(k[len(prefix):]), Value: bytes.Clone(v)})
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, "", fmt.Errorf("hot: scan state of shard %d: %w", shard, err)
	}
	return entries, next, nil
}

// Intend implements hot.Log.
func (s *Store) Intend(_ context.Context, l hot.Lease, in hot.Intent) error {
	return s.fenced(l, func(st *shardState) error {
		v := codec.AppendUint(nil, in.First)
		v = codec.AppendUint(v, in.Last)
		v = codec.AppendTime(v, in.Now)
		if in.Note != "" {
			v = codec.AppendString(v, in.Note)
		}
		if err := s.db.Set(shardKey(l.Shard, fieldIntent), v, pebble.Sync); err != nil {
			return err
		}
		st.intent = &in
		return nil
	})
}

// Commit implements hot.Log.
func (s *Store) Commit(_ context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	return s.fenced(l, func(st *shardState) error {
		if in.First != st.committed+1 || in.Last > s.heads[l.Shard].Load() {
			return fmt.Errorf("batch %d-%d does not follow %d", in.First, in.Last, st.committed)
		}
		b := s.db.NewBatch()
		defer b.Close()
		for _, c := range changes {
			var err error
			if c.Value == nil {
				err = b.Delete(stateKey(l.Shard, c.Key), nil)
			} else {
				err = b.Set(stateKey(l.Shard, c.Key), c.Value, nil)
			}
			if err != nil {
				return err
			}
		}
		if err := s.trim(b, l.Shard, in); err != nil {
			return err
		}
		if err := b.Set(shardKey(l.Shard, fieldProgress), binary.BigEndian.AppendUint64(nil, in.Last), nil); err != nil {
			return err
		}
		if err := b.Delete(shardKey(l.Shard, fieldIntent), nil); err != nil {
			return err
		}
		if err := s.savePresence(b, l.Shard); err != nil {
			return err
		}
		if err := s.db.Apply(b, pebble.Sync); err != nil {
			return err
		}
		st.committed, st.intent = in.Last, nil
		return nil
	})
}

// trim deletes the range from the log. A few keys are cheaper one by one than
// as a range that every later read must step around.
func (s *Store) trim(b *pebble.Batch, shard int, in hot.Intent) error {
	if in.Last+1-in.First > 16 {
		return b.DeleteRange(logKey(nil, shard, in.First), logKey(nil, shard, in.Last+1), nil)
	}
	for seq := in.First; seq <= in.Last; seq++ {
		if err := b.Delete(logKey(nil, shard, seq), nil); err != nil {
			return err
		}
	}
	return nil
}
