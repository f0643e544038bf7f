package e2e_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// accessLog is a log that a web server writes at speed, in nginx's format, and that is
// rotated as logrotate does it. Line i asks for the path /i.
type accessLog struct {
	path    string
	copying bool // copytruncate; else by rename, with compression of the log before the last
	rand    *rand.Rand

	file *os.File
	cut  []byte // of the last line, what is not written yet

	rotates   atomic.Bool  // now and then, while it is set
	lines     atomic.Int64 // begun
	rotations atomic.Int64
	files     int // rotated ones
}

func newAccessLog(t *testing.T, r *rand.Rand, copying bool) *accessLog {
	t.Helper()
	l := &accessLog{path: filepath.Join(t.TempDir(), "access.log"), copying: copying, rand: rand.New(rand.NewPCG(r.Uint64(), 1))}
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *accessLog) open() (err error) {
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

// start has it written until stop is called, which returns what went wrong.
func (l *accessLog) start() (stop func() error) {
	done, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- l.run(done) }()
	return func() error {
		close(done)
		return <-ended
	}
}

func (l *accessLog) run(done <-chan struct{}) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := l.write(l.rand.IntN(30)); err != nil {
			return err
		}
		if l.rotates.Load() && l.rand.IntN(80) == 0 {
			rotate := l.renames
			if l.copying {
				rotate = l.copies
			}
			if err := rotate(); err != nil {
				return fmt.Errorf("rotate: %w", err)
			}
			l.rotations.Add(1)
		}
		select {
		case <-done:
			return errors.Join(l.finish(), l.file.Close())
		case <-tick.C:
		}
	}
}

// write writes n more lines, but for a part of the last one.
func (l *accessLog) write(n int) error {
	text := l.cut
	for range n {
		text = fmt.Appendf(text, "192.0.2.%d - - [%s] \"GET /%d HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\" 0.%03d\n",
			l.rand.IntN(256), time.Now().Format("02/Jan/2006:15:04:05 -0700"), l.lines.Add(1)-1, l.rand.IntN(1000))
	}
	whole := max(0, len(text)-l.rand.IntN(100))
	_, err := l.file.Write(text[:whole])
	l.cut = text[whole:]
	return err
}

// finish writes the last line to its end.
func (l *accessLog) finish() error {
	_, err := l.file.Write(l.cut)
	l.cut = nil
	return err
}

// shift makes room for .1, and compresses what was .1 before.
func (l *accessLog) shift() error {
	for i := l.files; i > 0; i-- {
		for _, ending := range []string{"", ".gz"} {
			err := os.Rename(l.rotated(i)+ending, l.rotated(i+1)+ending)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	l.files++
	if l.files > 1 && !l.copying {
		return compress(l.rotated(2))
	}
	return nil
}

func (l *accessLog) rotated(i int) string { return fmt.Sprintf("%s.%d", l.path, i) }

// renames rotates. The server goes on with the old file until it is told.
func (l *accessLog) renames() error {
	if err := l.shift(); err != nil {
		return err
	}
	if err := os.Rename(l.path, l.rotated(1)); err != nil {
		return err
	}
	for range l.rand.IntN(3) {
		time.Sleep(time.Duration(l.rand.IntN(20)) * time.Millisecond)
		if err := l.write(l.rand.IntN(30)); err != nil {
			return err
		}
	}
	if err := errors.Join(l.finish(), l.file.Close()); err != nil {
		return err
	}
	time.Sleep(time.Duration(l.rand.IntN(20)) * time.Millisecond) // the log is not there
	return l.open()
}

// copies rotates, while the server writes nothing: what it would write between the end
// of copying and the truncation would be in no file.
func (l *accessLog) copies() error {
	if err := errors.Join(l.finish(), l.shift()); err != nil {
		return err
	}
	b, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.rotated(1), b, 0o600); err != nil {
		return err
	}
	time.Sleep(time.Duration(l.rand.IntN(20)) * time.Millisecond)
	return os.Truncate(l.path, 0)
}

// compress does what gzip does.
func compress(path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.Create(path + ".gz")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(to)
	_, err = io.Copy(z, from)
	if err = errors.Join(err, z.Close(), to.Close()); err != nil {
		return err
	}
	return errors.Join(os.Chtimes(path+".gz", info.ModTime(), info.ModTime()), os.Remove(path))
}
