package clickhousetest

import (
	"crypto/sha256"
	_ "embed" // the launcher's source
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/servertest"
)

//go:embed launcher/launcher.c
var launcherSource []byte

// libraryPath is where `npm ci --prefix tools/clickhouse` puts the library, within
// the module.
const libraryPath = "tools/clickhouse/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"

// libraryVariable is the environment variable with another path of the library.
const libraryVariable = "WEIR_TEST_CLICKHOUSE"

// findLibrary is the path of libchdb.so, or the end of the test.
func findLibrary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(libraryVariable); path != "" {
		path, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			t.Fatalf("clickhousetest: %s: %v", libraryVariable, err)
		}
		return path
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatalf("clickhousetest: %v", err)
	}
	path := filepath.Join(root, filepath.FromSlash(libraryPath))
	if _, err := os.Stat(path); err != nil {
		servertest.Missing(t, "ClickHouse is not installed: "+libraryPath+" is missing (scripts/install-test-deps.sh)")
	}
	return path
}

// moduleRoot is the folder of go.mod, from the test's working folder upward.
func moduleRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above", wd)
		}
	}
}

// findLauncher is the path of the compiled launcher, or the end of the test. It is
// compiled once per machine, into the user's cache, under the hash of its source.
func findLauncher(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil { // no home
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "weir")
	path := filepath.Join(dir, fmt.Sprintf("clickhouse-launcher-%.8x", sha256.Sum256(launcherSource)))
	switch _, err := os.Stat(path); {
	case err == nil:
		return path
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatalf("clickhousetest: %v", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("clickhousetest: %v", err)
	}
	compile(t, path)
	return path
}

// compile makes path of the launcher's source. Others may do so at the same time:
// the file appears whole, and theirs is as good.
func compile(t testing.TB, path string) {
	t.Helper()
	cc := compiler()
	if cc == "" {
		servertest.Missing(t, "there is no C compiler for the launcher of ClickHouse")
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "compile-") //nolint:usetesting // a rename needs the same file system
	if err != nil {
		t.Fatalf("clickhousetest: %v", err)
	}
	defer os.RemoveAll(work)
	source, program := filepath.Join(work, "launcher.c"), filepath.Join(work, "launcher")
	if err := os.WriteFile(source, launcherSource, 0o600); err != nil {
		t.Fatalf("clickhousetest: %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), cc, "-O1", "-o", program, source, "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("clickhousetest: compile the launcher: %v\n%s", err, out)
	}
	if err := os.Rename(program, path); err != nil {
		t.Fatalf("clickhousetest: %v", err)
	}
}

// compiler is the path of a C compiler, or "".
func compiler() string {
	for _, name := range []string{"cc", "gcc"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
