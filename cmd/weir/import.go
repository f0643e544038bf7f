package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
)

// importCmd is "weir import": access logs in, one call event a line out; or other
// vendors' exports in, their events out.
type importCmd struct {
	Files      []string      `arg:"" name:"file" help:"Logs or exports to import, plain, gzip or zstd; exports also as zip; - is standard input."`
	URL        string        `name:"url" default:"http://127.0.0.1:8080" env:"WEIR_URL" help:"Address of the server."`
	Key        string        `name:"key" env:"WEIR_KEY" help:"Write key of the project."`
	Format     string        `name:"format" default:"combined" enum:"combined,common,nginx,caddy,json" env:"WEIR_FORMAT" help:"Layout of the logs: ${enum}."`
	Map        string        `name:"map" env:"WEIR_MAP" placeholder:"FIELD=NAME,…" help:"With --format json: where the fields are."`
	From       string        `name:"from" env:"WEIR_FROM" placeholder:"VENDOR" help:"Import another tool's export instead of access logs: posthog, openpanel, plausible, umami, ga4, matomo."`
	Timezone   string        `name:"timezone" default:"UTC" env:"WEIR_TIMEZONE" help:"With --from: timezone of times that name none, such as Europe/Berlin."`
	DryRun     bool          `name:"dry-run" env:"WEIR_DRY_RUN" help:"Read and check the logs, send nothing."`
	ShiftToNow bool          `name:"shift-to-now" env:"WEIR_SHIFT_TO_NOW" help:"Move all times so that the latest line falls at now."`
	RetryFor   time.Duration `name:"retry-for" default:"5m" env:"WEIR_RETRY_FOR" help:"How long to try again when the server is away or busy."`
	Follow     bool          `name:"follow" short:"f" env:"WEIR_FOLLOW" help:"Go on reading as the logs grow, over rotation and restarts; files may be globs, and need not exist yet."`
	State      string        `name:"state" env:"WEIR_STATE" placeholder:"FILE" help:"With --follow: file that remembers how far each log was read."`
	FromEnd    bool          `name:"from-end" env:"WEIR_FROM_END" help:"With --follow and a new state: leave out what the logs hold already."`
	JSON       bool          `name:"json" env:"WEIR_JSON" help:"Print the report as JSON."`
	Verbose    bool          `name:"verbose" short:"v" env:"WEIR_VERBOSE" help:"Name every rejected line, not only the first 20."`
}

// Run imports the files and prints a report on stdout. It ends early, after the
// request in flight, when ctx is cancelled.
func (c *importCmd) Run(ctx context.Context, stdout io.Writer) error {
	outliveReaders()
	im := &importer{
		cmd:      c,
		client:   &http.Client{Timeout: importTimeout, CheckRedirect: noRedirect},
		wait:     waitFor,
		stdin:    os.Stdin,
		stdout:   stdout,
		stderr:   os.Stderr,
		terminal: isatty.IsTerminal(os.Stderr.Fd()),
	}
	if c.Follow {
		return im.follow(ctx)
	}
	return im.run(ctx)
}

// importTimeout bounds one request. It is long, since a server under load may
// be slow and giving up means sending the batch again.
const importTimeout = time.Minute

// noRedirect keeps a POST from being turned into a GET on the way.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// waitFor sleeps for d, or until ctx is done.
func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// importer is one run of the command with all that it touches.
type importer struct {
	cmd            *importCmd
	client         *http.Client
	now            weir.Clock
	wait           func(context.Context, time.Duration) error
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool          // stderr is one
	quiet          time.Duration // of package tail; 0 is its default
}

func (im *importer) run(ctx context.Context) error {
	endpoint, err := im.check()
	if err = misuse(err); err != nil {
		return err
	}
	sources, err := openImport(im.cmd.Files, im.stdin)
	if err != nil {
		return err
	}
	if im.cmd.From != "" {
		if sources, err = unzipped(sources); err != nil {
			return err
		}
	}
	shift := time.Duration(0)
	if im.cmd.ShiftToNow {
		if shift, err = im.shift(ctx, sources); err != nil {
			return err
		}
	}
	rep := newImportReport(im, sources)
	err = im.pump(ctx, sources, shift, endpoint, rep)
	rep.end(err)
	if writeErr := unread(rep.write(im.stdout)); err == nil {
		err = writeErr
	}
	if err == nil && rep.Lines > 0 && rep.Rejected == rep.Lines && im.cmd.From == "" {
		err = fmt.Errorf("import: not one of %d lines was taken: is --format %s right?", rep.Lines, im.cmd.Format)
	}
	if err == nil && rep.Lines > 0 && rep.Rejected >= rep.Lines && im.cmd.From != "" {
		err = fmt.Errorf("import: not one of %d records was taken: is --from %s right?", rep.Lines, im.cmd.From)
	}
	return err
}

