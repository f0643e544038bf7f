package enrich

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
	weir "github.com/weir-analytics/weir"
)

// countryData is a country database in MMDB form. See NOTICE.md for its source
// and licence. It is embedded as it is, not compressed: so it is mapped with
// the program, only the pages that are read take memory, and none of it is on
// the heap.
//
//go:embed country.mmdb
var countryData []byte

// place is where an address is. Parts that are not known are empty.
type place struct{ country, region, city string }

// path is the way to a field in a record of an MMDB.
type path []any

// The ways to the fields in the databases that are about: MaxMind's and DB-IP's
// nested records, and flat ones as of ip-location-db and IPinfo.
var (
	countryPaths = []path{{"country", "iso_code"}, {"country_code"}, {"country"}, {"registered_country", "iso_code"}}
	regionPaths  = []path{{"subdivisions", 0, "names", "en"}, {"subdivisions", 0, "iso_code"}, {"state1"}, {"region"}}
	cityPaths    = []path{{"city", "names", "en"}, {"city"}}
)

// probed is how many records of a database are looked at to learn its fields.
const probed = 2000

// database is an open MMDB and the ways to its fields, the likeliest first; a
// field that it has not has none.
type database struct {
	reader                *maxminddb.Reader
	country, region, city []path
}

// openDatabase opens an MMDB file, or the embedded one when file is "". It
// returns an EINVALID error that names the file when there is none, it is no
// MMDB, or its records have no country.
func openDatabase(file string) (*database, error) {
	if file == "" {
		r, err := maxminddb.OpenBytes(countryData)
		if err != nil {
			return nil, fmt.Errorf("enrich: open the embedded country database: %w", err)
		}
		return &database{reader: r, country: []path{{"country_code"}}}, nil
	}
	r, err := maxminddb.Open(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, weir.Wrap(err, weir.EINVALID, "geo database %s: no such file", file)
	case errors.Is(err, os.ErrPermission):
		return nil, weir.Wrap(err, weir.EINVALID, "geo database %s: not readable", file)
	case err != nil:
		return nil, weir.Wrap(err, weir.EINVALID, "geo database %s: not a MaxMind DB file, or damaged", file)
	}
	d := &database{reader: r}
	if err := d.probe(); err != nil {
		_ = r.Close()
		return nil, weir.Wrap(err, weir.EINVALID, "geo database %s: damaged", file)
	}
	if d.country == nil {
		_ = r.Close()
		return nil, weir.Errorf(weir.EINVALID, "geo database %s: its records name no country (type %q)", file, r.Metadata.DatabaseType)
	}
	return d, nil
}

// probe learns from the first records which fields the database has.
func (d *database) probe() error {
	n := 0
	for result := range d.reader.Networks() {
		if err := result.Err(); err != nil {
			return err
		}
		d.country = noteFields(d.country, countryPaths, result)
		d.region = noteFields(d.region, regionPaths, result)
		d.city = noteFields(d.city, cityPaths, result)
		if n++; n == probed {
			break
		}
	}
	return nil
}

// noteFields adds to found the paths at which the record has text, in the
// order of paths.
func noteFields(found, paths []path, record maxminddb.Result) []path {
	if len(found) == len(paths) {
		return found
	}
	var all []path
	for _, p := range paths {
		known := false
		for _, f := range found {
			known = known || &f[0] == &p[0]
		}
		if known || text(record, p) != "" {
			all = append(all, p)
		}
	}
	return all
}

// text returns the text at a path of a record, "" if there is none.
func text(record maxminddb.Result, p path) string {
	var s string
	if err := record.DecodePath(&s, p...); err != nil {
		return ""
	}
	return s
}

// firstText returns the first text that a record has at one of the paths.
func firstText(record maxminddb.Result, paths []path, limit int) string {
	for _, p := range paths {
		if s := clean(text(record, p), limit); s != "" {
			return s
		}
	}
	return ""
}

// lookup returns where addr is.
func (d *database) lookup(addr netip.Addr) (p place) {
	record := d.reader.Lookup(addr)
	if !record.Found() {
		return p
	}
	if c := firstText(record, d.country, maxValue); len(c) == 2 {
		p.country = strings.ToUpper(c)
	}
	p.region = firstText(record, d.region, maxValue)
	p.city = firstText(record, d.city, maxValue)
	return p
}

// geo answers from a country database and, if there is one, a city database,
// which is asked first.
type geo struct{ city, country *database }

// openGeo opens the databases of the options.
func openGeo(o Options) (g geo, err error) {
	if g.country, err = openDatabase(o.Country); err != nil {
		return geo{}, err
	}
	if o.City == "" {
		return g, nil
	}
	if g.city, err = openDatabase(o.City); err != nil {
		return geo{}, errors.Join(err, g.close())
	}
	return g, nil
}

// locate returns where an IP address is, as weir.ParseAddress reads it.
// Private, reserved and wrong addresses are nowhere.
func (g geo) locate(ip string) place {
	addr, ok := weir.ParseAddress(ip)
	if !ok {
		return place{}
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return place{}
	}
	if g.city != nil {
		if p := g.city.lookup(addr); p.country != "" {
			return p
		}
	}
	return g.country.lookup(addr)
}

func (g geo) close() error {
	var errs []error
	for _, d := range []*database{g.city, g.country} {
		if d != nil {
			errs = append(errs, d.reader.Close())
		}
	}
	return errors.Join(errs...)
}
