package insight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
	"github.com/weir-analytics/weir/internal/sqlgate"
)

// catalog is what statements may name in the project: the columns of events that questions may name, visits, and for
// those who may see people also ids, profiles and traits. Each table stands for a SELECT of the project's rows.
func (r *reader) catalog(people bool) sqlgate.Catalog {
	c := sqlgate.Catalog{Dialect: r.d, Now: r.clock.Now().UnixMicro(), Local: r.localTime}
	c.Tables = append(c.Tables, r.eventsTable(people), r.visitsTable(people))
	if people {
		c.Tables = append(c.Tables, r.profilesTable(), r.traitsTable())
	}
	return c
}

func kindOfColumn(t schema.Type) sqlgate.Kind {
	switch t {
	case schema.Bool:
		return sqlgate.Bool
	case schema.Int8, schema.Int32, schema.Int64, schema.Uint32, schema.Uint64:
		return sqlgate.Int
	case schema.Float:
		return sqlgate.Float
	case schema.Time:
		return sqlgate.Time
	case schema.JSON:
		return sqlgate.JSON
	}
	return sqlgate.Text
}

// personDoc is of the column that is computed.
const personDoc = "who counts as one: u and a profile's id, else d and a device's id; links and aliases are followed, as in unique"

// columnDocs say what a name alone does not.
var columnDocs = map[string]string{
	"ts": "when it happened, UTC", "properties": "JSON: properties.NAME is a text", "bot": "sent by a crawler or a script", "path": "as it is stored: URL rules are not followed",
	"method": "of a call", "route": "of a call; as it is stored", "status": "of a call", "latency_ms": "of a call", "consumer": "who called", "error_shape": "what messages of one kind have in common",
	"start_at": "UTC", "end_at": "UTC", "duration_ms": "from start_at to end_at", "screen_views": "pages that were viewed", "interactive": "events that are no views", "calls": "calls of an API",
	"entry": "the first page", "exit": "the last page", "revenue": "the sum, whatever the currencies", "channel": "where the visitor came from",
}

func docs(columns []sqlgate.Column) []sqlgate.Column {
	for i, c := range columns {
		if c.Doc == "" {
			columns[i].Doc = columnDocs[c.Name]
		}
	}
	return columns
}

func (r *reader) eventsTable(people bool) sqlgate.Table {
	t := sqlgate.Table{Name: "events", Doc: "a row for each event; a call of an API is an event with the name api_call"}
	for _, c := range schema.Events.Columns {
		switch {
		case c.Name == "properties", c.Name == "ts", c.Named && (people || !IdentifiesPeople(c.Name)):
			t.Columns = append(t.Columns, sqlgate.Column{Name: c.Name, Kind: kindOfColumn(c.Type)})
		}
	}
	if people {
		t.Columns = append(t.Columns, sqlgate.Column{Name: "person", Kind: sqlgate.Text, Doc: personDoc})
	}
	docs(t.Columns)
	t.Source = func(used []string) (string, []any) {
		from := raw("events")
		columns := slices.Clone(used)
		if i := slices.Index(columns, "person"); i >= 0 && r.linked {
			columns[i] = "COALESCE(NULLIF(profile, ''), person) AS person"
			from = sql("events LEFT JOIN @ ON person = device", r.links())
		}
		f := selection{columns: names(orOne(columns)...), from: from, where: sql("project_id = @", bind(r.project.ID))}.statement()
		return f.sql, f.args
	}
	return t
}

// orOne is a column for a table of which none is used.
func orOne(columns []string) []string {
	if len(columns) == 0 {
		return []string{"1 AS one"}
	}
	return columns
}

// ofVisits are the columns of a visit that are not shown: what the store needs.
var ofVisits = []string{"project_id", "sign", "version", "received_at", "beside", "formerly", "entry_at", "exit_at", "ended"}

func (r *reader) visitsTable(people bool) sqlgate.Table {
	t := sqlgate.Table{Name: "visits", Doc: "a row for each visit, as it is now"}
	for _, c := range schema.Visits.Columns {
		if !slices.Contains(ofVisits, c.Name) && (people || !IdentifiesPeople(c.Name)) {
			t.Columns = append(t.Columns, sqlgate.Column{Name: c.Name, Kind: kindOfColumn(c.Type)})
		}
	}
	t.Columns = append(t.Columns, sqlgate.Column{Name: "duration_ms", Kind: sqlgate.Int})
	if people {
		t.Columns = append(t.Columns, sqlgate.Column{Name: "person", Kind: sqlgate.Text, Doc: personDoc})
	}
	docs(t.Columns)
	t.Source = func(used []string) (string, []any) {
		// A visit has states. One that was replaced is there with the signs 1 and -1, and otherwise equal.
		states := []string{"device_id", "session_id", "profile_id", "version", "start_at", "end_at"}
		stored := slices.DeleteFunc(slices.Clone(used), func(c string) bool { return c == "duration_ms" || c == "person" })
		states = slices.Compact(slices.Sorted(slices.Values(append(states, stored...))))
		f := selection{
			columns: names(states...), from: raw("visits"), where: sql("project_id = @", bind(r.project.ID)),
			groupBy: strings.Join(states, ", "), having: raw("SUM(sign) > 0"),
		}.as("visits_now")
		columns := slices.Clone(used)
		for i, c := range columns {
			switch {
			case c == "duration_ms":
				columns[i] = r.d.IntDiv("("+r.d.Micros("end_at")+" - "+r.d.Micros("start_at")+")", "1000") + " AS duration_ms"
			case c == "person" && r.linked:
				columns[i] = "COALESCE(NULLIF(profile, ''), " + personOfVisit + ") AS person"
				f = sql("@ LEFT JOIN @ ON "+personOfVisit+" = device", f, r.links())
			case c == "person":
				columns[i] = personOfVisit + " AS person"
			}
		}
		f = selection{columns: names(orOne(columns)...), from: f}.statement()
		return f.sql, f.args
	}
	return t
}

