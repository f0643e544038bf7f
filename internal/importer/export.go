package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/dump"
)

// checkFrom refuses flags that do not go with --from.
func (c *Options) checkFrom() error {
	if c.From == "" {
		return nil
	}
	switch {
	case !slices.Contains(dump.Vendors(), c.From):
		return fmt.Errorf("import: --from %q is not one of %s", c.From, strings.Join(dump.Vendors(), ", "))
	case c.Follow || c.ShiftToNow || c.Map != "" || c.Forwarded:
		return errors.New("import: --from goes with none of --follow, --forwarded-for, --shift-to-now and --map")
	}
	_, err := c.zone()
	return err
}

func (c *Options) zone() (*time.Location, error) {
	loc, err := time.LoadLocation(cmp.Or(c.Timezone, "UTC"))
	if err != nil {
		return nil, fmt.Errorf("import: --timezone: %w", err)
	}
	return loc, nil
}

// plain opens the source and decompresses it.
func (src importSource) plain() (io.ReadCloser, error) {
	r, closeFile := src.r, func() error { return nil }
	switch {
	case src.open != nil:
		f, err := src.open(src.done)
		if err != nil {
			return nil, err
		}
		r, closeFile = f, f.Close
	case r == nil:
		f, err := os.Open(src.name)
		if err != nil {
			return nil, err
		}
		r, closeFile = &countingReader{f, src.done}, f.Close
	}
	plain, closer, err := decompress(r)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", src.name, err), closeFile())
	}
	return &plainSource{plain, func() error { closer(); return closeFile() }}, nil
}

type plainSource struct {
	io.Reader
	close func() error
}

func (p *plainSource) Close() error { return p.close() }

// readExport is readAll for a vendor's export.
func (r *importReader) readExport(ctx context.Context, c *Options, sources []importSource) error {
	zone, err := c.zone()
	if err != nil {
		return err
	}
	r.batch = &importBatch{}
	var tables []dump.Table
	for _, src := range sources {
		tables = append(tables, dump.Table{Name: src.name, Once: src.r != nil, Open: src.plain})
	}
	table, ids := "", &importIDs{}
	err = dump.Read(ctx, c.From, tables, dump.Options{Zone: zone}, func(x *dump.Record) error {
		if x.Table != table {
			table, ids = x.Table, &importIDs{}
		}
		r.record(x, ids)
		if b := r.batch; b.events() >= importBatchEvents || len(b.body) >= importBatchBytes || b.records >= importBatchEvents {
			return r.flush(ctx)
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if flushErr := r.flush(ctx); flushErr != nil {
		return flushErr
	}
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// record adds a record's events to the batch, or why it has none.
func (r *importReader) record(x *dump.Record, ids *importIDs) {
	b := r.batch
	b.records++
	at := importLine{File: x.Table, Line: x.Line}
	if x.Line == 0 {
		at.Offset = &x.Offset
	}
	switch {
	case x.Err != nil:
		b.rejects = append(b.rejects, importReject{at, x.Err.Error()})
		return
	case x.Left != "":
		b.left = append(b.left, x.Left)
	}
	id := ""
	for i := range x.Events {
		e := &x.Events[i].Event
		if e.ID == "" {
			if id == "" {
				id = ids.next(x.Text)
			}
			if e.ID = id; i > 0 {
				e.ID += "_" + strconv.Itoa(i)
			}
		}
		b.span(e.Time)
		b.body = append(dump.AppendEvent(b.body, &x.Events[i]), '\n')
		b.lines = append(b.lines, at)
		b.names = append(b.names, e.Name)
	}
}

// importKinds bounds each count by name of a report.
const importKinds = 1000

// countKind adds to a count by name, for at most that many names.
func countKind(m *map[string]int, name string) {
	if *m == nil {
		*m = map[string]int{}
	}
	if _, ok := (*m)[name]; !ok && len(*m) >= importKinds {
		name = "(other)"
	}
	(*m)[name]++
}

// tally counts what a batch is made of.
func (r *Report) tally(b *importBatch) {
	for _, x := range b.rejects {
		r.reason(x.Reason)
	}
	for _, what := range b.left {
		countKind(&r.LeftOut, what)
	}
	for _, name := range b.names {
		countKind(&r.Names, name)
	}
}

func (r *Report) reason(why string) {
	if r.im.Options.From != "" {
		countKind(&r.Reasons, why)
	}
}

// left returns how many records are no event though nothing is wrong with them.
func (r *Report) left() (n int) {
	for _, count := range r.LeftOut {
		n += count
	}
	return n
}

// writeSent says how many events were made of the records.
func (r *Report) writeSent(b *strings.Builder) {
	if r.im.Options.From != "" && !r.DryRun {
		fmt.Fprintf(b, "%10d events sent\n", r.Parsed-r.Unsent)
	}
}

// importTop is how many names of events the text of a report lists.
const importTop = 10

// writeExport adds counts by name, which logs have few of.
func (r *Report) writeExport(b *strings.Builder) {
	writeCounts(b, "rejected because:", r.Reasons, importTop)
	writeCounts(b, "left out:", r.LeftOut, importTop)
	writeCounts(b, "events by name:", r.Names, importTop)
}

func writeCounts(b *strings.Builder, title string, counts map[string]int, most int) {
	if len(counts) == 0 {
		return
	}
	names := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(counts[y]-counts[x], strings.Compare(x, y))
	})
	fmt.Fprintln(b, title)
	for i, name := range names {
		if i == most {
			fmt.Fprintf(b, "           … and %d more\n", len(names)-most)
			break
		}
		fmt.Fprintf(b, "%10d %s\n", counts[name], name)
	}
}
