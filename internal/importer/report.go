package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

const (
	importShown    = 20     // rejected lines named without --verbose
	importKept     = 10_000 // rejected lines listed in the report
	importRedraw   = time.Second / 10
	importBarWidth = 24
)

// Report is what the command says during the import and at its end.
type Report struct {
	ID         string `json:"id"`    // of the import
	Lines      int    `json:"lines"` // not counting empty ones
	Parsed     int    `json:"parsed"`
	Accepted   int    `json:"accepted"`
	Duplicates int    `json:"duplicates"`
	Rejected   int    `json:"rejected"` // by the parser or by the server
	Unsent     int    `json:"unsent"`   // parsed, and not known to be delivered
	DryRun     bool   `json:"dry_run"`
	// OwnDuplicates is how many duplicates may be events of this very run, of
	// batches that were sent again because an answer was lost.
	OwnDuplicates int            `json:"own_duplicates"`
	From          *time.Time     `json:"from"` // times of the events, null if there are none
	To            *time.Time     `json:"to"`
	Seconds       float64        `json:"seconds"`
	RejectedLines []importReject `json:"rejected_lines"` // the first 10,000
	Error         string         `json:"error,omitempty"`

	// Of an export; a log has LeftOut too.
	Reasons map[string]int `json:"reasons,omitempty"`  // rejected records and events, by why
	LeftOut map[string]int `json:"left_out,omitempty"` // records that make no event, by what they are
	Names   map[string]int `json:"names,omitempty"`    // events by name, before the server looked at them

	im      *Importer
	started time.Time
	drawn   time.Time
	done    *atomic.Int64 // bytes read
	total   int64         // bytes to read, 0 is unknown
	bar     bool          // one stands on the terminal's line
}

func newReport(im *Importer, sources []importSource) *Report {
	r := &Report{ID: im.Options.ID, im: im, started: im.Clock.Now(), DryRun: im.Options.DryRun, RejectedLines: []importReject{}, done: new(atomic.Int64)}
	for _, src := range sources {
		r.done = src.done
		if src.size == 0 && src.r != nil {
			r.total = 0
			break
		}
		r.total += src.size
	}
	r.done.Store(0) // a pass for --shift-to-now read them before
	return r
}

// read takes note of a batch before it is sent.
func (r *Report) read(b *importBatch) {
	r.Lines += b.records
	r.tally(b)
	for _, note := range b.notes {
		r.tell("%s", note)
	}
	r.Parsed += b.events()
	if !r.DryRun {
		r.Unsent += b.events()
	}
	if b.events() > 0 {
		if r.From == nil || b.from.Before(*r.From) {
			r.From = &b.from
		}
		if r.To == nil || b.to.After(*r.To) {
			r.To = &b.to
		}
	}
	for _, reject := range b.rejects {
		r.reject(reject)
	}
	r.draw()
}

// unit returns what is counted in.
func (r *Report) unit() string {
	if r.im.Options.From != "" {
		return "records"
	}
	return "lines"
}

// delivered takes note of the server's answer.
func (r *Report) delivered(b *importBatch, reply *importReply) {
	r.Unsent -= b.events()
	r.Accepted += reply.Accepted
	r.Duplicates += reply.Duplicates
	if reply.retried {
		r.OwnDuplicates += reply.Duplicates
	}
	for _, x := range reply.Rejected {
		reason := "the server rejected it: " + x.Reason
		if x.Detail != "" {
			reason += ": " + x.Detail
		}
		r.reason("the server rejected it: " + x.Reason)
		r.reject(importReject{b.lines[x.Index], reason})
	}
	r.draw()
}

func (r *Report) reject(x importReject) {
	r.Rejected++
	if len(r.RejectedLines) < importKept {
		r.RejectedLines = append(r.RejectedLines, x)
	}
	if r.Rejected <= importShown || r.im.Options.Verbose {
		r.tell("%v: %s", x.importLine, x.Reason)
	}
}

// tell writes a line to stderr, above the progress bar.
func (r *Report) tell(format string, args ...any) {
	r.clear()
	fmt.Fprintf(r.im.Stderr, format+"\n", args...)
}

func (r *Report) clear() {
	if r.bar {
		fmt.Fprint(r.im.Stderr, "\r\x1b[K")
		r.bar = false
	}
}

// draw shows the bar, at most ten times a second.
func (r *Report) draw() {
	now := r.im.Clock.Now()
	if !r.im.Terminal || now.Sub(r.drawn) < importRedraw {
		return
	}
	r.drawn = now
	fmt.Fprint(r.im.Stderr, "\r\x1b[K"+r.progress(now))
	r.bar = true
}

// progress returns the bar's text.
func (r *Report) progress(now time.Time) string {
	elapsed := max(now.Sub(r.started), time.Millisecond).Seconds()
	text := fmt.Sprintf("%d %s  %.0f/s", r.Lines, r.unit(), float64(r.Lines)/elapsed)
	if r.total <= 0 {
		return text
	}
	// The file may have grown meanwhile.
	share := min(float64(r.done.Load())/float64(r.total), 1)
	full := int(share * importBarWidth)
	bar := strings.Repeat("█", full) + strings.Repeat("░", importBarWidth-full)
	text = fmt.Sprintf("%s %3.0f %%  %s", bar, share*100, text)
	if share > 0 && share < 1 {
		left := time.Duration(elapsed * (1 - share) / share * float64(time.Second))
		text += fmt.Sprintf("  %v left", left.Round(time.Second))
	}
	return text
}

// end closes the report; err is why the import ended early, or nil.
func (r *Report) end(err error) {
	r.clear()
	r.Seconds = r.im.Clock.Now().Sub(r.started).Seconds()
	if err != nil {
		r.Error = err.Error()
	}
	if hidden := r.Rejected - importShown; hidden > 0 && !r.im.Options.Verbose {
		r.tell("… and %d more rejected lines (--verbose names them all)", hidden)
	}
}

// write prints the report as text, or as JSON.
func (r *Report) write(w io.Writer) error {
	if r.im.Options.JSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s in %.1f s (%.0f/s)\n", r.Lines, r.unit(), r.Seconds, float64(r.Lines)/max(r.Seconds, 0.001))
	if !r.DryRun {
		fmt.Fprintf(&b, "import %s\n", r.ID)
	}
	r.writeSent(&b)
	if r.DryRun {
		fmt.Fprintf(&b, "%10d could be read (nothing was sent)\n", r.Parsed)
	} else {
		fmt.Fprintf(&b, "%10d accepted\n%10d duplicates%s\n", r.Accepted, r.Duplicates, r.ownDuplicates())
	}
	fmt.Fprintf(&b, "%10d rejected%s\n", r.Rejected, r.places())
	if r.Unsent > 0 {
		fmt.Fprintf(&b, "%10d read, but not delivered\n", r.Unsent)
	}
	if r.From != nil {
		fmt.Fprintf(&b, "from %s to %s\n", r.From.Format(time.RFC3339), r.To.Format(time.RFC3339))
	}
	r.writeExport(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) ownDuplicates() string {
	if r.OwnDuplicates == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d perhaps accepted in this import, by a request whose answer was lost)", r.OwnDuplicates)
}

// places lists where the first rejected lines are.
func (r *Report) places() string {
	if r.Rejected == 0 {
		return ""
	}
	var b strings.Builder
	for i, x := range r.RejectedLines {
		if i == importShown {
			fmt.Fprintf(&b, ", …")
			break
		}
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		fmt.Fprintf(&b, "%s%v", sep, x.importLine)
	}
	return b.String() + ")"
}
