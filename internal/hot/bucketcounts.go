package hot

// MemberNumbers gives each member of a project's dimensions (an event name, a route, …)
// a number, so that counts of many buckets are slices that add up by index. It is not
// safe for concurrent use.
type MemberNumbers struct {
	numbers [openDimensions]map[string]uint32
	texts   [openDimensions][]string
	n       int
	bytes   int
}

// openDimensions is the number of open dimensions: those whose members are not fixed,
// such as event names. Statuses are a fixed dimension.
const openDimensions = 4

// NewMemberNumbers returns an empty one.
func NewMemberNumbers() *MemberNumbers { return &MemberNumbers{} }

// OpenIndex returns the index of an open dimension, from 0; ok is false for a dimension
// with fixed members.
func (d Dimension) OpenIndex() (i int, ok bool) {
	switch d {
	case Name:
		return 0, true
	case Route:
		return 1, true
	case Failed:
		return 2, true
	case Consumer:
		return 3, true
	default:
		return 0, false
	}
}

// Statuses are the members of Status.
var Statuses = [...]string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"}

// FixedSlots is the number of counts of a bucket's fixed dimensions: total, calls and
// the statuses, in this order.
const FixedSlots = 2 + len(Statuses)

// FixedSlot returns the index of a member of a fixed dimension, -1 for any other.
func FixedSlot(d Dimension, member string) int {
	switch {
	case d == Total && member == "":
		return 0
	case d == Calls && member == "":
		return 1
	case d == Status && len(member) == 3 && member[0] >= '0' && member[0] <= '5':
		return 2 + int(member[0]-'0')
	default:
		return -1
	}
}

// Number returns the member's number, and assigns one if it has none. It copies the text.
func (n *MemberNumbers) Number(d Dimension, member string) uint32 {
	i, _ := d.OpenIndex()
	if number, ok := n.numbers[i][member]; ok {
		return number
	}
	if n.numbers[i] == nil {
		n.numbers[i] = map[string]uint32{}
	}
	member = string([]byte(member))
	number := uint32(len(n.texts[i]))
	n.numbers[i][member] = number
	n.texts[i] = append(n.texts[i], member)
	n.n++
	n.bytes += memberBytes + len(member)
	return number
}

// memberBytes is the memory for a member in addition to its text.
const memberBytes = 100

// Bytes returns roughly the memory of all members.
func (n *MemberNumbers) Bytes() int { return n.bytes }

// Len returns how many members have a number.
func (n *MemberNumbers) Len() int { return n.n }

// BucketCounts are the counts of one bucket, or of one shard's part of it. The zero value
// is empty.
type BucketCounts struct {
	Fixed [FixedSlots]int64
	rest  [openDimensions]int64   // of members beyond MaxMembers
	open  [openDimensions][]int64 // by the member's number
}

// Raise sets a count if it is lower now. Counts only grow. So an update that comes twice,
// or in the wrong order, does no harm.
func (p *BucketCounts) Raise(n *MemberNumbers, f Fact, count int64) {
	switch i, open := (f.Dimension &^ 0x80).OpenIndex(); {
	case !open:
		if slot := FixedSlot(f.Dimension, f.Member); slot >= 0 {
			p.Fixed[slot] = max(p.Fixed[slot], count)
		}
	case f.Dimension&0x80 != 0:
		p.rest[i] = max(p.rest[i], count)
	default:
		c := p.at(i, n.Number(f.Dimension, f.Member))
		*c = max(*c, count)
	}
}

// Set sets the count of a numbered member of an open dimension.
func (p *BucketCounts) Set(open int, number uint32, count int64) { *p.at(open, number) = count }

// SetRest sets the count of an open dimension's members beyond MaxMembers.
func (p *BucketCounts) SetRest(open int, count int64) { p.rest[open] = count }

func (p *BucketCounts) at(open int, number uint32) *int64 {
	c := p.open[open]
	if int(number) >= len(c) {
		grown := make([]int64, number+1+number/4)
		copy(grown, c)
		c, p.open[open] = grown, grown
	}
	return &c[number]
}

// Slots returns how many counts of open dimensions are allocated, 8 bytes each.
func (p *BucketCounts) Slots() (n int) {
	for _, c := range p.open {
		n += len(c)
	}
	return n
}

