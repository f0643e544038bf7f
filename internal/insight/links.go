package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// linkage says what of links there is in a project, so that one without any pays
// nothing for them.
type linkage struct {
	links   bool // a device is linked to a profile, or an alias is one
	aliases bool // a profile may be merged into another
}

func (e *Engine) linkage(ctx context.Context, p *weir.Project) (l linkage, err error) {
	q := sql("SELECT 1 AS kind, COUNT(*) AS n FROM identities WHERE project_id = @ AND device_id <> '' "+
		"UNION ALL SELECT 2 AS kind, COUNT(*) AS n FROM aliases WHERE project_id = @", bind(p.ID), bind(p.ID))
	err = e.each(ctx, q, func(scan func(...any) error) error {
		var kind, n int64
		if err := scan(&kind, &n); err != nil {
			return err
		}
		l.links, l.aliases = l.links || n > 0, l.aliases || kind == 2 && n > 0
		return nil
	})
	return l, err
}

// linkageOfTraits is the linkage where a question has to do with traits, of which it
// hangs whose they are. A plan is made before the barrier, to check it, and without
// links: with aliases it has to be made again.
func (e *Engine) linkageOfTraits(ctx context.Context, p *weir.Project, q weir.Query) (linkage, error) {
	_, asks := traitOf(q.Breakdown)
	for _, c := range q.Filter {
		_, is := traitOf(c.Column)
		asks = asks || is
	}
	if !asks {
		return linkage{}, nil
	}
	return e.linkage(ctx, p)
}

// links is a table of (device, profile) in the form of the person column: who counts
// under which profile. device is a device or, where there are aliases, a profile too.
func (e *Engine) links(p *weir.Project, l linkage) fragment {
	if !l.aliases {
		return sql("(@) AS links", e.deviceLinks(p))
	}
	return sql("(@ UNION ALL @) AS links", e.deviceLinks(p), e.merges(p))
}

// deviceLinks selects each device with the profile of its earliest link, the least
// profile id of those at that time.
func (e *Engine) deviceLinks(p *weir.Project) fragment {
	return sql("SELECT CONCAT('d', device_id) AS device, CONCAT('u', "+e.d.ArgMin("profile_id", "(linked_at, profile_id)")+
		") AS profile FROM identities WHERE project_id = @ AND device_id <> '' AND profile_id <> '' GROUP BY device_id", bind(p.ID))
}

// merges selects each profile that is merged into another with that one: the one of its
// earliest alias, of equal ones the least. A profile to which anything is linked, or that
// a server identified, is merged into none; so the one that it is merged into is not
// merged itself.
//
// It is a join with the few aliases on the side that engines keep in memory. ClickHouse
// cannot have a condition with IN here: this stands within others.
func (e *Engine) merges(p *weir.Project) fragment {
	return sql("SELECT CONCAT('u', alias) AS device, CONCAT('u', "+e.d.ArgMin("into_profile", "(said_at, into_profile)")+") AS profile "+
		"FROM (SELECT profile_id AS identified FROM identities WHERE project_id = @) AS known "+
		"RIGHT JOIN (SELECT alias, profile_id AS into_profile, linked_at AS said_at FROM aliases WHERE project_id = @) AS said ON identified = alias "+
		"WHERE identified IS NULL GROUP BY alias", bind(p.ID), bind(p.ID))
}

// resolved replaces the person of a table of (person, columns…) by the profile that it
// counts under.
func (e *Engine) resolved(p *weir.Project, l linkage, columns string, from fragment) fragment {
	return sql("(SELECT COALESCE(NULLIF(profile, ''), person) AS person, "+columns+" FROM @ LEFT JOIN @ ON person = device) AS resolved",
		from, e.links(p, l))
}

// ofProfile is a condition on events: those that count for a profile.
func (e *Engine) ofProfile(p *weir.Project, l linkage, profileID string) fragment {
	person := bind("u" + profileID)
	own := sql("person = @", person)
	if l.aliases {
		own = sql("(person = @ AND person NOT IN (SELECT device FROM (@) AS merged))", person, e.merges(p))
	}
	return sql("(@ OR person IN (SELECT device FROM @ WHERE profile = @))", own, e.links(p, l), person)
}

// visitsOfProfile is a condition on visits.
func (e *Engine) visitsOfProfile(p *weir.Project, l linkage, profileID string) fragment {
	profile := bind("u" + profileID)
	if !l.aliases {
		return sql("(profile_id = @ OR (profile_id = '' AND CONCAT('d', device_id) IN (SELECT device FROM @ WHERE profile = @)))",
			bind(profileID), e.links(p, l), profile)
	}
	person := "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) ELSE CONCAT('d', device_id) END"
	return sql("((profile_id = @ AND CONCAT('u', profile_id) NOT IN (SELECT device FROM (@) AS merged)) OR "+person+" IN (SELECT device FROM @ WHERE profile = @))",
		bind(profileID), e.merges(p), e.links(p, l), profile)
}

