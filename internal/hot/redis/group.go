package redis

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// maxGroup is how many events one call of the append script takes at most: it
// bounds how long Redis is busy with one.
const maxGroup = 1000

// maxBytes is how many bytes of records it takes at most, unless one alone has
// more.
const maxBytes = 8 << 20

// piece is what one Append brings to one shard, at most maxGroup events and
// maxBytes.
type piece struct {
	shard   int
	entries []entry
	bytes   int       // of their records, about
	until   time.Time // when it is given up

	err  error
	done chan<- struct{} // gets one answer

	mu        sync.Mutex // held while the events are read
	abandoned bool       // they must not be
}

// entry is one event on its way.
type entry struct {
	item  hot.Item
	index int // in the Append's items
	id    [16]byte
	known bool
}

// generation is the current generation of a shard's ids, from its last answer.
type generation struct {
	number       int64
	bits, before int // of the sets' numbers; before is 0 when the one before has none
}

// group is a call of the append script under construction: the new events of
// some pieces of a shard. It is reused.
type group struct {
	entries []*entry
	first   map[[16]byte]*entry // entries by id
	repeats []*entry            // of the same ids; see take

	keys, args, lists texts
	ids               []byte // buffer
	records, chunk    []byte // buffers
	increments        increments
	projects          []string          // in order of their first event, and crowds of bots
	lives             map[visitor]int64 // ms of the last event
	marks             marks
	buckets, ns       []int64 // buffers
	keyed             []string
	argued            []string
}

type visitor struct{ project, device string }

// appended is called when Redis has all of the group: repeats are duplicates
// now, and the devices that the group has sent to Redis are cached.
func (g *group) appended() {
	for _, e := range g.repeats {
		e.known = true
	}
	g.marks.add(g.lives, &g.increments)
}

// found is called when Redis had some entries already, by their index, and took
// nothing.
func (g *group) found(known []int64) {
	for _, i := range known {
		g.entries[i].known = true
	}
	for _, e := range g.repeats {
		e.known = g.first[e.id].known
	}
}

func newGroup() *group {
	return &group{
		first: map[[16]byte]*entry{}, increments: increments{cells: map[cell]*sums{}},
		lives: map[visitor]int64{}, marks: marks{},
	}
}

// fill puts the events of the pieces into the group, except those that Redis has. Of
// events with the same id only the first is sent. The others are repeats and wait for
// the result of the first. They are not duplicates yet: if the sender of the first hangs
// up and the call must be made again, another of them is sent.
func (g *group) fill(pieces []*piece) {
	g.entries, g.repeats = g.entries[:0], g.repeats[:0]
	clear(g.first)
	for _, p := range pieces {
		if p.abandoned {
			continue
		}
		for i := range p.entries {
			e := &p.entries[i]
			if e.known {
				continue
			}
			if g.first[e.id] != nil {
				g.repeats = append(g.repeats, e)
				continue
			}
			g.first[e.id] = e
			g.entries = append(g.entries, e)
		}
	}
}

// build makes the script's keys and arguments. They are valid until the next
// build. See scripts/append.lua for their order.
func (g *group) build(w *writer) (keys, args []string) {
	s, shard, gen, now := w.s, w.shard, w.gen, w.s.opt.Clock.Now()
	g.reset()
	g.keys.text(s.keys.shards[shard])
	g.keys.text(s.keys.stream(shard))
	asked := g.addIDs(s, shard, gen, w.back)
	for _, e := range g.entries {
		g.increments.add(e.item, g.marks)
		g.see(e.item, now)
	}
	g.addProjects(s, shard, now)
	g.addBuckets(s, shard, now, g.increments.eachBucket)
	return g.call(s, known{gen, w.cleared}, len(g.entries), asked, now)
}

// known is what a caller of the append script has of the shard's state, from its last answer.
type known struct {
	generation
	cleared int64 // how often sketches were cleared
}

