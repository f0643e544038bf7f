package hot

// Names numbers the members of a project's dimensions, so that pages of counts
// add up by number. It is not safe for concurrent use.
type Names struct {
	numbers [opens]map[string]uint32
	texts   [opens][]string
	n       int
	bytes   int
}

// opens is how many dimensions have members that nobody knows beforehand;
// Open numbers them.
const opens = 4

// NewNames is without any.
func NewNames() *Names { return &Names{} }

// Open is the number of a dimension, from 0, whose members nobody knows
// beforehand; ok is false for one that has the same members always.
func (d Dimension) Open() (i int, ok bool) {
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

// FixedSlots is how many counts of a bucket have no names: total, calls and the
// statuses, in this order.
const FixedSlots = 2 + len(Statuses)

// FixedSlot is where a fact of such a dimension stands.
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

// Number is the member's number, a new one where it has none. The text is
// copied.
func (n *Names) Number(d Dimension, member string) uint32 {
	i, _ := d.Open()
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

// memberBytes is what a member takes beside its text.
const memberBytes = 100

// Bytes is about what the names take.
func (n *Names) Bytes() int { return n.bytes }

// Len is how many members have a number.
func (n *Names) Len() int { return n.n }

// Page is the counts of one bucket, or of one shard's part of it. The zero Page
// is an empty one.
type Page struct {
	Fixed [FixedSlots]int64
	rest  [opens]int64
	open  [opens][]int64 // by the member's number
}

// Raise sets a count unless it is more already. Counts only grow, so what is
// told twice, or in the wrong order, ends up right.
func (p *Page) Raise(n *Names, f Fact, count int64) {
	switch i, open := (f.Dimension &^ 0x80).Open(); {
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
func (p *Page) Set(open int, number uint32, count int64) { *p.at(open, number) = count }

// SetRest sets what an open dimension counts beyond MaxMembers.
func (p *Page) SetRest(open int, count int64) { p.rest[open] = count }

func (p *Page) at(open int, number uint32) *int64 {
	c := p.open[open]
	if int(number) >= len(c) {
		grown := make([]int64, number+1+number/4)
		copy(grown, c)
		c, p.open[open] = grown, grown
	}
	return &c[number]
}

// Cells is how many counts the page has room for, of 8 bytes each.
func (p *Page) Cells() (n int) {
	for _, c := range p.open {
		n += len(c)
	}
	return n
}

// Table answers the question from pages: those of each of its buckets, in the
// order of its Starts. A bucket may have several, which add up, or none.
func (n *Names) Table(q Question, pages [][]*Page) Table {
	t := Table{Others: make([]int64, len(pages))}
	open, ok := q.Dimension.Open()
	if !ok {
		n.fixed(&t, q, pages)
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
	picked := n.pick(&t, q, open, sums)
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
		r.Beside = n.beside(q.Beside, r.Member, pages)
		t.Rows[i] = r
	}
	if q.Only != "" && len(t.Rows) == 0 {
		t.Rows = []Row{{Member: q.Only, Counts: make([]int64, len(pages))}}
	}
	return t
}

// pick chooses the rows' numbers, in their order, and counts the members.
func (n *Names) pick(t *Table, q Question, open int, sums []int64) (picked []uint32) {
	texts := n.texts[open]
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
		// Its place, by halving.
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

func (n *Names) beside(d Dimension, member string, pages [][]*Page) (sum int64) {
	open, ok := d.Open()
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

// fixed answers for a dimension whose members are known. All are rows, most
// counted first; those without any count are left out, but for the one of a
// dimension that has one alone.
func (n *Names) fixed(t *Table, q Question, pages [][]*Page) {
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