// notMerged is an error of a code when the profile is merged into another, which the
// error names: asking for the one is asking for a part of the other.
func (e *Engine) notMerged(ctx context.Context, p *weir.Project, l linkage, profileID, code string) error {
	if !l.aliases {
		return nil
	}
	into := ""
	q := sql("SELECT SUBSTRING(profile, 2) FROM (@) AS merged WHERE device = @", e.merges(p), bind("u"+profileID))
	if err := e.each(ctx, q, func(scan func(...any) error) error { return scan(&into) }); err != nil {
		return fmt.Errorf("insight: look for aliases: %w", err)
	}
	if into != "" {
		return weir.Errorf(code, "the profile is merged into %q, of which it is an alias: ask for that one", into)
	}
	return nil
}

// personsOfProfile are the ids of what counts under a profile: kind is "d" for its
// devices, "u" for profiles.
func (e *Engine) personsOfProfile(ctx context.Context, p *weir.Project, kind, profileID string) (ids []string, err error) {
	from := e.deviceLinks(p)
	if kind == "u" {
		from = e.merges(p)
	}
	q := sql("SELECT SUBSTRING(device, 2) FROM (@) AS links WHERE profile = @ ORDER BY device", from, bind("u"+profileID))
	err = e.each(ctx, q, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// AliasItem is a former id of a profile.
type AliasItem struct {
	ID string    `json:"id"`
	At time.Time `json:"at" doc:"when it was said first"`
}

// RefusedAlias is an alias that does not count.
type RefusedAlias struct {
	AliasItem
	Why string `json:"why" enum:"identified,taken" doc:"identified: it is a profile that was identified itself. taken: it counts under another profile"`
}

// Why an alias does not count.
const (
	aliasIdentified = "identified"
	aliasTaken      = "taken"
)

// profileAliases fills in the aliases of a profile, those that were said first first,
// and the last that were refused.
func (e *Engine) profileAliases(ctx context.Context, p *weir.Project, l linkage, a *Profile) error {
	if !l.aliases {
		return nil
	}
	// profile is NULL of an alias that is not merged into any.
	said := sql("SELECT alias, us, profile FROM (SELECT alias, MIN("+e.d.Micros("linked_at")+") AS us FROM aliases WHERE project_id = @ AND profile_id = @ GROUP BY alias) AS said "+
		"LEFT JOIN (@) AS merged ON CONCAT('u', alias) = device", bind(p.ID), bind(a.ProfileID), e.merges(p))
	person := "u" + a.ProfileID
	ask := func(condition, order string, limit int, f func(AliasItem, *string)) error {
		q := sql("SELECT alias, us, profile FROM (@) AS judged WHERE "+condition+" ORDER BY us "+order+fmt.Sprintf(", alias LIMIT %d", limit), said, bind(person))
		return e.each(ctx, q, func(scan func(...any) error) error {
			var it AliasItem
			var us int64
			var into *string
			if err := scan(&it.ID, &us, &into); err != nil {
				return err
			}
			it.At = time.UnixMicro(us).In(p.Location())
			f(it, into)
			return nil
		})
	}
	err := ask("profile = @", "", maxDevices, func(it AliasItem, _ *string) { a.Aliases = append(a.Aliases, it) })
	if err != nil {
		return err
	}
	return ask("(profile IS NULL OR profile <> @)", "DESC", maxRefused, func(it AliasItem, into *string) {
		why := aliasTaken
		if into == nil || *into == "" {
			why = aliasIdentified
		}
		a.RefusedAliases = append(a.RefusedAliases, RefusedAlias{it, why})
	})
}

// refusedAliases is how many aliases of the project do not count.
func (e *Engine) refusedAliases(ctx context.Context, p *weir.Project) (n int64, err error) {
	q := sql("SELECT COUNT(*) FROM (SELECT alias, profile_id FROM aliases WHERE project_id = @ GROUP BY alias, profile_id) AS said "+
		"LEFT JOIN (@) AS merged ON CONCAT('u', alias) = device WHERE profile IS NULL OR profile <> CONCAT('u', profile_id)", bind(p.ID), e.merges(p))
	return n, e.each(ctx, q, func(scan func(...any) error) error { return scan(&n) })
}
