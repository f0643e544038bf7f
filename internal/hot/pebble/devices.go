package pebble

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// deviceID names a device of a project: 128 bits of SHA-256 over both, so that
// nobody can make two collide, and long names cost no more than short ones.
type deviceID [16]byte

func deviceOf(project, device string) (id deviceID) {
	var buf [256]byte
	b := append(append(append(buf[:0], project...), 0), device...)
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// device is what presence stores about a device. Times are in µs since 1970.
type device struct {
	last  int64 // event
	dirty bool  // to be saved by the next commit
}

// deviceBytes is what a device takes: its entry in the map, and its place in the
// list of those to save.
const deviceBytes = 110

// devices are those seen lately, in two maps that turn each half an hour: what
// was not seen for half an hour to an hour is dropped with the older map, and
// nobody has to look at each.
//
// Device ids may be invented, so all of it is bounded. A project has at most
// maxLive devices. Half of the bytes go to whoever comes first; beyond that a
// project with more than its equal share of the other half gets no new devices, so
// that one project cannot keep others out. Devices that are known stay. What is refused is
// counted; its events are stored like all others.
type devices struct {
	maxLive, most int
	slot          int64 // half hours since 1970, of young
	young, old    map[deviceID]device
	projects      map[string]*crowd
	bytes         int
	refused       uint64 // events
}

// crowd is one project's devices.
type crowd struct {
	name       string
	young, old int // devices
	live       live
}

const crowdBytes = 2500 // of an empty one

func newDevices(maxLive, most int) devices {
	return devices{maxLive: maxLive, most: most, young: map[deviceID]device{}, old: map[deviceID]device{}, projects: map[string]*crowd{}}
}

func slotOf(now time.Time) int64 { return now.UnixMicro() / hot.DeviceKept.Microseconds() }

// turn drops what is too old at now. A clock that went back over the end of a
// slot turns nothing; one that was set far back begins anew.
func (p *devices) turn(now time.Time) {
	slot := slotOf(now)
	if slot < p.slot-1 {
		p.slot = slot
	}
	for turns := 0; p.slot < slot && turns < 2; turns++ {
		p.slot++
		for name, c := range p.projects {
			p.bytes -= deviceBytes * c.old
			c.old, c.young = c.young, 0
			if c.old == 0 {
				p.bytes -= crowdBytes + len(name)
				delete(p.projects, name)
			}
		}
		p.old, p.young = p.young, map[deviceID]device{}
	}
	p.slot = max(p.slot, slot)
}

func (p *devices) get(id deviceID) (d device, young, ok bool) {
	if d, ok = p.young[id]; ok {
		return d, true, true
	}
	d, ok = p.old[id]
	return d, false, ok
}

// put takes in what is known of a device now, and returns its project's crowd; nil
// when there is no room for a new one.
func (p *devices) put(project string, id deviceID, d device) *crowd {
	c := p.projects[project]
	_, young, known := p.get(id)
	if !known {
		if !p.room(c) {
			return nil
		}
		if c == nil {
			c = &crowd{name: strings.Clone(project)}
			p.projects[c.name] = c
			p.bytes += crowdBytes + len(project)
		}
		c.young++
		p.bytes += deviceBytes
	} else if !young {
		delete(p.old, id)
		c.old--
		c.young++
	}
	p.young[id] = d
	return c
}

// drop removes a device whose person is erased. It is not live any more at now.
func (p *devices) drop(project string, id deviceID, now time.Time) {
	d, young, ok := p.get(id)
	c := p.projects[project]
	if !ok || c == nil {
		return
	}
	from, in := &c.old, p.old
	if young {
		from, in = &c.young, p.young
	}
	delete(in, id)
	*from--
	p.bytes -= deviceBytes
	c.live.move(d.last, 0, now.UnixMicro())
}

// room says whether a project may have one more device.
func (p *devices) room(c *crowd) bool {
	if c == nil {
		return p.bytes < p.most
	}
	n := c.young + c.old
	if n >= p.maxLive {
		return false
	}
	return p.bytes < p.most/2 || p.bytes < p.most && n*deviceBytes < p.most/2/len(p.projects)
}

// live counts a project's devices by the second of their last event, so that
// the number of live devices is read without looking at each device. Its resolution is a
// second.
type live struct {
	newest  int64 // second
	devices [512]int32
}

// move says that a device's last event is no more at from, but at to, in µs; 0 is
// no time. now is the clock's: what is ahead of it was said before it was set back.
func (l *live) move(from, to, now int64) {
	from, to, now = from/1e6, to/1e6, now/1e6
	if l.newest > now+1 {
		*l = live{newest: now}
	}
	if from == to {
		return
	}
	for ; l.newest < to; l.newest++ {
		if to-l.newest > int64(len(l.devices)) {
			*l = live{newest: to}
			break
		}
		*l.at(l.newest + 1) = 0
	}
	if l.holds(from) && *l.at(from) > 0 {
		*l.at(from)--
	}
	if l.holds(to) {
		*l.at(to)++
	}
}

func (l *live) at(second int64) *int32 { return &l.devices[second&int64(len(l.devices)-1)] }

func (l *live) holds(second int64) bool {
	return second > l.newest-int64(len(l.devices)) && second <= l.newest && second > 0
}

// count returns the number of devices with an event in the Window before now.
func (l *live) count(now time.Time) (n int) {
	for second := now.Add(-hot.Window).Unix() + 1; second <= l.newest; second++ {
		if l.holds(second) {
			n += int(*l.at(second))
		}
	}
	return n
}