const personOfVisit = "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) WHEN device_id <> '' THEN CONCAT('d', device_id) ELSE '' END"

func (r *reader) profilesTable() sqlgate.Table {
	return sqlgate.Table{
		Name: "profiles", Doc: "a row for each profile, with the events of its devices",
		Columns: []sqlgate.Column{
			{Name: "profile_id", Kind: sqlgate.Text},
			{Name: "first_seen", Kind: sqlgate.Time, Doc: "UTC"},
			{Name: "last_seen", Kind: sqlgate.Time, Doc: "UTC"},
			{Name: "events", Kind: sqlgate.Int},
		},
		Source: func([]string) (string, []any) {
			f := selection{
				columns: names("SUBSTRING(person, 2) AS profile_id", r.d.Time("first_us")+" AS first_seen", r.d.Time("last_us")+" AS last_seen", "n AS events"),
				from:    r.seen(), where: raw("person <> 'u'"),
			}.statement()
			return f.sql, f.args
		},
	}
}

func (r *reader) traitsTable() sqlgate.Table {
	return sqlgate.Table{
		Name: "traits", Doc: "a row for each trait that a profile has",
		Columns: []sqlgate.Column{
			{Name: "profile_id", Kind: sqlgate.Text},
			{Name: "trait", Kind: sqlgate.Text},
			{Name: "value", Kind: sqlgate.Text},
		},
		Source: func([]string) (string, []any) {
			f := sql("SELECT trait_owner AS profile_id, trait_name AS trait, trait_value AS value FROM @", r.allTraits())
			return f.sql, f.args
		},
	}
}

// allTraits is a table of (trait_owner, trait_name, trait_value): traitValues of all traits.
func (r *reader) allTraits() fragment {
	const (
		base  = "CASE WHEN op IN ('set', 'once') THEN place END"
		added = "CASE WHEN op = 'add' THEN CAST(micros AS DECIMAL(38, 0)) END"
	)
	changes := sql(`(SELECT DISTINCT profile_id, trait AS trait_name, place, op, text, micros FROM traits WHERE project_id = @ AND op <> 'refused') AS changes`, bind(r.project.ID))
	placed := sql(`(SELECT profile_id, trait_name, place, op, text, micros,
MAX(CASE WHEN op IN ('set', 'unset') THEN place END) OVER (PARTITION BY profile_id, trait_name) AS reset FROM @) AS placed`, changes)
	folded := sql("(SELECT profile_id AS trait_owner, trait_name, "+r.d.ArgMin("text", base)+" AS base_text, "+r.d.ArgMin("COALESCE(micros, 0)", base)+" AS base_micros, "+
		"MIN("+base+") AS based, MIN(CASE WHEN op = 'add' THEN place END) AS first_added, SUM("+added+") AS added "+
		"FROM @ WHERE reset IS NULL OR place >= reset GROUP BY profile_id, trait_name) AS folded", placed)
	most := fmt.Sprintf("CAST('%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	least := fmt.Sprintf("CAST('-%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	summed := sql("(SELECT trait_owner, trait_name, base_text, based, added, CAST(LEAST(GREATEST(added + CASE WHEN based < first_added THEN base_micros ELSE 0 END, "+
		least+"), "+most+") AS BIGINT) AS m FROM @) AS summed", folded)
	return sql("(SELECT trait_owner, trait_name, CASE WHEN added IS NULL THEN base_text ELSE "+r.decimal("m")+" END AS trait_value FROM @ "+
		"WHERE added IS NOT NULL OR based IS NOT NULL) AS trait_values", summed)
}

// localFrom is the first time for which localTime has the offsets of a timezone.
var localFrom = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// localTime is a time as the clocks of the project's timezone showed it.
func (r *reader) localTime(at string) string {
	loc := r.project.Location()
	us := r.d.Micros(at)
	var b strings.Builder
	// The newest change of the clocks first: most events are new.
	for t := r.clock.Now().AddDate(1, 0, 0).In(loc); ; {
		_, offset := t.Zone()
		begin, _ := t.ZoneBounds()
		if begin.IsZero() || begin.Before(localFrom) {
			fmt.Fprintf(&b, " ELSE %d", int64(offset)*1e6)
			break
		}
		fmt.Fprintf(&b, " WHEN %s >= %d THEN %d", us, begin.UnixMicro(), int64(offset)*1e6)
		t = begin.Add(-time.Second)
	}
	shift := "CASE" + b.String() + " END"
	if strings.HasPrefix(b.String(), " ELSE") {
		shift = strings.TrimPrefix(b.String(), " ELSE ")
	}
	return r.d.Time(us + " + " + shift)
}
