package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// presence is in memory. It is a function of the log, so it is as durable as
// the log is: what an undrained event says of it is read from the log again,
// and a commit saves what the events that it trims had said.
type presence struct {
	mu       sync.Mutex
	projects map[string]*audience
	touched  []map[visitor]struct{} // by shard: since its last commit
	live     *live
}

type visitor struct{ project, device string }

// audience is one project's presence.
type audience struct {
	devices map[string]device
	recent  []recent // oldest first, at most hot.RecentMax
	order   uint64   // of the next recent
}

type device struct {
	last time.Time // its last event
	view hot.ScreenView
}

type recent struct {
	order  uint64
	shard  int
	seq    uint64
	saved  bool
	record []byte
}

func newPresence(shards int) *presence {
	p := &presence{projects: map[string]*audience{}, touched: make([]map[visitor]struct{}, shards), live: newLive()}
	for i := range p.touched {
		p.touched[i] = map[visitor]struct{}{}
	}
	return p
}

func (p *presence) audience(project string) *audience {
	a := p.projects[project]
	if a == nil {
		a = &audience{devices: map[string]device{}}
		p.projects[strings.Clone(project)] = a
	}
	return a
}

// mark takes in a committed group.
func (p *presence) mark(g *group, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range g.entries {
		if en := &g.entries[i]; en.seq != 0 {
			p.see(g.items[i].Event, en.shard, now)
		}
	}
	// Only the last of a large group can be among the recent.
	from := max(0, len(g.entries)-hot.RecentMax)
	for i := from; i < len(g.entries); i++ {
		if en := &g.entries[i]; en.seq != 0 {
			p.audience(g.items[i].Event.ProjectID).add(en.shard, en.seq, bytes.Clone(g.records[en.from:en.to]))
		}
	}
}

// see marks the event's device, if the event is of now.
func (p *presence) see(e *weir.Event, shard int, now time.Time) {
	at := e.Time
	if at.After(now) {
		at = now
	}
	if e.DeviceID == "" || now.Sub(at) >= hot.LastScreenViewKept {
		return
	}
	a := p.audience(e.ProjectID)
	d, known := a.devices[e.DeviceID]
	id := e.DeviceID
	if !known {
		id = strings.Clone(id)
	}
	if at.After(d.last) {
		p.live.move(e.ProjectID, d.last, at)
		d.last = at
	}
	if e.IsScreenView() && !at.Before(d.view.At) {
		d.view = hot.ScreenView{EventID: strings.Clone(e.ID), Path: strings.Clone(e.Path), Origin: strings.Clone(e.Origin), At: at}
	}
	a.devices[id] = d
	v := visitor{e.ProjectID, e.DeviceID}
	if _, ok := p.touched[shard][v]; !ok {
		p.touched[shard][visitor{strings.Clone(e.ProjectID), id}] = struct{}{}
	}
}

func (a *audience) add(shard int, seq uint64, record []byte) {
	if len(a.recent) == hot.RecentMax {
		a.recent = slices.Delete(a.recent, 0, 1)
	}
	a.recent = append(a.recent, recent{order: a.order, shard: shard, seq: seq, record: record})
	a.order++
}

