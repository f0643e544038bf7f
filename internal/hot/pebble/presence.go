package pebble

import (
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
// the log is: what the last undrained events say of it is read from the log again,
// and a commit saves what the events that it trims had said.
type presence struct {
	mu      sync.Mutex
	devices devices
	recents recents
	touched [][]touched // by shard: since its last commit
}

type touched struct {
	id      deviceID
	project string
}

func newPresence(shards int, o *Options) *presence {
	return &presence{devices: newDevices(o.MaxLive, o.PresenceBytes), recents: newRecents(shards), touched: make([][]touched, shards)}
}

// mark takes in a committed group.
func (p *presence) mark(g *group, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices.turn(now)
	for i := range g.entries {
		if en := &g.entries[i]; en.seq != 0 {
			p.see(g.items[i].Event, en.device, en.shard, now)
		}
	}
	// Only the last of a large group can be among the recent.
	from := max(0, len(g.entries)-hot.RecentMax)
	for i := from; i < len(g.entries); i++ {
		if en := &g.entries[i]; en.seq != 0 {
			p.recents.add(g.items[i].Event.ProjectID, en.shard, en.seq, now)
		}
	}
}

// ofNow says whether presence cares for the event.
func ofNow(e *weir.Event, now time.Time) bool {
	return e.DeviceID != "" && now.Sub(e.Time) < hot.LastScreenViewKept
}

// see marks the event's device, if the event is of now.
func (p *presence) see(e *weir.Event, id deviceID, shard int, now time.Time) {
	if !ofNow(e, now) {
		return
	}
	limit := now.UnixMicro()
	at := min(e.Time.UnixMicro(), limit)
	d, _, _ := p.devices.get(id)
	from := d.last
	if at > d.last || d.last > limit { // or the clock was set back
		d.last = at
	}
	if e.IsScreenView() && (at >= d.at || d.at > limit) {
		d.at, d.view = at, pack(hot.ViewOf(e, time.UnixMicro(at)))
	}
	dirty := d.dirty
	d.dirty = true
	c := p.devices.put(e.ProjectID, id, d)
	if c == nil {
		p.devices.refused++
		return
	}
	c.live.move(from, d.last, limit)
	if !dirty {
		p.touched[shard] = append(p.touched[shard], touched{id, c.name})
	}
}

func pack(v hot.ScreenView) string {
	b := make([]byte, 0, 8+len(v.EventID)+len(v.Path)+len(v.Origin))
	b = codec.AppendString(b, v.EventID)
	b = codec.AppendString(b, v.Path)
	return string(codec.AppendString(b, v.Origin))
}

// saveStep is how many devices are looked up at once: appends wait meanwhile.
const saveStep = 256

// savePresence puts into b what the shard's events up to last have said. The
// result must be called once b is applied.
func (s *Store) savePresence(b *pebble.Batch, shard int, last uint64) (applied func(), err error) {
	p := s.presence
	p.mu.Lock()
	devices := p.touched[shard]
	p.touched[shard] = nil
	p.mu.Unlock()
	for part := range slices.Chunk(devices, saveStep) {
		if err := p.saveDevices(b, part); err != nil {
			return nil, err
		}
	}
	return s.saveRecents(b, shard, last)
}

func (p *presence) saveDevices(b *pebble.Batch, part []touched) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range part {
		d, young, ok := p.devices.get(t.id)
		if !ok {
			continue
		}
		d.dirty = false
		slot, in := p.devices.slot, p.devices.young
		if !young {
			slot, in = slot-1, p.devices.old
		}
		in[t.id] = d
		v := codec.AppendInt(codec.AppendInt(nil, d.last), d.at)
		v = codec.AppendString(codec.AppendString(v, t.project), d.view)
		if err := b.Set(deviceKey(slot, t.id[:]), v, nil); err != nil {
			return err
		}
	}
	return nil
}

func deviceKey(slot int64, id []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{tagSeen}, uint64(slot)), id...)
}

// sweepDevices deletes what a start would not read any more.
func (s *Store) sweepDevices(now time.Time) error {
	s.presence.mu.Lock()
	s.presence.devices.turn(now)
	slot := s.presence.devices.slot
	s.presence.mu.Unlock()
	return s.db.DeleteRange(deviceKey(0, nil), deviceKey(slot-1, nil), pebble.NoSync)
}

// What a start reads of the log at most, of each shard: however far the drain is
// behind, a start does not wait for it. The devices of events before that are
// not here until they are seen again.
const (
	tailEvents = 25_000
	tailBytes  = 32 << 20
	tailLeast  = 1000 // of these also what is too old for devices, for the sake of the recent
)

