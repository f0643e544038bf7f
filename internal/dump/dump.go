// Package dump reads what other vendors' tools export of their events. It is
// pure: tables in, events out, no network and no storage, but for temporary
// files where two tables have to be joined.
package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Vendors are the tools whose exports are read.
func Vendors() []string {
	return []string{"posthog", "openpanel", "plausible", "umami", "ga4", "matomo"}
}

// Table is one file of an export.
type Table struct {
	Name string // as the user knows it
	// Open returns its bytes, decompressed. The caller closes them.
	Open func() (io.ReadCloser, error)
	Once bool // it can be opened only once
}

// Options say how exports are read. The zero value is ready for use.
type Options struct {
	// Zone is that of times that name none; nil is UTC.
	Zone *time.Location
	// Temp is the folder of temporary files; "" is the system's.
	Temp string
	// Memory bounds what a join keeps in memory, in bytes; 0 is 64 MiB.
	Memory int
}

// Place is where a record stands in its table.
type Place struct {
	Table  string
	Line   int   // of the record's first byte, from 1; 0 in an array
	Offset int64 // in an array: bytes before the record's end
}

// Record is what one record of an export became.
type Record struct {
	Place
	// Text is the record as it stands there, for a hash; it is good until the
	// next one.
	Text []byte
	// Events are the events of the record, in order. An event without an ID has none of the
	// vendor's own, and is then the record's only one.
	Events []weir.Incoming
	// Left says why a record makes no event, though nothing is wrong with it.
	Left string
	// Err says what is wrong with a record, which then makes no events.
	Err error
}

// decoder makes events of the rows of one vendor's tables.
type decoder interface {
	// fits says whether a row is one of the vendor's.
	fits(r row) bool
	// read adds the events of a row to out. An error says what is wrong with the row.
	read(r row, out *recordEvents) error
	// pages are keys of an object around the records, as the vendor's API writes
	// it; records is the one under which they stand.
	pages() (keys []string, records string)
	// wanted says what an export of the vendor has to be like.
	wanted() string
}

// refuser is a decoder with errors of its own for tables that it does not import.
type refuser interface {
	// refuse returns an error for a table of the vendor that cannot be imported.
	refuse(table string, r row) error
}

func newDecoder(vendor string) (decoder, error) {
	switch vendor {
	case "posthog":
		return posthogExport{}, nil
	case "openpanel":
		return openpanel{}, nil
	case "plausible":
		return plausible{}, nil
	case "umami":
		return &umami{}, nil
	case "ga4":
		return ga4Export{}, nil
	case "matomo":
		return matomo{}, nil
	}
	return nil, fmt.Errorf("there is no importer for %q: want one of %s", vendor, strings.Join(Vendors(), ", "))
}

// errStop ends a table from inside.
var errStop = errors.New("stop")

// Read reads tables of a vendor, in order, and calls emit for each record. It
// ends early with emit's error, or ctx's. A table that breaks off or is none of
// the vendor's does not keep the next from being read; such errors come joined,
// at the end.
func Read(ctx context.Context, vendor string, tables []Table, o Options, emit func(*Record) error) error {
	d, err := newDecoder(vendor)
	if err != nil {
		return err
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Memory == 0 {
		o.Memory = 64 << 20
	}
	if u, ok := d.(*umami); ok {
		defer u.close()
		if tables, err = u.join(ctx, tables, o, emit); err != nil {
			return err
		}
	}
	var errs []error
	for _, t := range tables {
		stopped, err := readTable(ctx, d, vendor, t, o, emit)
		if stopped {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// readTable reads one table. stopped says that emit or ctx ended it.
func readTable(ctx context.Context, d decoder, vendor string, t Table, o Options, emit func(*Record) error) (stopped bool, err error) {
	in, err := t.Open()
	if err != nil {
		return false, err
	}
	defer in.Close()
	keys, records := d.pages()
	s := &scanner{name: t.Name, pageKeys: keys, records: records}
	out := &recordEvents{}
	known := false // a row was one of the vendor's
	var cause error
	err = s.each(in, func(x scanned) error {
		if cause = ctx.Err(); cause != nil {
			return errStop
		}
		rec := &Record{Place: Place{Table: t.Name, Line: x.line, Offset: x.offset}, Text: x.text, Err: x.err}
		if rec.Err == nil {
			r := row{fields: x.fields, zone: o.Zone}
			if !known {
				if why := alien(d, vendor, t.Name, r); why != nil {
					return why
				}
				known = true
			}
			out.reset()
			if rec.Err = d.read(r, out); rec.Err == nil {
				rec.Err = out.finish()
			}
			if rec.Err == nil {
				rec.Events, rec.Left = out.events, out.skipped
			}
		}
		if cause = emit(rec); cause != nil {
			return errStop
		}
		return nil
	})
	switch {
	case errors.Is(err, errStop):
		return true, cause
	case err != nil:
		return false, fmt.Errorf("%s: %w", t.Name, err)
	}
	return false, nil
}

// alien returns the error of a table with a first row that is not the vendor's.
func alien(d decoder, vendor, table string, r row) error {
	if k, ok := d.(refuser); ok {
		if err := k.refuse(table, r); err != nil {
			return err
		}
	}
	if d.fits(r) {
		return nil
	}
	for _, v := range Vendors() {
		if other, _ := newDecoder(v); v != vendor && other.fits(r) {
			return fmt.Errorf("this is no export of %s, but looks like one of %s: use --from %s", vendor, v, v)
		}
	}
	return fmt.Errorf("this is no export of %s: want %s; found %s", vendor, d.wanted(), r.names())
}
