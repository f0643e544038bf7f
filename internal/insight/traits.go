package insight

import (
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// traitOf is the trait that a column names.
func traitOf(column string) (name string, ok bool) {
	name, ok = strings.CutPrefix(column, traitPrefix)
	return name, ok && name != ""
}

// filter is the SQL of a whole filter over events, each test preceded by AND. Error:
// EINVALID.
func (e *Engine) filter(p *weir.Project, l linkState, cs []weir.Condition) (fragment, error) {
	plain, traits, err := apart(cs)
	if err != nil {
		return fragment{}, err
	}
	f, err := conditions(e.d, plain)
	if err != nil {
		return fragment{}, err
	}
	return e.withTraits(p, l, f, traits)
}

// filterOn is filter with other columns of events in the place of some.
func (e *Engine) filterOn(p *weir.Project, l linkState, cs []weir.Condition, instead map[string]string) (fragment, error) {
	plain, traits, err := apart(cs)
	if err != nil {
		return fragment{}, err
	}
	f, err := conditionsOn(e.d, plain, instead)
	if err != nil {
		return fragment{}, err
	}
	return e.withTraits(p, l, f, traits)
}

// apart separates the conditions on traits from the others.
func apart(cs []weir.Condition) (plain, traits []weir.Condition, err error) {
	if len(cs) > maxConditions {
		return nil, nil, weir.Errorf(weir.EINVALID, "at most %d conditions, there are %d", maxConditions, len(cs))
	}
	for _, c := range cs {
		if _, ok := traitOf(c.Column); ok {
			traits = append(traits, c)
		} else {
			plain = append(plain, c)
		}
	}
	return plain, traits, nil
}

func (e *Engine) withTraits(p *weir.Project, l linkState, f fragment, traits []weir.Condition) (fragment, error) {
	for _, c := range traits {
		test, err := e.traitCondition(p, l, c)
		if err != nil {
			return fragment{}, err
		}
		f = sql("@ AND @", f, test)
	}
	return f, nil
}

// traitCondition is a test of the events' persons: those who have such a trait. Who
// has none fails every test but "!=".
func (e *Engine) traitCondition(p *weir.Project, l linkState, c weir.Condition) (fragment, error) {
	col, err := e.traitColumn(p, l, c.Column)
	if err != nil {
		return fragment{}, err
	}
	if err := checkValues(c); err != nil {
		return fragment{}, err
	}
	among := "person IN"
	if c.Op == "!=" {
		c.Op, among = "=", "person NOT IN"
	}
	test, err := textCondition(e.d, col, c)
	if err != nil {
		return fragment{}, err
	}
	return sql("("+among+" (SELECT trait_holder FROM @ WHERE @))", col.join, test), nil
}

// breakdown is the column of a breakdown. Error: EINVALID.
func (e *Engine) breakdown(p *weir.Project, l linkState, name string) (column, error) {
	if _, ok := traitOf(name); ok {
		return e.traitColumn(p, l, name)
	}
	return columnOf(e.d, name)
}

func (e *Engine) traitColumn(p *weir.Project, l linkState, name string) (column, error) {
	if err := isText("column", name); err != nil {
		return column{}, err
	}
	trait, _ := traitOf(name)
	return column{name: name, kind: property, expr: raw("trait_value"), join: e.traitHolders(p, l, trait)}, nil
}

// from is a table, with what the breakdown needs beside it.
func (t *trendPlan) from(table string) fragment {
	if t.group == nil || t.group.join.sql == "" {
		return raw(table)
	}
	return sql(table+" LEFT JOIN @ ON person = trait_holder", t.group.join)
}

// traitHolders is a table of (trait_holder, trait_value): who has the trait, in the
// form of the person column, devices and profiles that count under another among them. Who has
// traits was identified, so no profile is in both.
func (e *Engine) traitHolders(p *weir.Project, l linkState, trait string) fragment {
	return sql(`(SELECT trait_holder, trait_value FROM
(SELECT device AS trait_holder, profile AS owner FROM @ UNION ALL
SELECT DISTINCT CONCAT('u', profile_id) AS trait_holder, CONCAT('u', profile_id) AS owner FROM traits WHERE project_id = @ AND trait = @) AS owners
JOIN @ ON owner = CONCAT('u', trait_owner)) AS holders`, e.links(p, l), bind(p.ID), bind(trait), e.traitValues(p, trait))
}

// traitValues is a table of (trait_owner, trait_value): each profile's value of a
// trait as text, as weir.TraitChange says that it comes about.
//
// What was before the last set or unset does not matter. Of the rest the first that
// gives a value is the base, and numbers are added to it, which it did not see if it
// came after one of them.
func (e *Engine) traitValues(p *weir.Project, trait string) fragment {
	const (
		base  = "CASE WHEN op IN ('set', 'once') THEN place END"
		added = "CASE WHEN op = 'add' THEN CAST(micros AS DECIMAL(38, 0)) END"
	)
	changes := sql(`(SELECT DISTINCT profile_id, place, op, text, micros FROM traits WHERE project_id = @ AND trait = @ AND op <> 'refused') AS changes`,
		bind(p.ID), bind(trait))
	placed := sql(`(SELECT profile_id, place, op, text, micros,
MAX(CASE WHEN op IN ('set', 'unset') THEN place END) OVER (PARTITION BY profile_id) AS reset FROM @) AS placed`, changes)
	folded := sql("(SELECT profile_id AS trait_owner, "+e.d.ArgMin("text", base)+" AS base_text, "+e.d.ArgMin("COALESCE(micros, 0)", base)+" AS base_micros, "+
		"MIN("+base+") AS based, MIN(CASE WHEN op = 'add' THEN place END) AS first_added, SUM("+added+") AS added "+
		"FROM @ WHERE reset IS NULL OR place >= reset GROUP BY profile_id) AS folded", placed)
	most := fmt.Sprintf("CAST('%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	least := fmt.Sprintf("CAST('-%d' AS DECIMAL(38, 0))", weir.MaxTraitNumber)
	summed := sql("(SELECT trait_owner, base_text, based, added, CAST(LEAST(GREATEST(added + CASE WHEN based < first_added THEN base_micros ELSE 0 END, "+
		least+"), "+most+") AS BIGINT) AS m FROM @) AS summed", folded)
	return sql("(SELECT trait_owner, CASE WHEN added IS NULL THEN base_text ELSE "+e.decimal("m")+" END AS trait_value FROM @ "+
		"WHERE added IS NOT NULL OR based IS NOT NULL) AS trait_values", summed)
}

// decimal is weir.DecimalOf in SQL.
func (e *Engine) decimal(m string) string {
	return "CONCAT(CASE WHEN " + m + " < 0 THEN '-' ELSE '' END, CAST(" + e.d.IntDiv("ABS("+m+")", "1000000") + " AS VARCHAR), " +
		"CASE WHEN ABS(" + m + ") % 1000000 = 0 THEN '' ELSE CONCAT('.', TRIM(TRAILING '0' FROM SUBSTRING(CAST(ABS(" + m + ") % 1000000 + 1000000 AS VARCHAR), 2))) END)"
}