// loadPresence reads what was saved, then the last of the events that still stand
// in the log.
func (s *Store) loadPresence(now time.Time) error {
	p := s.presence
	if empty, err := none(s.db, []byte{tagDevice}); err != nil {
		return err
	} else if !empty {
		if err := s.db.DeleteRange([]byte{tagDevice}, []byte{tagDevice + 1}, pebble.NoSync); err != nil {
			return err
		}
	}
	p.devices.turn(now)
	err := s.scan(context.Background(), deviceKey(p.devices.slot-1, nil), []byte{tagSeen + 1}, func(k, v []byte) error {
		r := codec.NewReader(v)
		d := device{last: r.Int(), at: r.Int()}
		project := r.String()
		d.view = strings.Clone(r.String())
		if c := p.devices.put(project, deviceID(k[9:]), d); c != nil {
			c.live.move(0, d.last, now.UnixMicro())
		}
		return r.Done()
	})
	if err != nil {
		return fmt.Errorf("hot: load presence: %w", err)
	}
	if err := s.loadRecents(); err != nil {
		return fmt.Errorf("hot: load recent events: %w", err)
	}
	var tail []logged
	for shard := range s.shards {
		if tail, err = s.readTail(tail, shard, now); err != nil {
			return fmt.Errorf("hot: load presence: end of shard %d: %w", shard, err)
		}
	}
	slices.SortStableFunc(tail, func(a, b logged) int { return a.received.Compare(b.received) })
	for _, l := range tail {
		p.recents.add(l.project, l.shard, l.seq, l.received)
	}
	return nil
}

// logged is an event in the log that may be among the recent.
type logged struct {
	project  string
	shard    int
	seq      uint64
	received time.Time
}

// readTail marks the devices of a shard's last undrained events, and appends them
// to tail in the order of the log.
func (s *Store) readTail(tail []logged, shard int, now time.Time) ([]logged, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: logKey(nil, shard, s.shards[shard].committed+1), UpperBound: logKey(nil, shard, s.heads[shard].Load()+1),
	})
	if err != nil {
		return nil, err
	}
	began, size := len(tail), 0
	for ok := it.Last(); ok; ok = it.Prev() {
		e, err := hot.DecodeRecord(it.Value())
		if err != nil {
			it.Close()
			return nil, err
		}
		n := len(tail) - began
		size += len(it.Value())
		if n >= tailEvents || size > tailBytes || n >= tailLeast && now.Sub(e.ReceivedAt) >= hot.LastScreenViewKept {
			break
		}
		s.presence.see(&e, deviceOf(e.ProjectID, e.DeviceID), shard, now)
		tail = append(tail, logged{strings.Clone(e.ProjectID), shard, binary.BigEndian.Uint64(it.Key()[3:]), e.ReceivedAt})
	}
	slices.Reverse(tail[began:])
	return tail, it.Close()
}

// Live implements hot.Presence.
func (s *Store) Live(_ context.Context, project string, now time.Time) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	return s.presence.live(project, now), nil
}

func (p *presence) live(project string, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.devices.projects[project]; c != nil {
		return c.live.count(now)
	}
	return 0
}

func (p *presence) device(project, id string) device {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, _, _ := p.devices.get(deviceOf(project, id))
	return d
}

// Seen implements hot.Presence.
func (s *Store) Seen(_ context.Context, project string, asked []hot.Sighting, now time.Time) ([]hot.Sight, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	seen := make([]hot.Sight, len(asked))
	for i, a := range asked {
		if now.Sub(time.UnixMicro(s.presence.device(project, a.Device).last)) < hot.LastScreenViewKept {
			seen[i] = hot.SeenDevice
		}
		if a.ID == "" {
			continue
		}
		known, err := s.seen.knows(hot.DedupID(&weir.Event{ProjectID: project, DeviceID: a.Device, ID: a.ID}))
		if err != nil {
			return nil, fmt.Errorf("hot: look up id: %w", err)
		}
		if known {
			seen[i] = hot.SeenEvent
		}
	}
	return seen, nil
}

// LastScreenView implements hot.Presence.
func (s *Store) LastScreenView(_ context.Context, project, id string, now time.Time) (hot.ScreenView, bool, error) {
	if err := s.usable(); err != nil {
		return hot.ScreenView{}, false, err
	}
	d := s.presence.device(project, id)
	if d.at == 0 || now.Sub(time.UnixMicro(d.at)) >= hot.LastScreenViewKept {
		return hot.ScreenView{}, false, nil
	}
	r := codec.NewReader([]byte(d.view))
	v := hot.ScreenView{At: time.UnixMicro(d.at).UTC(), EventID: r.String(), Path: r.String(), Origin: r.String()}
	return v, true, r.Done()
}
