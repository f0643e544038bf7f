package insight

import (
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// traitOf returns the trait that a column names.
func traitOf(column string) (name string, ok bool) {
	name, ok = strings.CutPrefix(column, traitPrefix)
	return name, ok && name != ""
}

// checkTrait checks a condition on a trait of the events' persons. Who has no such trait
// fails every test. Error: EINVALID.
func checkTrait(d cold.Dialect, name string, c weir.Condition) (filter, error) {
	value, err := textCondition(d, traitColumn(c.Column, name), c)
	holds := func(r *reader) fragment {
		return sql("(person IN (SELECT trait_holder FROM @ WHERE @))", r.traitHolders(name), value)
	}
	return filter{where: holds, identities: true}, err
}

func traitColumn(name, trait string) column {
	return column{name: name, kind: property, expr: raw("trait_value"), trait: trait}
}

// breakdownColumn is the column of a breakdown. Error: EINVALID.
func breakdownColumn(d cold.Dialect, p *weir.Project, name string) (column, error) {
	if trait, ok := traitOf(name); ok {
		return traitColumn(name, trait), weir.CheckText("column", name)
	}
	return columnOf(d, p, name)
}

// withTrait is a table of events with the trait joined that a breakdown is by, if it is by
// one.
func (r *reader) withTrait(table string, by *column) fragment {
	if by == nil || by.trait == "" {
		return raw(table)
	}
	return sql(table+" LEFT JOIN @ ON person = trait_holder", r.traitHolders(by.trait))
}

// traitHolders is a table of (trait_holder, trait_value): the persons who have the trait,
// before they are resolved. So it has the profile itself, its devices, and the profiles
// that are merged into it. A profile with traits was identified, so it is not merged
// itself, and nobody is in the table twice.
func (r *reader) traitHolders(trait string) fragment {
	return sql(`(SELECT trait_holder, trait_value FROM
(SELECT device AS trait_holder, profile AS owner FROM @ UNION ALL
SELECT DISTINCT CONCAT('u', profile_id) AS trait_holder, CONCAT('u', profile_id) AS owner FROM traits WHERE project_id = @ AND trait = @) AS owners
JOIN @ ON owner = CONCAT('u', trait_owner)) AS holders`, r.links(), bind(r.project.ID), bind(trait), r.traitValues(trait))
}

// traitValues is a table of (trait_owner, trait_value): each profile's value of a trait as
// text. weir.TraitChange has the rules; here they are as a sum over all changes.
//
// Changes before the last set or unset (the reset) are ignored. Of the others, the first
// "set" or "set once" is the base, and the numbers of "add" are summed. The base counts in
// the sum only if it came before the first "add".
//
// Example, in order of time: add 5, set 10, add 1, add 2. The reset is "set 10", and so is
// the base; the value is 10 + 1 + 2.
func (r *reader) traitValues(trait string) fragment {
	const (
		base  = "CASE WHEN op IN ('set', 'once') THEN place END"
		added = "CASE WHEN op = 'add' THEN CAST(micros AS DECIMAL(38, 0)) END"
	)
	changes := sql(`(SELECT DISTINCT profile_id, place, op, text, micros FROM traits WHERE project_id = @ AND trait = @ AND op <> 'refused') AS changes`,
		bind(r.project.ID), bind(trait))
	placed := sql(`(SELECT profile_id, place, op, text, micros,
MAX(CASE WHEN op IN ('set', 'unset') THEN place END) OVER (PARTITION BY profile_id) AS reset FROM @) AS placed`, changes)
	folded := sql("(SELECT profile_id AS trait_owner, "+r.d.ArgMin("text", base)+" AS base_text, "+r.d.ArgMin("COALESCE(micros, 0)", base)+" AS base_micros, "+
		"MIN("+base+") AS based, MIN(CASE WHEN op = 'add' THEN place END) AS first_added, SUM("+added+") AS added "+
		"FROM @ WHERE reset IS NULL OR place >= reset GROUP BY profile_id) AS folded", placed)
	most := fmt.Sprintf("CAST('%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	least := fmt.Sprintf("CAST('-%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	summed := sql("(SELECT trait_owner, base_text, based, added, CAST(LEAST(GREATEST(added + CASE WHEN based < first_added THEN base_micros ELSE 0 END, "+
		least+"), "+most+") AS BIGINT) AS m FROM @) AS summed", folded)
	return sql("(SELECT trait_owner, CASE WHEN added IS NULL THEN base_text ELSE "+r.decimal("m")+" END AS trait_value FROM @ "+
		"WHERE added IS NOT NULL OR based IS NOT NULL) AS trait_values", summed)
}

// decimal is weir.DecimalOf in SQL: 1500000 millionths are the text 1.5.
func (e *Engine) decimal(m string) string {
	return "CONCAT(CASE WHEN " + m + " < 0 THEN '-' ELSE '' END, CAST(" + e.d.IntDiv("ABS("+m+")", "1000000") + " AS VARCHAR), " +
		"CASE WHEN ABS(" + m + ") % 1000000 = 0 THEN '' ELSE CONCAT('.', TRIM(TRAILING '0' FROM SUBSTRING(CAST(ABS(" + m + ") % 1000000 + 1000000 AS VARCHAR), 2))) END)"
}
