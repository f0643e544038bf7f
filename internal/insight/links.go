package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// linkState says which kinds of links a project has. A project without links gets
// simpler SQL.
type linkState struct {
	links   bool // some device belongs to a profile, or there is an alias
	aliases bool // some profile may be merged into another
}

func (e *Engine) linkState(ctx context.Context, p *weir.Project) (l linkState, err error) {
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

// linkStateForTraits returns the link state if the question filters or breaks down by
// a trait, because links decide which profile a trait belongs to. Otherwise it returns
// the zero value.
//
// The first plan is made before the barrier, only to check the question, and ignores
// links. If the project has aliases, the plan is made again with this state.
func (e *Engine) linkStateForTraits(ctx context.Context, p *weir.Project, q weir.Query) (linkState, error) {
	_, asks := traitOf(q.Breakdown)
	for _, c := range q.Filter {
		_, is := traitOf(c.Column)
		asks = asks || is
	}
	if !asks {
		return linkState{}, nil
	}
	return e.linkState(ctx, p)
}

// links returns a subquery with columns (device, profile), both in the form of the
// person column: 'd' + device id, 'u' + profile id. Each row means: device counts under
// profile. With aliases, the column device also contains merged profiles.
func (e *Engine) links(p *weir.Project, l linkState) fragment {
	if !l.aliases {
		return sql("(@) AS links", e.deviceLinks(p))
	}
	return sql("(@ UNION ALL @) AS links", e.deviceLinks(p), e.merges(p))
}

// deviceLinks selects each linked device with its profile: the one of the earliest
// link. Of links at the same time, the least profile id wins.
func (e *Engine) deviceLinks(p *weir.Project) fragment {
	return sql("SELECT CONCAT('d', device_id) AS device, CONCAT('u', "+e.d.ArgMin("profile_id", "(linked_at, profile_id)")+
		") AS profile FROM identities WHERE project_id = @ AND device_id <> '' AND profile_id <> '' GROUP BY device_id", bind(p.ID))
}

// merges selects each merged profile (as device) with the profile that it counts under.
// The earliest alias decides; of aliases at the same time, the least profile id.
//
// Example: the alias "a is a former id of b" merges a into b. It does not if a was
// identified: if a device or an alias is linked to a, or a server identified a. An alias
// a → b identifies b, so b itself is never merged: there are no chains.
//
// It is a join, not a condition with IN: the result is used inside other IN conditions,
// and ClickHouse cannot nest them on a cluster. The few aliases are on the right, the
// side that engines hold in memory.
func (e *Engine) merges(p *weir.Project) fragment {
	return sql("SELECT CONCAT('u', alias) AS device, CONCAT('u', "+e.d.ArgMin("into_profile", "(said_at, into_profile)")+") AS profile "+
		"FROM (SELECT profile_id AS identified FROM identities WHERE project_id = @) AS known "+
		"RIGHT JOIN (SELECT alias, profile_id AS into_profile, linked_at AS said_at FROM aliases WHERE project_id = @) AS said ON identified = alias "+
		"WHERE identified IS NULL GROUP BY alias", bind(p.ID), bind(p.ID))
}

// resolved returns the rows of from, a table of (person, columns…), with each person
// replaced by the profile that it counts under.
func (e *Engine) resolved(p *weir.Project, l linkState, columns string, from fragment) fragment {
	return sql("(SELECT COALESCE(NULLIF(profile, ''), person) AS person, "+columns+" FROM @ LEFT JOIN @ ON person = device) AS resolved",
		from, e.links(p, l))
}

// eventsOfProfile is a condition on events: they count under the profile.
func (e *Engine) eventsOfProfile(p *weir.Project, l linkState, profileID string) fragment {
	person := bind("u" + profileID)
	own := sql("person = @", person)
	if l.aliases {
		own = sql("(person = @ AND person NOT IN (SELECT device FROM (@) AS merged))", person, e.merges(p))
	}
	return sql("(@ OR person IN (SELECT device FROM @ WHERE profile = @))", own, e.links(p, l), person)
}

// visitsOfProfile is the same condition on visits.
func (e *Engine) visitsOfProfile(p *weir.Project, l linkState, profileID string) fragment {
	profile := bind("u" + profileID)
	if !l.aliases {
		return sql("(profile_id = @ OR (profile_id = '' AND CONCAT('d', device_id) IN (SELECT device FROM @ WHERE profile = @)))",
			bind(profileID), e.links(p, l), profile)
	}
	person := "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) ELSE CONCAT('d', device_id) END"
	return sql("((profile_id = @ AND CONCAT('u', profile_id) NOT IN (SELECT device FROM (@) AS merged)) OR "+person+" IN (SELECT device FROM @ WHERE profile = @))",
		bind(profileID), e.merges(p), e.links(p, l), profile)
}

// refuseMerged returns an error with the code if the profile is merged into another one.
// The error names the other profile. A merged profile is only a part of a person, so no
// question is answered for it alone.
func (e *Engine) refuseMerged(ctx context.Context, p *weir.Project, l linkState, profileID, code string) error {
	if !l.aliases {
		return nil
	}
	into := ""
	q := sql("SELECT SUBSTRING(profile, 2) FROM (@) AS merged WHERE device = @", e.merges(p), bind("u"+profileID))
	if err := e.each(ctx, q, func(scan func(...any) error) error { return scan(&into) }); err != nil {
		return fmt.Errorf("insight: look for aliases: %w", err)
	}
	if into != "" {
		return weir.Errorf(code, "this profile is an alias of %q: ask for that profile", into)
	}
	return nil
}

// personsOfProfile returns the ids that count under a profile: its devices for kind "d",
// the profiles merged into it for kind "u".
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
	At time.Time `json:"at" doc:"time of the first alias event"`
}

// RefusedAlias is an alias that does not count.
type RefusedAlias struct {
	AliasItem
	Why string `json:"why" enum:"identified,taken" doc:"identified: this id was identified as a profile of its own. taken: it already counts under another profile"`
}

// Why an alias does not count.
const (
	aliasIdentified = "identified"
	aliasTaken      = "taken"
)

// profileAliases fills in the aliases of a profile, oldest first, and its refused
// aliases, newest first.
func (e *Engine) profileAliases(ctx context.Context, p *weir.Project, l linkState, a *Profile) error {
	if !l.aliases {
		return nil
	}
	// profile is NULL if the alias is merged into no profile.
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

// refusedAliases counts the aliases of the project that have no effect.
func (e *Engine) refusedAliases(ctx context.Context, p *weir.Project) (n int64, err error) {
	q := sql("SELECT COUNT(*) FROM (SELECT alias, profile_id FROM aliases WHERE project_id = @ GROUP BY alias, profile_id) AS said "+
		"LEFT JOIN (@) AS merged ON CONCAT('u', alias) = device WHERE profile IS NULL OR profile <> CONCAT('u', profile_id)", bind(p.ID), e.merges(p))
	return n, e.each(ctx, q, func(scan func(...any) error) error { return scan(&n) })
}
