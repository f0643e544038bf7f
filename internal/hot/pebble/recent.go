package pebble

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// recents say which events are the last of their projects. They hold places in
// the log, not events; a commit, which trims the log, writes those that it trims
// beside it. Presence's lock guards them.
type recents struct {
	projects map[string]*recent
	fresh    []map[*recent]struct{} // by shard: what has places in its log
}

// recent is one project's.
type recent struct {
	project string
	places  []place // in the log, oldest first, at most hot.RecentMax
	next    uint64  // order of the next event
	kept    uint64  // order of the oldest that may be in the store
	last    int64   // when an event came, in unix seconds
}

type place struct {
	order, seq uint64
	shard      int
}

// recentKept is how long a project's last events are kept after the last of them.
const recentKept = 7 * 24 * time.Hour

func newRecents(shards int) recents {
	r := recents{projects: map[string]*recent{}, fresh: make([]map[*recent]struct{}, shards)}
	for i := range r.fresh {
		r.fresh[i] = map[*recent]struct{}{}
	}
	return r
}

func (r *recents) of(project string) *recent {
	of := r.projects[project]
	if of == nil {
		of = &recent{project: strings.Clone(project)}
		r.projects[of.project] = of
	}
	return of
}

func (r *recents) add(project string, shard int, seq uint64, now time.Time) {
	of := r.of(project)
	if len(of.places) == hot.RecentMax {
		of.places = slices.Delete(of.places, 0, 1)
	}
	of.places = append(of.places, place{of.next, seq, shard})
	of.next++
	of.last = now.Unix()
	r.fresh[shard][of] = struct{}{}
}

// drop forgets the places of a shard up to a seq.
func (r *recents) drop(of *recent, shard int, last uint64) {
	left := false
	of.places = slices.DeleteFunc(of.places, func(p place) bool {
		gone := p.shard == shard && p.seq <= last
		left = left || p.shard == shard && !gone
		return gone
	})
	if !left {
		delete(r.fresh[shard], of)
	}
	if len(of.places) == 0 {
		of.places = nil
	}
}

func (r *recents) bytes() (n int) {
	const empty, each = 250, 24
	for _, of := range r.projects {
		n += empty + len(of.project) + each*cap(of.places)
	}
	return n
}

func recentKey(project string, order uint64) []byte {
	return binary.BigEndian.AppendUint64(projectKey(nil, tagRecent, project), order)
}

// saveRecents puts into b those of the shard's events up to last that are
// recent. The result must be called once b is applied.
func (s *Store) saveRecents(b *pebble.Batch, shard int, last uint64) (applied func(), err error) {
	type saved struct {
		of         *recent
		places     []place
		kept, from uint64
	}
	p := s.presence
	var all []saved
	p.mu.Lock()
	for of := range p.recents.fresh[shard] {
		sv := saved{of: of, kept: of.kept, from: of.next - min(of.next, hot.RecentMax)}
		for _, pl := range of.places {
			if pl.shard == shard && pl.seq <= last {
				sv.places = append(sv.places, pl)
			}
		}
		all = append(all, sv)
	}
	p.mu.Unlock()
	for _, sv := range all {
		for _, pl := range sv.places {
			record, closer, err := s.db.Get(logKey(nil, shard, pl.seq))
			if err != nil {
				return nil, err
			}
			if err := errors.Join(b.Set(recentKey(sv.of.project, pl.order), record, nil), closer.Close()); err != nil {
				return nil, err
			}
		}
		if sv.kept < sv.from {
			if err := b.DeleteRange(recentKey(sv.of.project, sv.kept), recentKey(sv.of.project, sv.from), nil); err != nil {
				return nil, err
			}
		}
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, sv := range all {
			p.recents.drop(sv.of, shard, last)
			sv.of.kept = max(sv.of.kept, sv.from)
		}
	}, nil
}

// loadRecents finds for each project where its events in the store end.
func (s *Store) loadRecents() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tagRecent}, UpperBound: []byte{tagRecent + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; {
		project := string(it.Key()[1:bytes.IndexByte(it.Key(), 0)])
		first := binary.BigEndian.Uint64(it.Key()[len(project)+2:])
		end := after(projectKey(nil, tagRecent, project))
		if !it.SeekLT(end) {
			break
		}
		e, err := hot.DecodeRecord(it.Value())
		if err != nil {
			return err
		}
		of := s.presence.recents.of(project)
		of.kept, of.next, of.last = first, binary.BigEndian.Uint64(it.Key()[len(project)+2:])+1, e.ReceivedAt.Unix()
		ok = it.SeekGE(end)
	}
	return it.Error()
}

// sweepRecents deletes those of projects that had no event for recentKept.
func (s *Store) sweepRecents(now time.Time) error {
	p := s.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	for project, of := range p.recents.projects {
		if len(of.places) > 0 || of.last > now.Add(-recentKept).Unix() {
			continue
		}
		if err := s.db.DeleteRange(recentKey(project, 0), after(projectKey(nil, tagRecent, project)), pebble.NoSync); err != nil {
			return err
		}
		delete(p.recents.projects, project)
	}
	return nil
}

// Recent implements hot.Presence. Meanwhile a commit may move events from the log
// to where the others are; a snapshot has each of them in one of the two.
func (s *Store) Recent(ctx context.Context, project string, limit int) ([]weir.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	limit = min(limit, hot.RecentMax)
	s.presence.mu.Lock()
	var places []place
	if of := s.presence.recents.projects[project]; of != nil {
		places = slices.Clone(of.places)
	}
	s.presence.mu.Unlock()
	view := s.db.NewSnapshot()
	defer view.Close()
	type found struct {
		order uint64
		event weir.Event
	}
	var all []found
	take := func(order uint64, record []byte) error {
		e, err := hot.DecodeRecord(record)
		all = append(all, found{order, e})
		return err
	}
	for _, pl := range places[len(places)-min(limit, len(places)):] {
		record, closer, err := view.Get(logKey(nil, pl.shard, pl.seq))
		if errors.Is(err, pebble.ErrNotFound) {
			continue // committed by now
		}
		if err != nil {
			return nil, err
		}
		if err := errors.Join(take(pl.order, record), closer.Close()); err != nil {
			return nil, err
		}
	}
	it, err := view.NewIter(&pebble.IterOptions{LowerBound: recentKey(project, 0), UpperBound: after(projectKey(nil, tagRecent, project))})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for n, ok := 0, it.Last(); ok && n < limit && ctx.Err() == nil; ok = it.Prev() {
		if err := take(binary.BigEndian.Uint64(it.Key()[len(project)+2:]), it.Value()); err != nil {
			return nil, err
		}
		n++
	}
	if err := errors.Join(ctx.Err(), it.Error()); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(b.order, a.order) })
	events := make([]weir.Event, min(limit, len(all)))
	for i := range events {
		events[i] = all[i].event
	}
	return events, nil
}
