package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/weir-analytics/weir/internal/keyring"
	"github.com/weir-analytics/weir/internal/meta"
)

// keyRingFile is the name of the key ring in the data folder.
const keyRingFile = "keys"

// openMeta opens the meta store with the node's key ring. A ring that was made just now and
// is not the other nodes' is deleted: the right one is copied in its place.
func (s *server) openMeta(ctx context.Context) error {
	c := s.cmd
	ring, made, err := keyring.Open(c.KeyRing)
	if err != nil {
		return fmt.Errorf("--key-ring: %w", err)
	}
	if c.meta.Plaintext {
		s.log.Warn("the connection to PostgreSQL may be unencrypted, and others on the network could read secrets: add sslmode=verify-full to --meta", "meta", c.meta.Name)
	}
	s.meta, err = meta.Open(ctx, c.meta.Where, s.clock, meta.WithWait(s.log), meta.WithKeyRing(ring, c.AdoptKeyRing))
	if errors.Is(err, meta.ErrKeyRing) {
		if made {
			err = errors.Join(err, os.Remove(c.KeyRing))
		}
		return fmt.Errorf("--key-ring: %w. Copy the file of another node, or of the backup, to %s. Is it lost? Then start one node once with --adopt-key-ring", err, c.KeyRing)
	}
	if err != nil {
		return fmt.Errorf("--meta: %w", err)
	}
	if made {
		s.log.Info("a key ring was made: back it up, apart from the meta store; nodes that share the meta store need a copy", "file", c.KeyRing)
	}
	if c.meta.Shared {
		s.log.Info("users, projects and keys are in PostgreSQL", "meta", c.meta.Name, "connections", c.meta.Pool)
	}
	return nil
}

// keyRingCmd is "weir key-ring".
type keyRingCmd struct {
	Add  keyRingAddCmd  `cmd:"" help:"Add a key, which encrypts from then on."`
	List keyRingListCmd `cmd:"" help:"List the ids of the keys."`
}

// Help is shown below the usage.
func (*keyRingCmd) Help() string {
	return `Examples:

    weir key-ring list --data /var/lib/weir
    weir key-ring add --key-ring /etc/weir/keys`
}

// ringFile names a key ring.
type ringFile struct {
	Data    string `default:"./data" env:"WEIR_DATA" type:"path" help:"Folder of the embedded stores."`
	KeyRing string `name:"key-ring" env:"WEIR_KEY_RING" type:"path" placeholder:"FILE" help:"The key ring; DATA/keys by default."`
}

func (f ringFile) path() string {
	if f.KeyRing != "" {
		return f.KeyRing
	}
	return filepath.Join(f.Data, keyRingFile)
}

type keyRingAddCmd struct {
	ringFile `embed:""`
}

// Help is shown below the usage.
func (*keyRingAddCmd) Help() string {
	return `Copy the file to all nodes, then restart them one after the other. What was encrypted with the former keys stays readable.

Example:

    weir key-ring add --data /var/lib/weir`
}

// Run adds it.
func (c *keyRingAddCmd) Run(stdout io.Writer) error {
	id, err := keyring.Add(c.path())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "key   %s\nfile  %s\n", id, c.path())
	return err
}

type keyRingListCmd struct {
	ringFile `embed:""`
}

// Help is shown below the usage.
func (*keyRingListCmd) Help() string {
	return `The last key encrypts, all of them decrypt.

Example:

    weir key-ring list --data /var/lib/weir`
}

// Run lists them.
func (c *keyRingListCmd) Run(stdout io.Writer) error {
	if _, err := os.Stat(c.path()); err != nil {
		return err // it is not made here
	}
	ring, _, err := keyring.Open(c.path())
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tCHECKSUM")
	for _, k := range ring.Keys() {
		fmt.Fprintf(w, "%s\t%s\n", k.ID, k.Check[:16])
	}
	return w.Flush()
}
