package duckdb

/*
#include <stdlib.h>
#include <stdio.h>

#ifdef __GLIBC__
#include <malloc.h>
// glibc makes an arena for each thread and returns little of its memory to the system:
// 15 MB an arena were seen under load. So there are at most two. Blocks of 1 MiB or more,
// such as Pebble's memtables, are mapped on their own and returned when they are freed.
// glibc would raise that size by itself, but not once it is set.
static void bound(void) { mallopt(M_ARENA_MAX, 2); mallopt(M_MMAP_THRESHOLD, 1 << 20); mallopt(M_TRIM_THRESHOLD, 4 << 20); }
static void trim(void) { malloc_trim(0); }
#else
static void bound(void) {}
static void trim(void) {}
#endif

// On Linux DuckDB uses jemalloc, with four arenas for each core. An arena keeps freed
// memory for a second. jemalloc reads its options before main begins; this variable is
// the last place that it reads them from, so it wins. Other systems do not use the name.
const char *duckdb_je_malloc_conf_2_conf_harder = "narenas:2";

__attribute__((weak)) int duckdb_je_mallctl(const char *name, void *old, size_t *oldlen, void *new, size_t newlen);

// give_back makes jemalloc give freed pages back at once.
static void give_back(void) {
	if (duckdb_je_mallctl == NULL) return;
	ssize_t at_once = 0;
	unsigned n = 0;
	size_t len = sizeof(n);
	duckdb_je_mallctl("arenas.dirty_decay_ms", NULL, NULL, &at_once, sizeof(at_once));
	duckdb_je_mallctl("arenas.muzzy_decay_ms", NULL, NULL, &at_once, sizeof(at_once));
	if (duckdb_je_mallctl("arenas.narenas", &n, &len, NULL, 0) != 0) return;
	for (unsigned i = 0; i < n; i++) {
		char name[64];
		snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", i);
		duckdb_je_mallctl(name, NULL, NULL, &at_once, sizeof(at_once));
		snprintf(name, sizeof(name), "arena.%u.muzzy_decay_ms", i);
		duckdb_je_mallctl(name, NULL, NULL, &at_once, sizeof(at_once));
	}
}

// purge gives back what jemalloc has kept of what was freed: an arena that is not used any
// more would keep it for ever. 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
static void purge(void) {
	if (duckdb_je_mallctl != NULL) duckdb_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
}
*/
import "C"

// BoundMalloc keeps the C library from holding much memory back that is free: for the
// whole process, since all that uses C shares it. It is to be called at the start. With
// little memory DuckDB's own allocator gives back at once what is freed; where there is
// more, to ask the system for it again would cost more than it is worth.
func BoundMalloc(little bool) {
	C.bound()
	if little {
		C.give_back()
	}
}

// TrimMalloc gives back what the C library and DuckDB's allocator hold that is free.
func TrimMalloc() {
	C.purge()
	C.trim()
}