// check refuses flags that cannot work before anything is read, and returns the
// address to post to.
func (im *importer) check() (endpoint string, err error) {
	c := im.cmd
	if _, err := c.parser(); err != nil {
		return "", err
	}
	if err := c.checkFrom(); err != nil {
		return "", err
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("import: --url %q is not an address such as http://127.0.0.1:8080", c.URL)
	}
	if c.Key == "" && !c.DryRun {
		return "", errors.New("import: --key is missing: give the project's write key")
	}
	stdin := 0
	for _, f := range c.Files {
		if f == "-" {
			stdin++
		}
	}
	switch {
	case c.Follow && (stdin > 0 || c.ShiftToNow || c.DryRun):
		return "", errors.New("import: --follow reads files only, and goes with neither --shift-to-now nor --dry-run")
	case !c.Follow && (c.State != "" || c.FromEnd):
		return "", errors.New("import: --state and --from-end are for --follow")
	case len(c.Files) == 0:
		return "", errors.New("import: no file given; - is standard input")
	case stdin > 1:
		return "", errors.New("import: standard input can be read only once")
	case stdin > 0 && c.ShiftToNow:
		return "", errors.New("import: --shift-to-now reads its input twice, which standard input cannot do")
	}
	endpoint = strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/") + "/v1/events?historical=true"
	return endpoint, nil
}

func (c *importCmd) parser() (accesslog.Parser, error) {
	m, err := accesslog.ParseMapping(c.Map)
	if err != nil {
		return nil, fmt.Errorf("import: --map: %w", err)
	}
	p, err := accesslog.New(accesslog.Format(c.Format), m)
	if err != nil {
		return nil, fmt.Errorf("import: --format %s: %w", c.Format, err)
	}
	return p, nil
}

// shift is what to add to all times so that the latest is now. Logs are ordered
// only roughly, so that all of them are read for it.
func (im *importer) shift(ctx context.Context, sources []importSource) (time.Duration, error) {
	parser, err := im.cmd.parser()
	if err != nil {
		return 0, err
	}
	var latest time.Time
	var e accesslog.Entry
	for _, src := range sources {
		err := src.each(ctx, func(s *accesslog.Scanner) error {
			if s.TooLong() == nil && parser.Parse(s.Bytes(), &e) == nil && e.Time.After(latest) {
				latest = e.Time
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if latest.IsZero() {
		return 0, nil // nothing to shift
	}
	return im.now.Now().Sub(latest), nil
}

// pump reads and sends at the same time: one request in flight, so that a
// device's events stay in order, and the next batches made meanwhile.
func (im *importer) pump(ctx context.Context, sources []importSource, shift time.Duration, endpoint string, rep *importReport) error {
	readCtx, stop := context.WithCancel(ctx)
	defer stop()
	parser, err := im.cmd.parser()
	if err != nil {
		return err
	}
	batches := make(chan *importBatch, 1)
	r := &importReader{parser: parser, shift: shift, out: batches}
	var readErr error
	go func() {
		defer close(batches)
		if im.cmd.From != "" {
			readErr = r.readExport(readCtx, im.cmd, sources)
			return
		}
		readErr = r.readAll(readCtx, sources)
	}()
	send := &importSender{im: im, endpoint: endpoint, tell: rep.tell}
	var sendErr error
	for b := range batches {
		if sendErr == nil {
			sendErr = im.deliver(ctx, send, b, rep)
		}
		if sendErr != nil {
			stop() // and go on receiving until the reader has ended
		}
	}
	switch {
	case sendErr != nil:
		return sendErr
	case ctx.Err() != nil:
		return errors.New("import: interrupted; import the same files again to go on")
	}
	return readErr
}

func (im *importer) deliver(ctx context.Context, send *importSender, b *importBatch, rep *importReport) error {
	if ctx.Err() != nil {
		return nil
	}
	rep.read(b)
	if b.events() == 0 || im.cmd.DryRun {
		return nil
	}
	reply, err := send.post(ctx, b)
	if err != nil {
		return err
	}
	rep.delivered(b, reply)
	return nil
}
