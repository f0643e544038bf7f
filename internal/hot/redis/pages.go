package redis

import (
	"fmt"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// pages are buckets that were read before. The total of a bucket tells whether
// it has changed since: each event that counts in it adds to that. So of those
// that have not, which are all but the current ones, only the total is read
// again; and of those that have, the counts and the members that are new.
//
// They hold as long as Redis goes on with what it had. After a failover a slot
// may have been given to another member: so they are forgotten when anything
// fails, read whole again now and then, and what is read on begins with the last
// member that is known.
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
	total   int64
	members []numbered // by slot from memberSlots on
	last    string     // of members, as Redis has it
	busy    bool       // it had changed when it was last looked at
	by      uint64     // the inquiry that it is of

	made, used time.Time
}

// numbered is a member by its dimension and number.
type numbered struct {
	open   int
	number uint32
}

const (
	pageUnused = 15 * time.Minute // after it a page is dropped
	pageAge    = 10 * time.Minute // after it a page is read whole
	maxCells   = 1 << 22          // of a shelf's pages, 8 bytes each; more are dropped whole
)

// forget drops all pages.
func (p *pages) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shelves = nil
}

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
// has read them. It returns false, and changes nothing that counts, when they do
// not go on from what the page has: then it must be read whole.
func (pg *page) fill(n *hot.Names, inquiry uint64, counts string, from int, members []string) (bool, error) {
	if len(pg.members) == from+1 && (len(members) == 0 || members[0] != pg.last) {
		return false, nil
	}
	for i, m := range members {
		if from+i < len(pg.members) {
			continue // another inquiry was faster
		}
		d, name, err := openOf(m)
		if err != nil {
			return false, fmt.Errorf("hot: read counters: %w", err)
		}
		open, _ := d.Open()
		pg.members = append(pg.members, numbered{open, n.Number(d, name)})
		pg.last = m
	}
	total := slot(counts, 0)
	if total < pg.total {
		// Older than what another inquiry has read meanwhile, or else Redis went back.
		return pg.by > inquiry, nil
	}
	pg.busy = pg.by > 0 && total != pg.total
	pg.total, pg.by = total, inquiry
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
