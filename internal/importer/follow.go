package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/tail"
)

// A batch of --follow is what came within followEvery, and at most as many
// lines or bytes.
const (
	followLines = 500
	followBytes = importBatchBytes
	followEvery = 500 * time.Millisecond
	followHead  = 16 << 10         // bytes at a file's begin in which its fields are named
	followFlush = 5 * time.Second  // for the lines that are left at the stop
	followTell  = 10 * time.Minute // between status lines where there is no terminal
)

// follow sends lines as they come, until ctx is done. It reads no more while the
// server is away, so that nothing gathers in memory.
func (im *Importer) follow(ctx context.Context) error {
	endpoint, err := im.check()
	if err != nil {
		return UsageError{err}
	}
	path, err := im.Options.statePath(os.Getenv)
	if err != nil {
		return err
	}
	rep := newReport(im, nil)
	logs, err := tail.Open(tail.Options{
		Patterns: im.Options.Files, State: path, FromEnd: im.Options.FromEnd, MaxLine: accesslog.MaxLine,
		Quiet: im.Quiet, MaxOpen: im.MaxOpen, Clock: im.Clock, Tell: rep.tell,
	})
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	f := &follower{
		im: im, tail: logs, rep: rep, told: im.Clock.Now(),
		read: &importReader{newParser: im.Options.parser, host: im.Options.Host}, parsers: map[string]accesslog.Parser{},
		send: &importSender{im: im, endpoint: endpoint, tell: rep.tell, endless: true},
	}
	rep.tell("following %s as import %s; the state is in %s", strings.Join(im.Options.Files, ", "), im.Options.ID, path)
	err = errors.Join(f.run(ctx), logs.Close())
	rep.end(err)
	return errors.Join(err, unread(rep.write(im.Stdout)))
}

// statePath returns --state, or a file of its own for each server, key and set of
// files: in the folder that systemd gives a service, else in the user's.
func (c *Options) statePath(env func(string) string) (string, error) {
	if c.State != "" {
		return c.State, nil
	}
	dir := env("STATE_DIRECTORY")
	if dir == "" {
		if dir = env("XDG_STATE_HOME"); dir == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("import: there is no folder for the state: give a file with --state: %w", err)
			}
			dir = filepath.Join(home, ".local", "state")
		}
		dir = filepath.Join(dir, "weir")
	}
	h := sha256.New()
	for _, part := range append([]string{c.URL, c.Key}, c.Files...) {
		if abs, err := filepath.Abs(part); err == nil && part != c.URL && part != c.Key {
			part = abs
		}
		_ = binary.Write(h, binary.LittleEndian, uint64(len(part))) // to a hash
		h.Write([]byte(part))
	}
	return filepath.Join(dir, "follow-"+hex.EncodeToString(h.Sum(nil)[:6])+".json"), nil
}

// follower is one run of --follow.
type follower struct {
	im   *Importer
	tail *tail.Tail
	rep  *Report
	read *importReader
	send *importSender
	told time.Time // when the status was last written
	said int       // lines that it spoke of

	parsers map[string]accesslog.Parser // by the file's id
}

// maxParsers bounds the parsers of files: those of files that are closed are not needed.
const maxParsers = 10_000

func (f *follower) run(ctx context.Context) error {
	for ctx.Err() == nil {
		lines, err := f.tail.Poll(followLines, followBytes)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		if err := f.deliver(ctx, lines); err != nil {
			if ctx.Err() != nil {
				f.rep.tell("told to stop while the server was away: what it did not take is left for the next start")
				return nil
			}
			return err
		}
		f.status()
		if len(lines) == 0 || len(lines) < followLines && !f.tail.Waiting() {
			if f.im.Wait(ctx, followEvery) != nil {
				break
			}
		}
	}
	return f.flush(ctx)
}

// flush delivers what came last, with one attempt each.
func (f *follower) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followFlush)
	defer cancel()
	for ctx.Err() == nil {
		lines, err := f.tail.Poll(followLines, followBytes)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		if len(lines) == 0 {
			return nil
		}
		b, err := f.batch(lines)
		if err != nil {
			return err
		}
		f.rep.read(b)
		reply := &importReply{}
		if b.events() > 0 {
			if reply, err = f.send.last(ctx, b); err != nil {
				f.rep.tell("what came last is left for the next start: %v", err)
				return nil
			}
		}
		f.rep.delivered(b, reply)
		if err := f.tail.Commit(); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	return nil
}

// deliver sends lines and remembers that they are sent.
func (f *follower) deliver(ctx context.Context, lines []tail.Line) error {
	if len(lines) > 0 {
		b, err := f.batch(lines)
		if err != nil {
			return err
		}
		f.rep.read(b)
		if b.events() > 0 {
			reply, err := f.send.post(ctx, b)
			if err != nil {
				return err
			}
			f.rep.delivered(b, reply)
		}
	}
	if err := f.tail.Commit(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// batch makes events of lines. Their ids are those of their places, which stay
// through renaming and restarts.
func (f *follower) batch(lines []tail.Line) (*importBatch, error) {
	f.read.batch = &importBatch{}
	for i := range lines {
		l := &lines[i]
		if err := f.parser(l); err != nil {
			return nil, err
		}
		var tooLong error
		if l.TooLong {
			tooLong = accesslog.ErrTooLong
		}
		f.read.event(importLine{File: l.File, Offset: &l.Offset}, l.Text, tooLong, followID(l))
		f.rep.done.Add(int64(len(l.Text)))
	}
	b := f.read.batch
	return b, f.read.close(b)
}

// parser chooses the parser of a line's file. One that is read on from its middle may have said at its
// beginning what its fields are.
func (f *follower) parser(l *tail.Line) error {
	if p, ok := f.parsers[l.Source]; ok {
		f.read.parser = p
		return nil
	}
	if err := f.read.open(l.File); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if len(f.parsers) >= maxParsers {
		clear(f.parsers)
	}
	f.parsers[l.Source] = f.read.parser
	if l.Offset == 0 {
		return nil
	}
	file, err := os.Open(l.File)
	if err != nil {
		return nil // the file's format as it is by default
	}
	defer file.Close()
	var e accesslog.Entry
	s := accesslog.NewScanner(io.LimitReader(file, followHead))
	for s.Next() && s.Bytes()[0] == '#' {
		_ = f.read.parser.Parse(s.Bytes(), &e) // it is no call, as its error says
	}
	return nil
}

// followID returns the id of a line's event.
func followID(l *tail.Line) string {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(l.Source), uint64(l.Offset))) //nolint:gosec // an offset is not negative
	return "f_" + importEncoding.EncodeToString(sum[:16])
}

// status says how it goes: always on a terminal, else now and then, where there
// is something to say.
func (f *follower) status() {
	now := f.im.Clock.Now()
	if !f.im.Terminal && (now.Sub(f.told) < followTell || f.rep.Lines == f.said) {
		return
	}
	open, behind := f.tail.Files()
	text := fmt.Sprintf("%d lines: %d accepted, %d duplicates, %d rejected; %d files, %d bytes behind",
		f.rep.Lines, f.rep.Accepted, f.rep.Duplicates, f.rep.Rejected, open, behind)
	if !f.im.Terminal {
		f.told, f.said = now, f.rep.Lines
		f.rep.tell("%s", text)
		return
	}
	fmt.Fprint(f.im.Stderr, "\r\x1b[K"+text)
	f.rep.bar = true
}