// Table answers the question. pages has the counts of each of its buckets, in the order
// of its Starts. A bucket may have several counts (of several shards), which add up, or none.
func (n *MemberNumbers) Table(q Question, pages [][]*BucketCounts) Table {
	t := Table{Others: make([]int64, len(pages))}
	open, ok := q.Dimension.OpenIndex()
	if !ok {
		n.fixed(&t, q, pages)
		return t
	}
	if q.Named != nil {
		n.named(&t, q, open, pages)
		return t
	}
	sums := make([]int64, len(n.texts[open]))
	for i, of := range pages {
		for _, p := range of {
			t.Others[i] += p.rest[open]
			t.Rest += p.rest[open]
			for number, c := range p.open[open] {
				if c != 0 {
					sums[number] += c
					t.Others[i] += c
				}
			}
		}
	}
	picked := pick(&t, q, n.texts[open], sums)
	t.Rows = make([]Row, len(picked))
	counts := make([]int64, len(picked)*len(pages))
	for i, number := range picked {
		r := Row{Member: n.texts[open][number], Sum: sums[number], Counts: counts[i*len(pages) : (i+1)*len(pages)]}
		for b, of := range pages {
			for _, p := range of {
				if int(number) < len(p.open[open]) {
					r.Counts[b] += p.open[open][number]
				}
			}
			t.Others[b] -= r.Counts[b]
		}
		r.AlsoCount = n.countIn(q.AlsoCount, r.Member, pages)
		t.Rows[i] = r
	}
	if q.Only != "" && len(t.Rows) == 0 {
		t.Rows = []Row{{Member: q.Only, Counts: make([]int64, len(pages))}}
	}
	return t
}

// pick returns the numbers of the rows' members, in the order of the rows, and counts
// all members in t.Members.
func pick(t *Table, q Question, texts []string, sums []int64) (picked []uint32) {
	before := func(a, b uint32) bool {
		if sums[a] != sums[b] {
			return sums[a] > sums[b]
		}
		return texts[a] < texts[b]
	}
	for i, sum := range sums {
		number := uint32(i)
		if sum == 0 {
			continue
		}
		t.Members++
		if q.Only != "" && texts[i] != q.Only {
			continue
		}
		if q.Top > 0 && len(picked) == q.Top {
			if !before(number, picked[q.Top-1]) {
				continue
			}
			picked = picked[:q.Top-1]
		}
		// Binary search for its place.
		lo, hi := 0, len(picked)
		for lo < hi {
			if mid := (lo + hi) / 2; before(number, picked[mid]) {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		picked = append(picked, 0)
		copy(picked[lo+1:], picked[lo:])
		picked[lo] = number
	}
	return picked
}

// countIn returns the member's sum in another dimension.
func (n *MemberNumbers) countIn(d Dimension, member string, pages [][]*BucketCounts) (sum int64) {
	open, ok := d.OpenIndex()
	if !ok {
		return 0
	}
	number, ok := n.numbers[open][member]
	if !ok {
		return 0
	}
	for _, of := range pages {
		for _, p := range of {
			if int(number) < len(p.open[open]) {
				sum += p.open[open][number]
			}
		}
	}
	return sum
}

// fixed answers a question for a fixed dimension. Rows are sorted by count, largest first.
// Members with count 0 are left out, except the only member of a dimension.
func (n *MemberNumbers) fixed(t *Table, q Question, pages [][]*BucketCounts) {
	members := []string{""}
	if q.Dimension == Status {
		members = Statuses[:]
	}
	for _, m := range members {
		slot := FixedSlot(q.Dimension, m)
		r := Row{Member: m, Counts: make([]int64, len(pages))}
		for b, of := range pages {
			for _, p := range of {
				r.Counts[b] += p.Fixed[slot]
			}
			r.Sum += r.Counts[b]
		}
		if r.Sum > 0 {
			t.Members++
		}
		if r.Sum > 0 && (q.Only == "" || q.Only == m) || len(members) == 1 {
			at := len(t.Rows)
			for at > 0 && t.Rows[at-1].Sum < r.Sum {
				at--
			}
			t.Rows = append(t.Rows[:at], append([]Row{r}, t.Rows[at:]...)...)
		} else {
			addTo(t.Others, r.Counts)
		}
	}
	if q.Top > 0 && len(t.Rows) > q.Top {
		for _, r := range t.Rows[q.Top:] {
			addTo(t.Others, r.Counts)
		}
		t.Rows = t.Rows[:q.Top]
	}
}

func addTo(dst, src []int64) {
	for i, n := range src {
		dst[i] += n
	}
}
