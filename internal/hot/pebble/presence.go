package pebble

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
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
	touched [][]touched // by shard: since its last commit
}

type touched struct {
	id      deviceID
	project string
}

func newPresence(shards int, o *Options) *presence {
	return &presence{devices: newDevices(o.MaxLive, o.PresenceBytes), touched: make([][]touched, shards)}
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
}

// ofNow says whether presence cares for the event.
func ofNow(e *weir.Event, now time.Time) bool {
	return e.DeviceID != "" && now.Sub(e.Time) < hot.DeviceKept
}

// see marks the event's device, if the event is of now. id is that of the device in its
// crowd.
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
	dirty := d.dirty
	d.dirty = true
	c := p.devices.put(hot.CrowdOf(e), id, d)
	if c == nil {
		p.devices.refused++
		return
	}
	c.live.move(from, d.last, limit)
	if !dirty {
		p.touched[shard] = append(p.touched[shard], touched{id, c.name})
	}
}

// saveStep is how many devices are looked up at once: appends wait meanwhile.
const saveStep = 256

// savePresence puts into b what the shard's events have said since the last commit.
func (s *Store) savePresence(b *pebble.Batch, shard int) error {
	p := s.presence
	p.mu.Lock()
	devices := p.touched[shard]
	p.touched[shard] = nil
	p.mu.Unlock()
	for part := range slices.Chunk(devices, saveStep) {
		if err := p.saveDevices(b, part); err != nil {
			return err
		}
	}
	return nil
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
		if err := b.Set(deviceKey(slot, t.id[:]), appendSeen(nil, d.last, t.project), nil); err != nil {
			return err
		}
	}
	return nil
}

// appendSeen appends the value of a deviceKey. Its second number and its last text
// are empty: an earlier build has stored the device's last screen view in them.
func appendSeen(b []byte, last int64, project string) []byte {
	b = codec.AppendInt(codec.AppendInt(b, last), 0)
	return codec.AppendString(codec.AppendString(b, project), "")
}

func parseSeen(b []byte) (last int64, project string, err error) {
	r := codec.NewReader(b)
	last, _ = r.Int(), r.Int()
	project, _ = r.String(), r.String()
	return last, project, r.Done()
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
	tailLeast  = 1000 // of these also what was received too long ago: a spill brings late events, and fresh ones may stand before them
)

// loadPresence reads what was saved, then the last of the events that still stand
// in the log.
func (s *Store) loadPresence(now time.Time) error {
	p := s.presence
	p.devices.turn(now)
	err := s.scan(context.Background(), deviceKey(p.devices.slot-1, nil), []byte{tagSeen + 1}, func(k, v []byte) error {
		last, project, err := parseSeen(v)
		if err != nil {
			return err
		}
		if c := p.devices.put(project, deviceID(k[9:]), device{last: last}); c != nil {
			c.live.move(0, last, now.UnixMicro())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("hot: load presence: %w", err)
	}
	for shard := range s.shards {
		if err := s.readTail(shard, now); err != nil {
			return fmt.Errorf("hot: load presence: end of shard %d: %w", shard, err)
		}
	}
	return nil
}

// readTail marks the devices of a shard's last undrained events.
func (s *Store) readTail(shard int, now time.Time) error {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: logKey(nil, shard, s.shards[shard].committed+1), UpperBound: logKey(nil, shard, s.heads[shard].Load()+1),
	})
	if err != nil {
		return err
	}
	n, size := 0, 0
	for ok := it.Last(); ok; ok = it.Prev() {
		var e weir.Event
		if err := hot.DecodeRecord(it.Value(), &e); err != nil {
			it.Close()
			return err
		}
		n++
		size += len(it.Value())
		if n > tailEvents || size > tailBytes || n > tailLeast && now.Sub(e.ReceivedAt) >= hot.DeviceKept {
			break
		}
		s.presence.see(&e, deviceOf(hot.CrowdOf(&e), e.DeviceID), shard, now)
	}
	return it.Close()
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

// lastOf returns the time of a device's last event, as a bot or not, in µs.
func (p *presence) lastOf(project, id string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	person, _, _ := p.devices.get(deviceOf(project, id))
	bot, _, _ := p.devices.get(deviceOf(hot.BotsOf(project), id))
	return max(person.last, bot.last)
}

// Seen implements hot.Presence.
func (s *Store) Seen(_ context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	seen := make([]hot.SeenResult, len(asked))
	for i, a := range asked {
		if now.Sub(time.UnixMicro(s.presence.lastOf(project, a.Device))) < hot.DeviceKept {
			seen[i] = hot.SeenDevice
		}
		if a.ID == "" {
			continue
		}
		known, err := s.seen.contains(hot.DedupID(&weir.Event{ProjectID: project, DeviceID: a.Device, ID: a.ID}))
		if err != nil {
			return nil, fmt.Errorf("hot: look up id: %w", err)
		}
		if known {
			seen[i] = hot.SeenEvent
		}
	}
	return seen, nil
}
