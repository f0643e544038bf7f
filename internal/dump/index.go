package dump

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
)

// index finds the rows of a table by a key. It takes all rows first, then
// answers; rows of a key come in the order in which they were added. What does
// not fit into memory is sorted into temporary files, which are merged into one. Of this file
// the index keeps one key for each indexBlock in memory. So memory is bounded by budget, and by
// 24 bytes for each indexBlock of rows.
type index struct {
	dir    string
	budget int

	rows []indexRow
	size int
	runs []*os.File

	sorted bool
	file   *os.File
	blocks []indexBlockAt
	last   int // block that is in block
	block  []byte
}

const (
	indexBlock  = 32 << 10
	indexHeader = 16 + 4 // key, length of the value
	indexRowMin = 64     // bytes that a row takes beside its value
)

type indexRow struct {
	key   [16]byte
	value []byte
}

type indexBlockAt struct {
	key [16]byte // of its first row
	at  int64
}

func indexKey(text string) (key [16]byte) {
	sum := sha256.Sum256([]byte(text))
	copy(key[:], sum[:])
	return key
}

// add takes a row, which it copies.
func (x *index) add(key string, value []byte) error {
	x.rows = append(x.rows, indexRow{indexKey(key), bytes.Clone(value)})
	if x.size += len(value) + indexRowMin; x.size < x.budget {
		return nil
	}
	return x.spill()
}

func (x *index) sort() {
	slices.SortStableFunc(x.rows, func(a, b indexRow) int { return bytes.Compare(a.key[:], b.key[:]) })
}

// spill writes the rows in memory to a file of their own.
func (x *index) spill() error {
	x.sort()
	f, err := x.temp()
	if err != nil {
		return err
	}
	x.runs = append(x.runs, f)
	w := bufio.NewWriterSize(f, 256<<10)
	for _, r := range x.rows {
		if err := writeRow(w, r); err != nil {
			return fmt.Errorf("write a temporary file: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write a temporary file: %w", err)
	}
	clear(x.rows)
	x.rows, x.size = x.rows[:0], 0
	return nil
}

// temp makes a file that is gone when it is closed.
func (x *index) temp() (*os.File, error) {
	f, err := os.CreateTemp(x.dir, "weir-import-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	_ = os.Remove(f.Name()) // where that cannot be done before, close does it
	return f, nil
}

func writeRow(w *bufio.Writer, r indexRow) error {
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(r.value))) //nolint:gosec // a record is at most MaxRecord
	_, err := w.Write(r.key[:])
	_, err2 := w.Write(n[:])
	_, err3 := w.Write(r.value)
	return cmp.Or(err, err2, err3)
}

func readRow(r io.Reader) (indexRow, error) {
	var head [indexHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return indexRow{}, err
	}
	row := indexRow{value: make([]byte, binary.LittleEndian.Uint32(head[16:]))}
	copy(row.key[:], head[:])
	_, err := io.ReadFull(r, row.value)
	return row, err
}

// done ends the taking of rows.
func (x *index) done() error {
	x.sorted, x.last = true, -1
	if len(x.runs) == 0 {
		x.sort()
		return nil
	}
	if len(x.rows) > 0 {
		if err := x.spill(); err != nil {
			return err
		}
	}
	x.rows = nil
	f, err := x.temp()
	if err != nil {
		return err
	}
	x.file = f
	if err := x.merge(bufio.NewWriterSize(f, 256<<10)); err != nil {
		return fmt.Errorf("merge temporary files: %w", err)
	}
	for _, run := range x.runs {
		_ = drop(run)
	}
	x.runs = nil
	return nil
}

// indexRun is a sorted file and its next row.
type indexRun struct {
	n   int // rows of an earlier run come first
	r   *bufio.Reader
	row indexRow
}

type indexHeap []*indexRun

func (h indexHeap) Len() int { return len(h) }
func (h indexHeap) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].row.key[:], h[j].row.key[:]), h[i].n-h[j].n) < 0
}
func (h indexHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *indexHeap) Push(v any)   { *h = append(*h, v.(*indexRun)) } //nolint:forcetypeassert // heap's way
func (h *indexHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}

func (x *index) merge(w *bufio.Writer) error {
	var h indexHeap
	for i, f := range x.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		run := &indexRun{n: i, r: bufio.NewReaderSize(f, 64<<10)}
		row, err := readRow(run.r)
		if err != nil {
			return err
		}
		run.row = row
		h = append(h, run)
	}
	heap.Init(&h)
	at, block := int64(0), int64(-indexBlock)
	for len(h) > 0 {
		run := h[0]
		if at-block >= indexBlock {
			block = at
			x.blocks = append(x.blocks, indexBlockAt{run.row.key, at})
		}
		if err := writeRow(w, run.row); err != nil {
			return err
		}
		at += int64(indexHeader + len(run.row.value))
		row, err := readRow(run.r)
		switch {
		case errors.Is(err, io.EOF):
			heap.Pop(&h)
		case err != nil:
			return err
		default:
			run.row = row
			heap.Fix(&h, 0)
		}
	}
	x.blocks = append(x.blocks, indexBlockAt{at: at}) // where the last one ends
	return w.Flush()
}

// find calls fn for the value of each row of a key. A value is fn's until it
// returns.
func (x *index) find(text string, fn func(value []byte)) error {
	key := indexKey(text)
	if x.file == nil {
		i := sort.Search(len(x.rows), func(i int) bool { return bytes.Compare(x.rows[i].key[:], key[:]) >= 0 })
		for ; i < len(x.rows) && x.rows[i].key == key; i++ {
			fn(x.rows[i].value)
		}
		return nil
	}
	n := len(x.blocks) - 1
	// The first block that begins at the key or beyond it; rows of the key may
	// begin in the one before.
	i := max(sort.Search(n, func(i int) bool { return bytes.Compare(x.blocks[i].key[:], key[:]) >= 0 })-1, 0)
	for ; i < n; i++ {
		if bytes.Compare(x.blocks[i].key[:], key[:]) > 0 {
			return nil
		}
		if err := x.load(i); err != nil {
			return err
		}
		for b := x.block; len(b) >= indexHeader; {
			end := indexHeader + int(binary.LittleEndian.Uint32(b[16:]))
			switch c := bytes.Compare(b[:16], key[:]); {
			case c == 0:
				fn(b[indexHeader:end])
			case c > 0:
				return nil
			}
			b = b[end:]
		}
	}
	return nil
}

func (x *index) load(i int) error {
	if x.last == i {
		return nil
	}
	x.last = -1
	size := int(x.blocks[i+1].at - x.blocks[i].at)
	x.block = slices.Grow(x.block[:0], size)[:size]
	if _, err := x.file.ReadAt(x.block, x.blocks[i].at); err != nil {
		return fmt.Errorf("read a temporary file: %w", err)
	}
	x.last = i
	return nil
}

// close lets go of the files.
func (x *index) close() {
	for _, f := range append(x.runs, x.file) {
		_ = drop(f)
	}
	x.runs, x.file, x.rows = nil, nil, nil
}

func drop(f *os.File) error {
	if f == nil {
		return nil
	}
	err := f.Close()
	if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
