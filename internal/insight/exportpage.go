package insight

import "errors"

const (
	// exportBytes is what an export takes: half of it a page, about, and an event more.
	exportBytes = 1 << 20
	// exportRows and exportEvents are how many rows, and events, one page looks at.
	exportRows   = 1000
	exportEvents = 200
	// mostExports is how many go on at the same time at most.
	mostExports = 8
)

// writePages writes a list of an export. read reads the next page: it hands its items to
// add, with their sizes in bytes, which says whether there is room for more, and says
// whether it ended before the list did.
func writePages[T any](x *export, read func(add func(item T, size int) bool) (more bool, err error)) error {
	for {
		var page []T
		bytes := 0
		more, err := read(func(item T, size int) bool {
			page, bytes = append(page, item), bytes+size
			return bytes < exportBytes/2
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := x.item(page[i]); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// keyset is how far a list has come that is read in the order of its rows' keys. Rows may
// share a key, in an order of their own.
type keyset[K comparable] struct {
	last K
	rows int // of last that were read
}

// page begins a page, which asks for limit rows from the last key on.
func (k *keyset[K]) page() *exportPage[K] {
	return &exportPage[K]{at: k, from: k.last, known: k.rows, limit: exportRows + k.rows}
}

// exportPage is a page under way.
type exportPage[K comparable] struct {
	at    *keyset[K]
	from  K
	known int // rows of from that are not new
	limit int
	got   int
}

var errPageFull = errors.New("the page is full")

// new says whether the row is not of the page before.
func (p *exportPage[K]) new(key K) bool {
	p.got++
	if p.known > 0 && key == p.from {
		p.known--
		return false
	}
	if p.at.rows == 0 || key != p.at.last {
		p.at.last, p.at.rows = key, 0
	}
	p.at.rows++
	return true
}

// more ends the page when there is no room.
func (p *exportPage[K]) more(room bool) error {
	if !room {
		return errPageFull
	}
	return nil
}

// end says whether there may be more.
func (p *exportPage[K]) end(err error) (more bool, _ error) {
	if errors.Is(err, errPageFull) {
		return true, nil
	}
	return p.got >= p.limit, err
}
