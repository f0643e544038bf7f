// Package postgrestest starts a real PostgreSQL server for tests.
//
// A server listens on 127.0.0.1 alone and has its data in a temporary folder. On Linux the
// kernel ends it if the test process dies first. PostgreSQL does not run as root: then it runs
// as the user postgres, or nobody. Where PostgreSQL is not installed the test is skipped by
// name, or fails if WEIR_TEST_STRICT is set.
//
// The server does not sync its files. So Kill is the crash of its processes, not that of the
// machine. After Restart the server has all that was committed.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/weir-analytics/weir/internal/servertest"
)

// Password is the one of the server's user, weir.
const Password = "of-the-test-0123456789"

// ErrMissing is returned by Launch where PostgreSQL is not installed.
var ErrMissing = errors.New("postgres and initdb are not installed")

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Launch(context.WithoutCancel(t.Context()))
	if errors.Is(err, ErrMissing) {
		servertest.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", s.Addr, s.logTail())
		}
		s.Close()
	})
	return s
}

// Launch starts a server that several tests share. The caller closes it. Error: ErrMissing.
func Launch(ctx context.Context) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postgrestest-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, bin: bin}
	if s.user, err = unprivileged(dir); err == nil {
		err = s.initialize(ctx)
	}
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("postgrestest: %w", err)
	}
	return s, nil
}

// find returns the folder of PostgreSQL's programs. Debian has one for each version.
func find() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = slices.Insert(folders, 0, filepath.Dir(path))
		}
	}
	for _, f := range folders {
		_, err1 := os.Stat(filepath.Join(f, "initdb"))
		_, err2 := os.Stat(filepath.Join(f, "postgres"))
		if err1 == nil && err2 == nil {
			return f, nil
		}
	}
	return "", ErrMissing
}

// version returns 15 for /usr/lib/postgresql/15/bin.
func version(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return n
}

// unprivileged gives the folder to the user that the server runs as, and returns that user, or
// nil if it is this process's.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// initialized is an empty data folder. Each server starts with a copy, since initdb takes longer
// than all else.
var initialized struct {
	sync.Mutex
	files map[string][]byte // by path; a folder's name ends with a slash
}

// initialize makes the data folder. Texts are compared as in English, so that a query that
// relies on the order of bytes fails.
func (s *Server) initialize(ctx context.Context) error {
	initialized.Lock()
	defer initialized.Unlock()
	if initialized.files != nil {
		return s.write(initialized.files)
	}
	password := filepath.Join(s.Dir, "password")
	if err := s.writeFile(password, Password); err != nil {
		return err
	}
	args := []string{
		"--pgdata", s.data(), "--username", "weir", "--auth", "scram-sha-256", "--pwfile", password,
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
	}
	if version(s.bin) >= 15 {
		args = append(args, "--locale-provider", "icu", "--icu-locale", "en")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), args...)
	cmd.Dir, cmd.SysProcAttr = s.Dir, &syscall.SysProcAttr{Credential: s.user}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	files, err := read(s.data())
	initialized.files = files
	return err
}

// writeFile writes a file that the server's user can read, whatever the process's umask is.
func (s *Server) writeFile(path, text string) error {
	err := os.WriteFile(path, []byte(text), 0o600)
	if err == nil && s.user != nil {
		err = os.Chown(path, int(s.user.Uid), int(s.user.Gid))
	}
	return err
}

// read returns the files below a folder.
func read(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			files[name+"/"] = nil
			return nil
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	return files, err
}

// write makes the data folder of these files.
func (s *Server) write(files map[string][]byte) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names) // a folder comes before what is in it
	for _, name := range names {
		path := filepath.Join(s.data(), name)
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o700)
		} else {
			err = os.WriteFile(path, files[name], 0o600)
		}
		if err == nil && s.user != nil {
			err = os.Chown(path, int(s.user.Uid), int(s.user.Gid))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// URL returns the address of a database.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("weir", Password), Host: s.Addr, Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}
