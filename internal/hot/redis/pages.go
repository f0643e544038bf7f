package redis

import (
	"fmt"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// pages are buckets that were read before. The state of a bucket tells whether
// it has changed since. So of those that have not, which are all but the current
// ones, only the state is read again; and of those that have, the counts and the
// members that are new.
//
// Redis need not go on with what it had: a failover may lose the last appends,
// and what comes after them may give their slots to other members. The state
// shows the first, the digest in it the second.
type pages struct {
	mu      sync.Mutex
	shelves map[string]*shelf // by project
	asked   uint64            // inquiries so far
}

type shelf struct {
	names *hot.Names
	pages map[place]*page
}

// page is a place's counts.
type page struct {
	hot.Page
	state
	members []numbered // by slot from memberSlots on
	busy    bool       // it had changed when it was last looked at
	by      uint64     // the inquiry that it is of
	used    time.Time
}

// numbered is a member by its dimension and number.
type numbered struct {
	open   int
	number uint32
}

const (
	pageUnused = 15 * time.Minute // after it a page is dropped
	maxCells   = 1 << 22          // of a shelf's pages, 8 bytes each; more are dropped whole
)

// sweep drops the pages that nobody has asked for lately.
func (p *pages) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for project, sh := range p.shelves {
		cells := sh.names.Len()
		for k, pg := range sh.pages {
			if cells += pg.Cells() + len(pg.members); now.Sub(pg.used) >= pageUnused {
				delete(sh.pages, k)
			}
		}
		if cells > maxCells || len(sh.pages) == 0 {
			delete(p.shelves, project)
		}
	}
}

// forget drops a project's pages.
func (p *pages) forget(project string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.shelves, project)
}

// shelf is the project's, a new one if it has none, and the number of this
// inquiry.
func (p *pages) shelf(project string) (*shelf, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shelves == nil {
		p.shelves = map[string]*shelf{}
	}
	sh := p.shelves[project]
	if sh == nil {
		sh = &shelf{hot.NewNames(), map[place]*page{}}
		p.shelves[project] = sh
	}
	p.asked++
	return sh, p.asked
}

// fill takes in counts and the members from the so manieth on, as an inquiry
// has read them, the counts first. It returns false, and changes nothing, when
// they are not of one piece with each other and with what the page has, or may be
// older than that: then the page must be made anew.
func (pg *page) fill(n *hot.Names, inquiry uint64, counts string, from int, members []string) (bool, error) {
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
		open, _ := d.Open()
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
