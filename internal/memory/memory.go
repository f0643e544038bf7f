// Package memory divides the one number that an operator sets, the memory of the
// process, among the parts that use memory. It is pure but for Available.
package memory

import (
	"fmt"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Least is the smallest budget that works with both embedded stores.
const Least = 384 * MB

const (
	// program is what no part can bound: the pages of the binary and of its
	// libraries (85 to 100 MB), the stacks of threads, SQLite's pages.
	program = 112 * MB
	// coldExtra is what DuckDB takes beside what it counts, at least: the rows of a
	// write on their way, what its allocator holds back. The rest grows with the limit.
	coldExtra = 48 * MB
	// mergeExtra is the most of it that merging DuckDB's log is given.
	mergeExtra = 32 * MB
	// LeastCold is the least limit that DuckDB works with: a full batch can be
	// written, and the file's log merged.
	LeastCold = 64 * MB
	// leastGo is the least soft limit of Go's heap.
	leastGo = 96 * MB
	// smallBodies is for requests under way where Go has much less than 300 MB. A body
	// takes about three times its decoded size.
	smallBodies = 32 * MB
	// leastHot is the least of Pebble's caches and memtables.
	leastHot = 32 * MB
)

// Uses says which stores are inside the process, and what the operator gives to one.
type Uses struct {
	Hot  bool // Pebble
	Cold bool // DuckDB
	// ColdLimit is what DuckDB gets, 0 for its share.
	ColdLimit Size
}

// Parts are how a budget is divided. Program, Go, Hot, Cold and ColdExtra add up to
// Total at most. Those that follow Go are of it, and of no store's.
type Parts struct {
	Total   Size
	Program Size // the binary and what cannot be bounded
	Go      Size // soft limit of Go's heap

	Bodies   Size // requests under way, decoded
	Batches  Size // batches of the drain
	Visits   Size // open visits that are kept in memory
	Presence Size // who is here
	Counts   Size // counters that are being added to
	IDs      Size // filters of the ids that are known
	Pages    Size // counters that are being asked for
	Answers  Size // questions under way
	Kept     Size // answers that are kept

	Hot       Size // Pebble's caches and memtables
	HotCache  Size // of Hot
	HotTables Size // of Hot: both memtables together

	Cold      Size // DuckDB's memory_limit
	ColdExtra Size // what it takes beside that
}

// Divide divides a budget. Error: it is too small for what is used.
func Divide(total Size, u Uses) (Parts, error) {
	p := Parts{Total: total, Program: program}
	rest := total - program
	need := program + leastGo
	if u.Hot {
		need += leastHot
		p.Hot = max(leastHot, min(rest*15/100, 4*GB))
	}
	switch {
	case u.Cold && u.ColdLimit > 0:
		if u.ColdLimit < LeastCold {
			return Parts{}, fmt.Errorf("DuckDB cannot work with %s: give it %s or more", u.ColdLimit, LeastCold)
		}
		p.Cold = u.ColdLimit
		p.ColdExtra = extra(p.Cold)
		need += p.Cold + p.ColdExtra
	case u.Cold:
		// The inverse of extra.
		share := rest*45/100 - coldExtra
		p.Cold = max(LeastCold, min(share*10/13, mergeExtra*5), (share-mergeExtra)*10/11)
		p.ColdExtra = extra(p.Cold)
		need = max(need+LeastCold+extra(LeastCold), Least)
	}
	if total < need {
		if u.ColdLimit > 0 {
			return Parts{}, fmt.Errorf("%s of memory are too few with %s for DuckDB: give the process %s or more, or DuckDB less", total, u.ColdLimit, need)
		}
		return Parts{}, fmt.Errorf("%s of memory are too few to work with: give the process %s or more", total, need)
	}
	if u.ColdLimit > 0 {
		p.Hot = min(p.Hot, max(leastHot, (rest-p.Cold-p.ColdExtra)/4))
	}
	p.Go = rest - p.Hot - p.Cold - p.ColdExtra
	if u.Hot {
		p.HotCache = p.Hot / 4
		p.HotTables = p.Hot - p.HotCache
	}
	// The garbage collector needs the rest of Go's heap to work with.
	of := func(percent Size, most Size) Size { return min(p.Go*percent/100, most) }
	p.Bodies = max(of(20, smallBodies), of(12, 1*GB))
	p.Batches = of(15, 512*MB)
	p.Visits = of(10, 4*GB)
	p.Presence = of(5, 1*GB)
	if u.Hot {
		p.Counts = of(6, 64*MB)
		p.IDs = of(6, 192*MB)
		p.Pages = of(6, 128*MB)
	}
	p.Answers = of(6, 512*MB)
	p.Kept = of(3, 64*MB)
	return p, nil
}

// GCPercent returns how much garbage Go's heap may hold, in percent of what is live. The soft
// limit holds in any case; below it less garbage costs more work.
func (p Parts) GCPercent() int {
	if p.Go >= GB {
		return 200
	}
	return 100
}

// extra returns what DuckDB takes beside its limit. What merging its log compresses with
// depends on the texts, not on the limit, and was 140 MB beside a limit of 120 MB with texts of
// 1.5 KB; Go's heap and Pebble were not full then.
func extra(limit Size) Size { return coldExtra + limit/10 + min(limit/5, mergeExtra) }

// Share is how much of what there is the process takes by default, in percent. The
// rest is for the system and for the files that it keeps in memory.
const Share = 75

// Available returns the default of a budget: 75 % of what the control group allows, or
// of what the machine has where that is less. Error: neither is known.
func Available() (Size, error) {
	n, err := memlimit.FromSystem()
	if group, groupErr := memlimit.FromCgroup(); groupErr == nil && (err != nil || group < n) {
		n, err = group, nil
	}
	if err != nil {
		return 0, fmt.Errorf("memory of this machine: %w", err)
	}
	return Size(n/100) * Share, nil //nolint:gosec // no machine has 2^63 bytes
}
