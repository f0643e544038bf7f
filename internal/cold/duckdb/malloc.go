package duckdb

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
// Each thread gets an arena of its own, of which little is ever given back: 15 MB each,
// seen under load. Large blocks, such as Pebble's memtables, go back to the system when
// they are freed, whatever their size was.
static void bound(void) { mallopt(M_ARENA_MAX, 2); mallopt(M_MMAP_THRESHOLD, 1 << 20); mallopt(M_TRIM_THRESHOLD, 4 << 20); }
static void trim(void) { malloc_trim(0); }
#else
static void bound(void) {}
static void trim(void) {}
#endif
*/
import "C"

// BoundMalloc keeps the C library from holding much memory back that is free: for the
// whole process, since all that uses C shares it. It is to be called at the start.
func BoundMalloc() { C.bound() }

// TrimMalloc gives back what the C library holds that is free.
func TrimMalloc() { C.trim() }
