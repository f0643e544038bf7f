package hot

import (
	"context"
	"sync"
)

// NamedBefore names all members now, and returns questions whose Named only looks these names up.
// Naming by rules may take long, and lock is held while tables are made. lock guards n. Error: ctx's.
func (n *MemberNumbers) NamedBefore(ctx context.Context, lock sync.Locker, questions []Question) ([]Question, error) {
	out := make([]Question, len(questions))
	for i, q := range questions {
		out[i] = q
		open, ok := q.Dimension.OpenIndex()
		if q.Named == nil || !ok {
			continue
		}
		lock.Lock()
		lists := [][]string{n.texts[open]} // members are only appended, so these stay as they are
		if also, ok := q.AlsoCount.OpenIndex(); ok {
			lists = append(lists, n.texts[also])
		}
		lock.Unlock()
		names := make(map[string]string)
		for _, members := range lists {
			for _, member := range members {
				if _, ok := names[member]; ok {
					continue
				}
				if len(names)%256 == 0 && ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				names[member] = q.Named(member)
			}
		}
		out[i].Named = func(member string) string {
			if name, ok := names[member]; ok {
				return name
			}
			return q.Named(member) // it was counted just now
		}
	}
	return out, nil
}

// names are the names that Question.Named gives the members of an open dimension, as
// numbers of their own.
type names struct {
	texts []string
	of    []uint32 // the name's number, by the member's number
}

func (n *MemberNumbers) names(open int, named func(string) string) names {
	out := names{of: make([]uint32, len(n.texts[open]))}
	numbers := make(map[string]uint32)
	for i, member := range n.texts[open] {
		name := named(member)
		number, ok := numbers[name]
		if !ok {
			number = uint32(len(out.texts))
			numbers[name] = number
			out.texts = append(out.texts, name)
		}
		out.of[i] = number
	}
	return out
}

// named answers a question whose members have names: the counts of members with one name
// are added up.
func (n *MemberNumbers) named(t *Table, q Question, open int, pages [][]*BucketCounts) {
	names := n.names(open, q.Named)
	sums := make([]int64, len(names.texts))
	for b, of := range pages {
		for _, p := range of {
			t.Others[b] += p.rest[open]
			t.Rest += p.rest[open]
			for number, c := range p.open[open] {
				if c != 0 { // slots beyond the last member are 0 too
					sums[names.of[number]] += c
				}
			}
		}
	}
	rowOf := make(map[uint32]int)
	for i, name := range pick(t, q, names.texts, sums) {
		rowOf[name] = i
		t.Rows = append(t.Rows, Row{Member: names.texts[name], Sum: sums[name], Counts: make([]int64, len(pages))})
	}
	for b, of := range pages {
		for _, p := range of {
			for number, c := range p.open[open] {
				if c == 0 {
					continue
				}
				if i, ok := rowOf[names.of[number]]; ok {
					t.Rows[i].Counts[b] += c
				} else {
					t.Others[b] += c
				}
			}
		}
	}
	n.alsoCount(t, q, pages)
	if q.Only != "" && len(t.Rows) == 0 {
		t.Rows = []Row{{Member: q.Only, Counts: make([]int64, len(pages))}}
	}
}

// alsoCount fills in the sums of the rows' names in another dimension.
func (n *MemberNumbers) alsoCount(t *Table, q Question, pages [][]*BucketCounts) {
	also, ok := q.AlsoCount.OpenIndex()
	if !ok {
		return
	}
	rowOf := make(map[string]*Row, len(t.Rows))
	for i := range t.Rows {
		rowOf[t.Rows[i].Member] = &t.Rows[i]
	}
	names := n.names(also, q.Named)
	for _, of := range pages {
		for _, p := range of {
			for number, c := range p.open[also] {
				if c == 0 {
					continue
				}
				if r := rowOf[names.texts[names.of[number]]]; r != nil {
					r.AlsoCount += c
				}
			}
		}
	}
}
