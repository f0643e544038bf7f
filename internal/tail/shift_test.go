package tail_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"
)

// rotator writes a log and rotates it as logrotate does: the newest rotated file is .1,
// and all older ones move up by one while the follower may be looking at them.
type rotator struct {
	path    string
	copying bool // copytruncate; else by rename, and what was .1 is compressed
	lines   int
	files   int
}

func (r *rotator) rotated(i int) string { return fmt.Sprintf("%s.%d", r.path, i) }

func (r *rotator) write(n int) error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for range n {
		r.lines++
		if _, err := fmt.Fprintf(f, "line %d\n", r.lines); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

func (r *rotator) rotate() error {
	for i := r.files; i > 0; i-- {
		for _, ending := range []string{"", ".gz"} {
			if err := os.Rename(r.rotated(i)+ending, r.rotated(i+1)+ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	r.files++
	if !r.copying {
		if r.files > 1 {
			if err := r.compress(r.rotated(2)); err != nil {
				return err
			}
		}
		return os.Rename(r.path, r.rotated(1))
	}
	b, err := os.ReadFile(r.path)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(r.rotated(1), b, 0o600), os.Truncate(r.path, 0))
}

func (r *rotator) compress(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return err
	}
	return errors.Join(z.Close(), os.WriteFile(path+".gz", out.Bytes(), 0o600),
		os.Chtimes(path+".gz", info.ModTime(), info.ModTime()), os.Remove(path))
}

// The rotated files are renamed and compressed at the very moment when the follower
// looks for the one it needs.
func TestNothingIsLostWhileRotationMovesTheFilesThatAreLookedFor(t *testing.T) {
	t.Parallel()
	for _, copying := range []bool{false, true} {
		t.Run(map[bool]string{false: "rename", true: "copytruncate"}[copying], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.o.Clock = time.Now
			r := &rotator{path: w.path("access.log"), copying: copying}
			if err := r.write(1); err != nil {
				t.Fatal(err)
			}
			w.starts()
			w.polls()
			w.commits()
			looks := 0
			ended := make(chan error, 1)
			go func() {
				for range 60 {
					if err := errors.Join(r.write(20), r.rotate()); err != nil {
						ended <- err
						return
					}
				}
				ended <- r.write(1)
			}()
			for running := true; running; {
				select {
				case err := <-ended:
					if err != nil {
						t.Fatal(err)
					}
					running = false
				default:
				}
				w.polls()
				w.commits()
				if looks++; looks%3 == 0 {
					w.dies()
					w.starts()
				}
			}
			for range 5 {
				w.polls()
				w.commits()
			}
			w.quiet()
			came := map[string]int{} // what is returned again before a commit has its id again
			for _, text := range w.ids {
				came[text]++
			}
			for i := range r.lines {
				if n := came[fmt.Sprintf("line %d", i+1)]; n != 1 {
					t.Errorf("line %d of %d came %d times", i+1, r.lines, n)
				}
			}
		})
	}
}
