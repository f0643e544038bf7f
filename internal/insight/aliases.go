package insight

import (
	"context"
	"time"
)

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
func (r *reader) profileAliases(ctx context.Context, a *Profile) error {
	if !r.merged {
		return nil
	}
	said := selection{
		columns: raw("alias, MIN(" + r.d.Micros("linked_at") + ") AS us"), from: raw("aliases"),
		where: sql("project_id = @ AND profile_id = @", bind(r.project.ID), bind(a.ProfileID)), groupBy: "alias",
	}
	// profile is NULL if the alias is merged into no profile.
	judged := selection{columns: raw("alias, us, profile"), from: sql("@ LEFT JOIN (@) AS merged ON CONCAT('u', alias) = device", said.as("said"), r.merges())}
	read := func(condition, order string, limit int, f func(AliasItem, *string)) error {
		q := selection{columns: raw("alias, us, profile"), from: judged.as("judged"), where: sql(condition, bind("u"+a.ProfileID)), orderBy: order, limit: limit}
		return r.each(ctx, q.statement(), func(scan func(...any) error) error {
			var it AliasItem
			var us int64
			var into *string
			if err := scan(&it.ID, &us, &into); err != nil {
				return err
			}
			it.At = r.local(us)
			f(it, into)
			return nil
		})
	}
	err := read("profile = @", "us, alias", maxDevices, func(it AliasItem, _ *string) { a.Aliases = append(a.Aliases, it) })
	if err != nil {
		return err
	}
	return read("(profile IS NULL OR profile <> @)", "us DESC, alias", maxRefused, func(it AliasItem, into *string) {
		why := aliasTaken
		if into == nil || *into == "" {
			why = aliasIdentified
		}
		a.RefusedAliases = append(a.RefusedAliases, RefusedAlias{it, why})
	})
}

// refusedAliases counts the aliases of the project that do not count.
func (r *reader) refusedAliases(ctx context.Context) (n int64, err error) {
	said := selection{columns: raw("alias, profile_id"), from: raw("aliases"), where: sql("project_id = @", bind(r.project.ID)), groupBy: "alias, profile_id"}
	q := selection{
		columns: raw("COUNT(*)"), from: sql("@ LEFT JOIN (@) AS merged ON CONCAT('u', alias) = device", said.as("said"), r.merges()),
		where: raw("profile IS NULL OR profile <> CONCAT('u', profile_id)"),
	}
	return n, r.each(ctx, q.statement(), func(scan func(...any) error) error { return scan(&n) })
}
