package tail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entry is what is known of a file.
type entry struct {
	ID       string    `json:"id"`   // 32 hex digits, for good
	Path     string    `json:"path"` // where it was first seen
	Device   uint64    `json:"device"`
	Inode    uint64    `json:"inode"`
	Head     string    `json:"head"`     // hash of its first line
	HeadLen  int       `json:"head_len"` // bytes of it
	Offset   int64     `json:"offset"`   // of the first byte that was not delivered
	Modified time.Time `json:"modified"` // when it was last written, as far as is known
	Done     bool      `json:"done,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
}

func (e *entry) key() key { return key{e.Device, e.Inode} }

// state is how far each file was read, oldest first.
type state struct {
	Version int      `json:"version"`
	Files   []*entry `json:"files"`
}

const stateVersion = 1

// loadState reads the state; fresh says that there was none. One that is
// damaged is an error rather than a fresh one, which would read all again.
func loadState(path string) (s *state, fresh bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Version: stateVersion, Files: []*entry{}}, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the state: %w", err)
	}
	s = &state{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, false, fmt.Errorf("the state %s is damaged (remove it to read all files again): %w", path, err)
	}
	if s.Version != stateVersion {
		return nil, false, fmt.Errorf("the state %s has version %d; this program knows %d", path, s.Version, stateVersion)
	}
	for i, e := range s.Files {
		if e == nil || len(e.ID) != 32 || e.Offset < 0 || e.HeadLen <= 0 || e.HeadLen > maxHead {
			return nil, false, fmt.Errorf("the state %s is damaged at file %d (remove it to read all files again)", path, i)
		}
	}
	return s, false, nil
}

// save replaces the state on disk: after a crash it is the old or the new one.
func (s *state) save(path string) error {
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the state: %w", err), os.Remove(f.Name()))
	}
	return nil
}

func (s *state) find(k key, head string) *entry {
	for _, e := range s.Files {
		if e.key() == k && e.Head == head {
			return e
		}
	}
	return nil
}

// doneKept is how long the entry of a file that is gone is kept.
const doneKept = 48 * time.Hour

// prune drops files that were read to their end long ago and are deleted.
func (s *state) prune(now time.Time, there func(*entry) bool) bool {
	before := len(s.Files)
	s.Files = slices.DeleteFunc(s.Files, func(e *entry) bool {
		return e.Done && now.Sub(e.Ended) > doneKept && !there(e)
	})
	return len(s.Files) != before
}
