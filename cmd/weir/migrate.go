package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// migrateCmd is "weir migrate": the past from one cold tier to another, or users, projects and
// keys from one meta store to another.
type migrateCmd struct {
	From    string   `required:"" env:"WEIR_FROM" placeholder:"URL" help:"Cold tier to copy: duckdb:FILE, or clickhouse://HOST:PORT,…/DATABASE. With --meta: sqlite:FILE or postgres://HOST/DATABASE."`
	To      string   `required:"" env:"WEIR_TO" placeholder:"URL" help:"Cold tier to copy to, as --cold of weir serve has it; with --meta, an empty meta store, as --meta of weir serve has it."`
	Meta    bool     `help:"Copy users, projects, keys and what belongs to them in place of events."`
	Project []string `placeholder:"ID" help:"Project to copy, as often as you like; all without it."`
	Recheck bool     `help:"Compare again what earlier runs have finished, and copy what has gone missing there."`

	from, to backend.Cold // of the flags, after check

	every time.Duration // between two lines of progress; 0 is 5 s
}

// Help is shown below the usage.
func (*migrateCmd) Help() string {
	return `Copies events, visits, links of devices to profiles, their traits, who was erased, and dead letters; nothing is taken away from
--from, and nothing in --to is changed, but that who was erased in --from is erased there too. Stop the server that uses --from first. Projects, users and keys are not in the cold tier: they stay as
they are.

Each day is read back and compared, row by row. The exit status is 0 when everything in --from is in --to.

It may be stopped at any time: the same command goes on, and adds nothing twice. What an earlier run has finished is passed
over; ClickHouse forgets after 7 days that it was, and then it is compared once more.

Give a URL with a password as WEIR_FROM or WEIR_TO: others on this machine can read a command line.

Examples:

    weir migrate --from duckdb:data/cold.duckdb --to clickhouse://ch1/weir
    WEIR_TO=clickhouse://weir:PASSWORD@ch1,ch2/weir?cluster=main weir migrate --from duckdb:data/cold.duckdb
    weir migrate --from clickhouse://ch1/weir --to duckdb:back.duckdb --project shop --project docs
    WEIR_TO=postgres://weir:PASSWORD@10.0.0.9/weir weir migrate --meta --from sqlite:data/meta.db`
}

// Run copies until all is there or ctx is done.
func (c *migrateCmd) Run(ctx context.Context, stdout io.Writer, stderr logWriter) (err error) {
	outliveReaders()
	if c.Meta {
		return c.copyMeta(ctx, stdout)
	}
	if err := misuse(c.check()); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	from, err := openCold(ctx, "from", c.from, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openCold(ctx, "to", c.to, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	begun := time.Now()
	p := newProgress(stderr, c.every)
	rep, err := transfer.Run(ctx, from, to, transfer.Options{
		Projects: c.Project, Recheck: c.Recheck, Logger: log, Progress: p.set,
	})
	p.stop()
	tell(stderr, rep.Differences)
	switch {
	case ctx.Err() != nil:
		return errors.New("migrate: stopped; the same command goes on where this one was")
	case errors.Is(err, transfer.ErrDiffers):
		return fmt.Errorf("migrate: %w, in %d places named above; what is missing there --recheck copies", err, len(rep.Differences))
	case err != nil:
		return fmt.Errorf("migrate: %w", err)
	}
	return tellCopied(stdout, &rep, time.Since(begun))
}

// differencesShown is how many differences are printed; each is a day of a table.
const differencesShown = 20

func tell(w io.Writer, all []transfer.Difference) {
	unseen := 0
	for i, d := range all {
		unseen += d.NoSighting
		switch {
		case i < differencesShown:
			fmt.Fprintln(w, d)
		case i == differencesShown:
			fmt.Fprintf(w, "and %d more\n", len(all)-i)
		}
	}
	if unseen > 0 {
		fmt.Fprintln(w, "the table sightings follows from events; this statement, in the destination, adds what it lacks:\n"+
			"  INSERT INTO sightings SELECT DISTINCT project_id, quarter, person FROM events WHERE person <> ''")
	}
}

func tellCopied(w io.Writer, rep *transfer.Report, took time.Duration) error {
	_, err := fmt.Fprintf(w, "%s events, %s visits, %s links, %s changes of traits and %s dead letters, of %s projects on %s days, are there\n",
		thousands(rep.Events), thousands(rep.Visits), thousands(rep.Links), thousands(rep.Traits), thousands(rep.Dead), thousands(int64(rep.Projects)), thousands(int64(rep.Days)))
	if err == nil && rep.Erased > 0 {
		_, err = fmt.Fprintf(w, "%s profiles and devices that were erased in --from were erased in --to too\n", thousands(int64(rep.Erased)))
	}
	if err == nil && rep.Before > 0 {
		_, err = fmt.Fprintf(w, "%s of these days were finished by an earlier run, and not looked at again\n", thousands(int64(rep.Before)))
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "took %s\n", took.Round(time.Second/10))
	}
	return err
}

// check refuses what cannot work before anything is opened.
func (c *migrateCmd) check() (err error) {
	if c.from, err = backend.ParseCold(c.From, ""); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if c.to, err = backend.ParseCold(c.To, ""); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if c.from.File != "" {
		// It would be made when it is opened.
		if _, err := os.Stat(c.from.File); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	}
	if c.from.Same(c.to) {
		return errors.New("--from and --to are the same")
	}
	return nil
}

// coldWait is how long a command waits for a server that is not there yet. A Weir
// server waits for ever.
const coldWait = 30 * time.Second

// openCold opens the cold tier that a flag names. Its queries have an hour: the usual
// limit is for a dashboard, and here a query lasts as long as its rows take to be
// written elsewhere.
func openCold(ctx context.Context, flag string, c backend.Cold, log *slog.Logger) (cold.Store, error) {
	t, err := c.Open(ctx, backend.ColdOptions{Wait: coldWait, Patient: true, Logger: log})
	if errors.Is(err, backend.ErrBusy) {
		return nil, fmt.Errorf("--%s: a server has the file open: stop it, and start this again: %w", flag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return t.Store, nil
}

// progress writes a line every few seconds.
type progress struct {
	w    io.Writer
	done chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	latest transfer.Progress
	told   transfer.Progress
	at     time.Time // of told
}

func newProgress(w io.Writer, every time.Duration) *progress {
	if every <= 0 {
		every = 5 * time.Second
	}
	p := &progress{w: w, done: make(chan struct{}), at: time.Now()}
	p.wg.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				p.tell()
			case <-p.done:
				return
			}
		}
	})
	return p
}

func (p *progress) set(now transfer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = now
}

// stop prints the last progress.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
	p.tell()
}

func (p *progress) tell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.latest, time.Now()
	if n.Total == 0 {
		return
	}
	rate := float64(n.Rows-p.told.Rows) / max(now.Sub(p.at).Seconds(), 0.001)
	fmt.Fprintf(p.w, "%s %s  %s of %s rows  %.1f %%  %s rows/s\n", n.Project, n.Day.Format(time.DateOnly),
		thousands(n.Rows), thousands(n.Total), 100*float64(n.Rows)/float64(n.Total), thousands(int64(max(rate, 0))))
	p.told, p.at = n, now
}

// thousands writes a number with commas, as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
