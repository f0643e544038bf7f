package schema

import "unsafe"

// Offset returns how many bytes after the row's beginning a value is that f points to, and
// false if it is not in the row itself. With it a loop over many rows needs no call for
// each: see At.
func Offset[R, V any](f func(*R) *V) (offset uintptr, ok bool) {
	var row R
	begin, at := uintptr(unsafe.Pointer(&row)), uintptr(unsafe.Pointer(f(&row)))
	if at < begin || at >= begin+unsafe.Sizeof(row) {
		return 0, false
	}
	return at - begin, true
}

// At returns the value at an offset that Offset returned for the same types.
func At[V, R any](row *R, offset uintptr) *V {
	return (*V)(unsafe.Add(unsafe.Pointer(row), offset))
}
