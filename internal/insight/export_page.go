package insight

import "errors"

const (
	// exportBytes is the memory of an export: a page takes about half of it, and one more
	// event.
	exportBytes = 1 << 20
	// exportRows and exportEvents are how many rows, and events, are read for one page.
	exportRows   = 1000
	exportEvents = 200
	// mostExports is the most exports that run at the same time.
	mostExports = 8
)

// writePages writes a list of an export. read reads the next page: it calls add with each
// item and its size in bytes, until add returns that there is no room for more. more says
// that the list goes on after the page.
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

// keyset is the position in a list that is read in the order of its rows' keys: the last key,
// and how many rows of that key were read. Rows may share a key.
//
// Example: of the keys a, b, b, b the page [a, b, b] was read. Then last is b and rows is 2.
// The next page asks from b on, and skips two rows.
type keyset[K comparable] struct {
	last K
	rows int // of last that were read
}

// page begins a page. It asks for limit rows from the last key on.
func (k *keyset[K]) page() *exportPage[K] {
	return &exportPage[K]{at: k, from: k.last, known: k.rows, limit: exportRows + k.rows}
}

// exportPage is a page that is being read.
type exportPage[K comparable] struct {
	at    *keyset[K]
	from  K
	known int // rows of from that are not new
	limit int
	got   int
}

var errPageFull = errors.New("the page is full")

// new says whether a row was not in the page before.
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

// more returns the error that ends the page if there is no room.
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
