// Package importer sends access logs, and exports of other vendors, to a Weir server:
// once, or as the logs grow.
package importer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/wire"
)

// Options are the flags of "weir import".
type Options struct {
	Files      []string
	URL        string
	Key        string
	Format     string
	Map        string
	Host       string
	From       string
	Timezone   string
	Forwarded  bool
	DryRun     bool
	ShiftToNow bool
	RetryFor   time.Duration
	ID         string
	Follow     bool
	State      string
	FromEnd    bool
	JSON       bool
	Verbose    bool
}

// importTimeout bounds one request. It is long, since a server under load may
// be slow and giving up means sending the batch again.
const importTimeout = time.Minute

// noRedirect keeps a POST from being turned into a GET on the way.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// NewClient returns the client that an Importer needs.
func NewClient() *http.Client {
	return &http.Client{Timeout: importTimeout, CheckRedirect: noRedirect}
}

// Importer is one import, with all that it touches.
type Importer struct {
	Options Options
	Client  *http.Client // see NewClient
	Clock   weir.Clock
	// Wait sleeps for the time, or until ctx is done. Its error is that of ctx.
	Wait           func(ctx context.Context, d time.Duration) error
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       bool          // Stderr is one
	Quiet          time.Duration // of package tail; 0 is its default
	MaxOpen        int           // logs that --follow opens at once; 0 is all
}

// UsageError is a mistake in the options.
type UsageError struct{ error }

// Unwrap is for errors.Is and errors.As.
func (e UsageError) Unwrap() error { return e.error }

// Run imports the files, or follows them, and writes a report to Stdout. It ends early,
// after the request in flight, when ctx is cancelled. Error: UsageError.
func (im *Importer) Run(ctx context.Context) error {
	if im.Options.Follow {
		return im.follow(ctx)
	}
	return im.run(ctx)
}

// newID returns the id of an import that nobody has named.
func newID() string { return strings.ToLower(rand.Text()[:12]) }

// unread returns err, or nil if it says that the reader of the output has gone.
func unread(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (im *Importer) run(ctx context.Context) error {
	endpoint, err := im.check()
	if err != nil {
		return UsageError{err}
	}
	sources, err := openImport(im.Options.Files, &stoppedReader{ctx: ctx, r: im.Stdin})
	if err != nil {
		return err
	}
	if im.Options.From != "" {
		if sources, err = unzipped(sources); err != nil {
			return err
		}
	}
	shift := time.Duration(0)
	if im.Options.ShiftToNow {
		if shift, err = im.shift(ctx, sources); err != nil {
			return err
		}
	}
	rep := newReport(im, sources)
	err = im.pump(ctx, sources, shift, endpoint, rep)
	rep.end(err)
	if writeErr := unread(rep.write(im.Stdout)); err == nil {
		err = writeErr
	}
	if err == nil && rep.Rejected > 0 && rep.Rejected+rep.left() == rep.Lines && im.Options.From == "" {
		err = fmt.Errorf("import: not one of %d lines was taken: is --format %s right?", rep.Lines, im.Options.Format)
	}
	if err == nil && rep.Lines > 0 && rep.Rejected >= rep.Lines && im.Options.From != "" {
		err = fmt.Errorf("import: not one of %d records was taken: is --from %s right?", rep.Lines, im.Options.From)
	}
	return err
}

// check refuses flags that cannot work before anything is read, and returns the
// address to post to. It gives the import an id if it has none.
func (im *Importer) check() (endpoint string, err error) {
	im.Options.ID = cmp.Or(im.Options.ID, newID())
	c := im.Options
	if _, err := c.parser(nil); err != nil {
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
	case !isImportID(c.ID):
		return "", fmt.Errorf("import: --id %q: want up to 64 letters, digits, dots, dashes and underscores", c.ID)
	case len(c.Files) == 0:
		return "", errors.New("import: no file given; - is standard input")
	case stdin > 1:
		return "", errors.New("import: standard input can be read only once")
	case stdin > 0 && c.ShiftToNow:
		return "", errors.New("import: --shift-to-now reads its input twice, which standard input cannot do")
	}
	endpoint = strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/") + "/v1/events?historical=true&import=" + c.ID
	return endpoint, nil
}

// isImportID says whether the server takes an import's id.
func isImportID(id string) bool {
	taken, err := wire.ImportID(&wire.Request{Header: http.Header{"X-Weir-Import": {id}}})
	return err == nil && taken != ""
}

// parser returns the parser of a file. With --format auto it calls took with the format that
// it finds.
func (c *Options) parser(took func(accesslog.Format)) (accesslog.Parser, error) {
	m, err := accesslog.ParseMapping(c.Map)
	if err != nil {
		return nil, fmt.Errorf("import: --map: %w", err)
	}
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	p, err := accesslog.New(accesslog.Format(c.Format), accesslog.Options{Mapping: m, Zone: zone, ForwardedFor: c.Forwarded, Took: took})
	if err != nil {
		return nil, fmt.Errorf("import: --format %s: %w", c.Format, err)
	}
	return p, nil
}

// shift returns what to add to all times so that the latest is now. Logs are ordered
// only roughly, so that all of them are read for it.
func (im *Importer) shift(ctx context.Context, sources []importSource) (time.Duration, error) {
	var latest time.Time
	var e accesslog.Entry
	for _, src := range sources {
		parser, err := im.Options.parser(nil)
		if err != nil {
			return 0, err
		}
		err = src.each(ctx, func(s *accesslog.Scanner) error {
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
	return im.Clock.Now().Sub(latest), nil
}

// pump reads and sends at the same time: one request in flight, so that a
// device's events stay in order, and the next batches made meanwhile.
func (im *Importer) pump(ctx context.Context, sources []importSource, shift time.Duration, endpoint string, rep *Report) error {
	readCtx, stop := context.WithCancel(ctx)
	defer stop()
	batches := make(chan *importBatch, 1)
	r := &importReader{newParser: im.Options.parser, shift: shift, host: im.Options.Host, out: batches}
	var readErr error
	go func() {
		defer close(batches)
		if im.Options.From != "" {
			readErr = r.readExport(readCtx, &im.Options, sources)
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
	case ctx.Err() != nil && slices.ContainsFunc(sources, func(src importSource) bool { return src.r != nil }):
		return errors.New("import: interrupted; what was read of standard input was sent")
	case ctx.Err() != nil:
		return errors.New("import: interrupted; import the same files again to go on")
	}
	return readErr
}

func (im *Importer) deliver(ctx context.Context, send *importSender, b *importBatch, rep *Report) error {
	if ctx.Err() != nil && !b.once {
		return nil
	}
	rep.read(b)
	if b.events() == 0 || im.Options.DryRun {
		return nil
	}
	reply, err := im.post(ctx, send, b)
	if err != nil {
		return err
	}
	rep.delivered(b, reply)
	return nil
}

// post sends a batch. What was read of standard input when the signal came has one attempt.
func (im *Importer) post(ctx context.Context, send *importSender, b *importBatch) (*importReply, error) {
	if ctx.Err() == nil {
		return send.post(ctx, b)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followFlush)
	defer cancel()
	reply, err := send.last(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("import: interrupted, and the server did not take what was read last: %w", err)
	}
	return reply, nil
}
