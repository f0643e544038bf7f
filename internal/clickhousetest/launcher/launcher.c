// Runs ClickHouse, which libchdb.so holds whole, as a program:
//
//     launcher libchdb.so ARGUMENT...
//
// The arguments are those of clickhouse-local. It returns what that returns.

#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
	if (argc < 2) {
		fprintf(stderr, "usage: %s libchdb.so ARGUMENT...\n", argv[0]);
		return 2;
	}
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	int (*run)(int, char **) = (int (*)(int, char **))dlsym(library, "chdb_query_cmdline");
	if (!run) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	argv[1] = "clickhouse"; // where the library looks for its program's name
	return run(argc - 1, argv + 1);
}