// save puts into b what the shard's events up to last have said.
func (p *presence) save(b *pebble.Batch, shard int, last uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for v := range p.touched[shard] {
		d, ok := p.audience(v.project).devices[v.device]
		if !ok {
			continue
		}
		if err := b.Set(append(projectKey(nil, tagDevice, v.project), v.device...), d.encode(), nil); err != nil {
			return err
		}
	}
	clear(p.touched[shard])
	for project, a := range p.projects {
		saved := false
		for i := range a.recent {
			r := &a.recent[i]
			if r.saved || r.shard != shard || r.seq > last {
				continue
			}
			if err := b.Set(recentKey(project, r.order), r.record, nil); err != nil {
				return err
			}
			r.saved, saved = true, true
		}
		if saved && a.order > hot.RecentMax {
			if err := b.DeleteRange(recentKey(project, 0), recentKey(project, a.order-hot.RecentMax), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func recentKey(project string, order uint64) []byte {
	return binary.BigEndian.AppendUint64(projectKey(nil, tagRecent, project), order)
}

func (d device) encode() []byte {
	v := codec.AppendTime(nil, d.last)
	v = codec.AppendTime(v, d.view.At)
	v = codec.AppendString(v, d.view.EventID)
	v = codec.AppendString(v, d.view.Path)
	return codec.AppendString(v, d.view.Origin)
}

func decodeDevice(b []byte) (device, error) {
	r := codec.NewReader(b)
	d := device{last: r.Time()}
	d.view = hot.ScreenView{At: r.Time(), EventID: r.String(), Path: r.String(), Origin: r.String()}
	return d, r.Done()
}

// loadPresence reads what was saved, then the events that still stand in the log.
func (s *Store) loadPresence(ctx context.Context, now time.Time) error {
	p := s.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	split := func(k []byte) (project string, rest []byte) {
		i := bytes.IndexByte(k, 0)
		return string(k[1:i]), k[i+1:]
	}
	err := s.scan(ctx, []byte{tagDevice}, []byte{tagDevice + 1}, func(k, v []byte) error {
		project, id := split(k)
		d, err := decodeDevice(v)
		if err != nil {
			return err
		}
		p.audience(project).devices[string(id)] = d
		p.live.move(project, time.Time{}, d.last)
		return nil
	})
	if err != nil {
		return fmt.Errorf("hot: load presence: %w", err)
	}
	err = s.scan(ctx, []byte{tagRecent}, []byte{tagRecent + 1}, func(k, v []byte) error {
		project, order := split(k)
		a := p.audience(project)
		a.order = binary.BigEndian.Uint64(order)
		a.add(0, 0, bytes.Clone(v))
		a.recent[len(a.recent)-1].saved = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("hot: load recent events: %w", err)
	}
	type logged struct {
		shard int
		seq   uint64
		event weir.Event
	}
	var last []logged // of each shard, the ones that can be among the recent
	for shard := range s.shards {
		from := s.shards[shard].committed
		for {
			records, err := s.Read(ctx, shard, from, hot.Limit{Events: 1000})
			if err != nil {
				return err
			}
			if len(records) == 0 {
				break
			}
			for i := range records {
				p.see(&records[i].Event, shard, now)
				if r := records[i]; r.Seq+hot.RecentMax > s.heads[shard].Load() {
					last = append(last, logged{shard, r.Seq, r.Event})
				}
			}
			from = records[len(records)-1].Seq
		}
	}
	slices.SortStableFunc(last, func(a, b logged) int { return a.event.ReceivedAt.Compare(b.event.ReceivedAt) })
	for _, l := range last {
		p.audience(l.event.ProjectID).add(l.shard, l.seq, hot.AppendRecord(nil, &l.event))
	}
	return nil
}

// Live implements hot.Presence.
func (s *Store) Live(_ context.Context, project string, now time.Time) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	return s.presence.live.count(project, now), nil
}

// Recent implements hot.Presence.
func (s *Store) Recent(_ context.Context, project string, limit int) ([]weir.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.presence.mu.Lock()
	var records [][]byte
	if a := s.presence.projects[project]; a != nil {
		for i := len(a.recent) - 1; i >= 0 && len(records) < limit; i-- {
			records = append(records, a.recent[i].record)
		}
	}
	s.presence.mu.Unlock()
	events := make([]weir.Event, len(records))
	for i, r := range records {
		var err error
		if events[i], err = hot.DecodeRecord(r); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// Seen implements hot.Presence.
func (s *Store) Seen(_ context.Context, project, id string, now time.Time) (bool, error) {
	if err := s.usable(); err != nil {
		return false, err
	}
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	a := s.presence.projects[project]
	if a == nil {
		return false, nil
	}
	d, ok := a.devices[id]
	return ok && now.Sub(d.last) < hot.LastScreenViewKept, nil
}

// LastScreenView implements hot.Presence.
func (s *Store) LastScreenView(_ context.Context, project, id string, now time.Time) (hot.ScreenView, bool, error) {
	if err := s.usable(); err != nil {
		return hot.ScreenView{}, false, err
	}
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	if a := s.presence.projects[project]; a != nil {
		if v := a.devices[id].view; !v.At.IsZero() && now.Sub(v.At) < hot.LastScreenViewKept {
			return v, true, nil
		}
	}
	return hot.ScreenView{}, false, nil
}