// call returns the keys and arguments of what was added to g.
func (g *group) call(s *Store, k known, ids, asked int, now time.Time) (keys, args []string) {
	const head = 10
	g.argued = append(g.argued[:0], s.id, strconv.FormatInt(s.scriptNow(now), 10), strconv.FormatInt(s.window.Microseconds(), 10),
		strconv.FormatInt(k.number, 10), strconv.Itoa(k.bits), strconv.Itoa(k.before), strconv.FormatInt(k.cleared, 10),
		strconv.Itoa(ids), strconv.Itoa(asked), strconv.Itoa(head+len(g.args.ends)))
	g.argued = g.lists.strings(g.args.strings(g.argued))
	g.keyed = g.keys.strings(g.keyed[:0])
	return g.keyed, g.argued
}

func (g *group) reset() {
	g.keys.reset()
	g.args.reset()
	g.lists.reset()
	g.increments.reset()
	g.projects = g.projects[:0]
	clear(g.lives)
}

// idPlace returns where an id stands: the number of its set, 13 to 20 bits, and the
// other 64 as a number, for sets of numbers are the most compact thing that Redis has.
func idPlace(id [16]byte, bits int) (set uint64, member int64) {
	return binary.BigEndian.Uint64(id[8:]) >> (64 - bits), int64(binary.BigEndian.Uint64(id[:8]))
}

// addIDs returns how many of the ids are looked for in the generation before.
func (g *group) addIDs(s *Store, shard int, gen generation, back *lookback) (asked int) {
	key := func(e *entry, bits int) {
		set, _ := idPlace(e.id, bits)
		g.keys.buf = idSet(append(g.keys.buf, g.ids...), set)
		g.keys.end()
	}
	g.ids = s.keys.ids(g.ids[:0], shard, gen.number)
	for _, e := range g.entries {
		key(e, gen.bits)
		_, member := idPlace(e.id, gen.bits)
		g.args.number(member)
	}
	if gen.before == 0 {
		return 0
	}
	g.ids = s.keys.ids(g.ids[:0], shard, gen.number-1)
	for i, e := range g.entries {
		if back.maybe(e.id) {
			key(e, gen.before)
			g.args.number(int64(i))
			asked++
		}
	}
	return asked
}

// see marks the event's device, if the event is of now.
func (g *group) see(it hot.Item, now time.Time) {
	e := it.Event
	crowd := hot.CrowdOf(e)
	for _, name := range [...]string{e.ProjectID, crowd} {
		if !slices.Contains(g.projects, name) {
			g.projects = append(g.projects, name)
		}
	}
	at := e.Time
	if at.After(now) {
		at = now
	}
	if e.DeviceID == "" || now.Sub(at) >= hot.DeviceKept {
		return
	}
	v, ms := visitor{crowd, e.DeviceID}, at.UnixMilli()
	if last, ok := g.lives[v]; !ok && !g.marks.live(v, ms) || ok && ms > last {
		g.lives[v] = ms
	}
}

// addProjects adds each project's chunk and its live devices. A crowd of bots has devices
// alone: its chunk is empty, and the script adds none.
func (g *group) addProjects(s *Store, shard int, now time.Time) {
	old := now.Add(-hot.DeviceKept).UnixMilli()
	g.args.number(int64(len(g.projects)))
	for _, project := range g.projects {
		g.records = g.records[:0]
		n := 0
		for _, e := range g.entries {
			if e.item.Event.ProjectID == project {
				g.records = appendRecord(g.records, e.item.Event)
				n++
			}
		}
		g.chunk = appendChunk(g.chunk[:0], g.records)
		g.keys.text(s.keys.live(shard, project))
		g.args.number(int64(n))
		g.args.text(rueidis.BinaryString(g.chunk))
		from := g.lists.next()
		for v, at := range g.lives {
			if v.project == project {
				g.lists.number(at)
				g.lists.text(v.device)
			}
		}
		g.refer(from)
		g.args.number(old)
	}
}

