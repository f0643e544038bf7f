package redis

import (
	"fmt"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// bucketCache caches buckets that were read from Redis. The state of a bucket shows
// whether it has changed since. If not (all but the current buckets), only the state is
// read again. If so, the counts and the new members are read.
//
// Redis may go back: a failover may lose the last appends, and later appends may give
// their slots to other members. The state shows the first, the digest in it the second.
type bucketCache struct {
	mu       sync.Mutex
	projects map[string]*projectBuckets // by project
	asked    uint64                     // inquiries so far
}

type projectBuckets struct {
	names   *hot.MemberNumbers
	buckets map[place]*cachedBucket
}

// cachedBucket has the counts of one bucket in one shard.
type cachedBucket struct {
	hot.BucketCounts
	state
	members []numbered // by slot, from memberSlots on
	busy    bool       // it had changed at the last look
	by      uint64     // number of the inquiry that read it
	used    time.Time
}

// numbered is a member by its dimension and number.
type numbered struct {
	open   int
	number uint32
}

const (
	bucketUnused = 15 * time.Minute // after it a bucket is dropped
	maxCells     = 1 << 22          // counts per project, 8 bytes each; with more, the project is dropped
)

// sweep drops the buckets that were not used for bucketUnused.
func (p *bucketCache) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for project, sh := range p.projects {
		cells := sh.names.Len()
		for k, pg := range sh.buckets {
			if cells += pg.Slots() + len(pg.members); now.Sub(pg.used) >= bucketUnused {
				delete(sh.buckets, k)
			}
		}
		if cells > maxCells || len(sh.buckets) == 0 {
			delete(p.projects, project)
		}
	}
}

// forget drops a project's buckets.
func (p *bucketCache) forget(project string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.projects, project)
}

// project returns the project's buckets, and adds the project if it is not cached. It
// also returns the number of this inquiry.
func (p *bucketCache) project(project string) (*projectBuckets, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.projects == nil {
		p.projects = map[string]*projectBuckets{}
	}
	sh := p.projects[project]
	if sh == nil {
		sh = &projectBuckets{hot.NewMemberNumbers(), map[place]*cachedBucket{}}
		p.projects[project] = sh
	}
	p.asked++
	return sh, p.asked
}

// fill updates the bucket with the counts and members that an inquiry has read, the
// counts first. members starts with number from. If counts, members and the cached bucket
// do not fit together, or counts may be older than the cached ones, fill changes nothing
// and returns false. Then the bucket must be read again from the start.
func (pg *cachedBucket) fill(n *hot.MemberNumbers, inquiry uint64, counts string, from int, members []string) (bool, error) {
	size := 0
	for i := range digestSlot - sizeSlots {
		size += int(slot(counts, sizeSlots+i))
	}
	if size < len(pg.members) || slot(counts, 0) < pg.Fixed[0] {
		// Older than what another inquiry has read meanwhile, or else Redis went back.
		return pg.by > inquiry, nil
	}
	if from+len(members) < size {
		return false, nil
	}
	// Those that no other inquiry has brought meanwhile, and that the counts have.
	members = members[len(pg.members)-from : size-from]
	now, names := stateOf(counts, 0), pg.digest
	for _, m := range members {
		names = digest(names, m)
	}
	if names != now.digest {
		return false, nil
	}
	for _, m := range members {
		d, name, err := openOf(m)
		if err != nil {
			return false, fmt.Errorf("hot: read counters: %w", err)
		}
		open, _ := d.OpenIndex()
		pg.members = append(pg.members, numbered{open, n.Number(d, name)})
	}
	pg.busy = pg.by > 0 && now != pg.state
	pg.state, pg.by = now, inquiry
	for i := range pg.Fixed {
		pg.Fixed[i] = slot(counts, i)
	}
	for i := range sizeSlots - restSlots {
		pg.SetRest(i, slot(counts, restSlots+i))
	}
	for i, m := range pg.members {
		pg.Set(m.open, m.number, slot(counts, memberSlots+i))
	}
	return true, nil
}
