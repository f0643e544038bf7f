package insight

import (
	"context"
	"fmt"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// A person in SQL is a string: 'u' + profile id, or 'd' + device id where an event has no
// profile. The column person of events has it as it was when the event came. Links and
// aliases change who that is: to resolve a person is to replace it by the profile that it
// counts under.
//
// Example: device d1 is linked to profile anna, and "a1 is a former id of anna" was said.
//
//	person  d d1   u a1     u anna   d d2   u d1     u d2
//	counts  u anna u anna   u anna   d d2   u anna   d d2
//
// The last two come from a server that got the ids from browsers, and sends them as profiles.

// identities says what has to be resolved in a project. A project without links gets
// simpler SQL.
type identities struct {
	linked  bool // some device belongs to a profile, or some profile is merged
	merged  bool // there is an alias or an unnamed device, so some profile may count under another person
	unnamed bool // some profile is the id of a device
	erased  bool // somebody was erased, so some events have lost their page and source
}

// noLongerNamed is the condition for the events whose person was erased: they have lost their
// page, source and so on. It is FALSE in a project without an erasure.
func (r *reader) noLongerNamed() string {
	if !r.erased {
		return "FALSE"
	}
	return cold.OfErased
}

func (e *Engine) identitiesOf(ctx context.Context, p *weir.Project) (id identities, err error) {
	const links, aliases, erasures, unidentified = 1, 2, 3, 4
	q := sql("SELECT 1 AS kind, COUNT(*) AS n FROM identities WHERE project_id = @ AND device_id <> '' AND profile_id <> '' "+
		"UNION ALL SELECT 2 AS kind, COUNT(*) AS n FROM aliases WHERE project_id = @ "+
		"UNION ALL SELECT 3 AS kind, COUNT(*) AS n FROM erasures WHERE project_id = @ AND "+cold.OfPersons+" "+
		"UNION ALL SELECT 4 AS kind, COUNT(*) AS n FROM identities WHERE project_id = @ AND profile_id = ''",
		bind(p.ID), bind(p.ID), bind(p.ID), bind(p.ID))
	var found [unidentified + 1]bool // by kind
	count := func(scan func(...any) error) error {
		var kind, n int64
		if err := scan(&kind, &n); err != nil {
			return err
		}
		found[kind] = n > 0
		return nil
	}
	if err := e.each(ctx, q, count); err != nil {
		return id, err
	}
	if found[unidentified] { // some of them may be devices
		r := &reader{Engine: e, project: p}
		if err := e.each(ctx, sql("SELECT 4 AS kind, COUNT(*) AS n FROM (@) AS unnamed", r.unnamedDevices()), count); err != nil {
			return id, err
		}
	}
	id.unnamed, id.erased = found[unidentified], found[erasures]
	id.merged = found[aliases] || id.unnamed
	id.linked = found[links] || id.merged
	return id, nil
}

// reader returns a reader for a question that is not of a kind, with the identities if it
// needs them.
func (e *Engine) reader(ctx context.Context, p *weir.Project, needsIdentities bool) (*reader, error) {
	r := &reader{Engine: e, project: p}
	var err error
	if needsIdentities {
		r.identities, err = e.identitiesOf(ctx, p)
	}
	return r, err
}

// links is a table of (device, profile), both as persons: device counts under profile.
// With aliases, the column device also has the merged profiles.
func (r *reader) links() fragment {
	if !r.merged {
		return sql("(@) AS links", r.deviceLinks())
	}
	return sql("(@ UNION ALL @) AS links", r.deviceLinks(), r.merges())
}

// deviceLinks selects each linked device with its profile: that of the earliest link. If
// there are several at the same time, the least profile id counts. more are further columns,
// over the links of the device.
func (r *reader) deviceLinks(more ...string) fragment {
	return selection{
		columns: names(append([]string{"CONCAT('d', device_id) AS device", "CONCAT('u', " + r.d.ArgMin("profile_id", "(linked_at, profile_id)") + ") AS profile"}, more...)...),
		from:    raw("identities"),
		where:   sql("project_id = @ AND device_id <> '' AND profile_id <> ''", bind(r.project.ID)),
		groupBy: "device_id",
	}.statement()
}

// merges selects each merged profile (as device) with the person that it counts under: see aliased and
// unnamedDevices.
func (r *reader) merges() fragment {
	if !r.unnamed {
		return r.aliased()
	}
	return sql("@ UNION ALL @", r.aliased(), r.unnamedDevices())
}

// unnamedDevices selects each profile that is the id of a device (as device) with the person that it counts under: the
// profile that the device is linked to, else the device. A profile that was identified, or that is an
// alias, is not selected.
//
// Most projects have no such profiles. So identities lists the profiles that may be one.
func (r *reader) unnamedDevices() fragment {
	p := bind(r.project.ID)
	known := sql("(SELECT profile_id AS identified FROM identities WHERE project_id = @ AND profile_id <> '' "+
		"UNION ALL SELECT alias AS identified FROM aliases WHERE project_id = @) AS known", p, p)
	said := selection{columns: raw("DISTINCT device_id AS id"), from: raw("identities"), where: sql("project_id = @ AND profile_id = ''", p)}
	suspects := selection{columns: raw("CONCAT('d', id) AS suspect"), from: sql("@ RIGHT JOIN @ ON identified = id", known, said.as("said")), where: raw("identified IS NULL")}
	seen := selection{columns: raw("DISTINCT person AS counts, person AS seen"), from: raw("sightings"), where: sql("project_id = @ AND SUBSTRING(person, 1, 1) = 'd'", p)}
	linked := sql("SELECT profile AS counts, device AS seen FROM (@) AS links", r.deviceLinks())
	return selection{
		// 'u' is after 'd': a device that is linked counts as its profile.
		columns: raw("CONCAT('u', SUBSTRING(suspect, 2)) AS device, MAX(counts) AS profile"),
		from:    sql("(@ UNION ALL @) AS devices JOIN @ ON seen = suspect", seen.statement(), linked, suspects.as("suspects")),
		groupBy: "suspect",
	}.statement()
}

// aliased selects each merged profile (as device) with the profile that it counts under:
// that of the earliest alias. If there are several at the same time, the least profile id
// counts.
//
// Example: the alias "a is a former id of b" merges a into b, but only if a was never
// identified: no device and no alias is linked to a, and no server identified it. The
// alias identifies b, so b itself is never merged. So there are no chains.
//
// It is a join and not "alias NOT IN (…)", because the result is used inside other IN
// conditions, and ClickHouse cannot nest them on a cluster. The aliases are few, so they
// are on the right: engines hold the right side of a join in memory.
func (r *reader) aliased() fragment {
	known := selection{columns: raw("profile_id AS identified"), from: raw("identities"), where: sql("project_id = @ AND profile_id <> ''", bind(r.project.ID))}
	said := selection{columns: raw("alias, profile_id AS into_profile, linked_at AS said_at"), from: raw("aliases"), where: sql("project_id = @", bind(r.project.ID))}
	return selection{
		columns: names("CONCAT('u', alias) AS device", "CONCAT('u', "+r.d.ArgMin("into_profile", "(said_at, into_profile)")+") AS profile"),
		from:    sql("@ RIGHT JOIN @ ON identified = alias", known.as("known"), said.as("said")),
		where:   raw("identified IS NULL"),
		groupBy: "alias",
	}.statement()
}

// resolved is a table of (person, columns…) with each person resolved. rows is the table
// before.
func (r *reader) resolved(columns string, rows fragment) fragment {
	return selection{
		columns: names("COALESCE(NULLIF(profile, ''), person) AS person", columns),
		from:    sql("@ LEFT JOIN @ ON person = device", rows, r.links()),
	}.as("resolved")
}

// perPerson resolves the persons of a table of (group columns…, person, value) and makes
// one row of those that became the same person. merge is the SQL that makes one value of
// several. group ends with a comma if it is not empty.
//
// So rows are first aggregated by device, and resolved only then: that joins one row for
// each device, and not each event.
func (r *reader) perPerson(group, value, merge string, rows fragment) fragment {
	if !r.linked {
		return rows
	}
	return selection{
		columns: names(group+"person", merge+" AS "+value), from: r.resolved(group+value, rows), groupBy: group + "person",
	}.as("merged")
}

// eventsOfProfile is the condition for the events that count under a profile.
func (r *reader) eventsOfProfile(profileID string) fragment {
	person := bind("u" + profileID)
	own := sql("person = @", person)
	if r.merged {
		own = sql("(person = @ AND person NOT IN (SELECT device FROM (@) AS merged))", person, r.merges())
	}
	return sql("(@ OR person IN (SELECT device FROM @ WHERE profile = @))", own, r.links(), person)
}

// visitsOfProfile is the same condition for visits.
func (r *reader) visitsOfProfile(profileID string) fragment {
	profile := bind("u" + profileID)
	if !r.merged {
		return sql("(profile_id = @ OR (profile_id = '' AND CONCAT('d', device_id) IN (SELECT device FROM @ WHERE profile = @)))",
			bind(profileID), r.links(), profile)
	}
	person := "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) ELSE CONCAT('d', device_id) END"
	return sql("((profile_id = @ AND CONCAT('u', profile_id) NOT IN (SELECT device FROM (@) AS merged)) OR "+person+" IN (SELECT device FROM @ WHERE profile = @))",
		bind(profileID), r.merges(), r.links(), profile)
}

// refuseMerged returns an error with the code if the profile is merged into another one, which the
// error names, or is the id of a device. A merged profile is only a part of a person, so no
// question is answered for it alone.
func (r *reader) refuseMerged(ctx context.Context, profileID, code string) error {
	if !r.merged {
		return nil
	}
	into := ""
	q := sql("SELECT profile FROM (@) AS merged WHERE device = @", r.merges(), bind("u"+profileID))
	if err := r.each(ctx, q, func(scan func(...any) error) error { return scan(&into) }); err != nil {
		return fmt.Errorf("insight: look for aliases: %w", err)
	}
	switch {
	case into == "":
	case into[0] == 'd':
		return weir.Errorf(code, "this is the id of a device, which belongs to no profile")
	default:
		return weir.Errorf(code, "this profile is an alias of %q: ask for that profile", into[1:])
	}
	return nil
}

// devicesOf returns the ids of the devices that count under a profile.
func (r *reader) devicesOf(ctx context.Context, profileID string) ([]string, error) {
	return r.countingUnder(ctx, r.deviceLinks(), profileID)
}

// mergedInto returns the ids of the profiles that are merged into a profile.
func (r *reader) mergedInto(ctx context.Context, profileID string) ([]string, error) {
	if !r.merged {
		return nil, nil
	}
	return r.countingUnder(ctx, r.merges(), profileID)
}

func (r *reader) countingUnder(ctx context.Context, links fragment, profileID string) (ids []string, err error) {
	q := sql("SELECT SUBSTRING(device, 2) FROM (@) AS links WHERE profile = @ ORDER BY device", links, bind("u"+profileID))
	err = r.each(ctx, q, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