// refer puts into the arguments where the list stands that began at from and
// is done now.
func (g *group) refer(from int) {
	to := g.lists.next() - 1
	if to < from {
		from, to = 0, 0
	}
	g.args.number(int64(from))
	g.args.number(int64(to))
}

// addBuckets adds what the buckets get: each calls its function with every bucket and its sums.
func (g *group) addBuckets(s *Store, shard int, now time.Time, each func(time.Time, func(bucketOf, *sums))) {
	type refs struct{ fixed, devices, members [2]int }
	type both struct{ all, bots refs }
	places := map[*sums]both{}
	n := 0
	g.buckets = g.buckets[:0]
	add := func(b bucketOf, r refs) {
		n++
		g.keys.text(s.keys.index(shard, b.project, b.Grain))
		for _, kind := range [...]string{kindCounts, kindMembers, kindUniques} {
			g.keys.text(s.keys.bucket(shard, kind, b.project, b.Bucket))
		}
		kept := b.Grain.Kept() + bucketSlack
		g.buckets = append(g.buckets, b.Start, int64(time.Unix(b.Start, 0).Add(kept).Sub(now)/time.Second), indexed(b.Grain, kept), int64(s.opt.MaxMembers))
		for _, l := range [...][2]int{r.fixed, r.devices, r.members} {
			g.buckets = append(g.buckets, int64(l[0]), int64(l[1]))
		}
	}
	each(now, func(b bucketOf, sum *sums) {
		r, ok := places[sum]
		if !ok {
			r.all = refs{g.fixed(sum.fixed), g.devices(sum.devices), g.members(sum)}
			if sum.botted > 0 {
				r.bots = refs{fixed: g.fixed([hot.FixedSlots]int64{sum.botted}), devices: g.devices(sum.bots)}
			}
			places[sum] = r
		}
		add(b, r.all)
		if sum.botted > 0 {
			add(bucketOf{hot.BotsOf(b.project), b.Bucket}, r.bots)
		}
	})
	g.args.number(int64(n))
	for _, v := range g.buckets {
		g.args.number(v)
	}
}

// indexed returns how many buckets of the grain an index names at most: those that are
// kept, and a tenth more for what a wrong clock has brought.
func indexed(g hot.Grain, kept time.Duration) int64 {
	width := map[hot.Grain]time.Duration{hot.Minute: time.Minute, hot.Hour: time.Hour, hot.Day: 24 * time.Hour}[g]
	return int64(kept/width) * 11 / 10
}

// bucketSlack is how long a bucket is kept beyond its time: a day's bucket is
// in use for a day after it began, which may have 25 hours.
const bucketSlack = 26 * time.Hour

// fixed lists what the fixed slots get, the total first, and the stamp, as
// BITFIELD has it. It says where, and how many words.
func (g *group) fixed(counts [hot.FixedSlots]int64) [2]int {
	from := g.lists.next()
	add := func(slot int, n int64) {
		g.lists.text("INCRBY")
		g.lists.text("i64")
		g.lists.buf = strconv.AppendInt(append(g.lists.buf, '#'), int64(slot), 10)
		g.lists.end()
		g.lists.number(n)
	}
	for slot, n := range counts {
		if n != 0 {
			add(slot, n)
		}
	}
	add(stampSlot, rand.Int64()) //nolint:gosec // no secret; the sum may wrap around
	return [2]int{from, g.lists.next() - from}
}

// members lists members, then their counts. It says where, and how many.
func (g *group) members(s *sums) [2]int {
	from := g.lists.next()
	g.ns = g.ns[:0]
	for f, n := range s.members {
		g.lists.buf = append(append(g.lists.buf, byte(f.Dimension)), f.Member...)
		g.lists.end()
		g.ns = append(g.ns, n)
	}
	for _, n := range g.ns {
		g.lists.number(n)
	}
	return [2]int{from, len(g.ns)}
}

func (g *group) devices(of map[string]struct{}) [2]int {
	from := g.lists.next()
	for d := range of {
		g.lists.text(d)
	}
	return [2]int{from, len(of)}
}
