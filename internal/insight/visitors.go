package insight

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	// otherBit of a mask says that a person was on a page that has no bit in it;
	// so each mask holds as many pages.
	otherBit = maskBits - 1

	// pagesAtOnce are counted in one statement: two masks, which is enough for
	// the pages that are shown unless more are asked for.
	pagesAtOnce = 2 * otherBit
)

// pageVisitors fills in the distinct persons of each page and of all. As with
// the buckets of a trend, there is one row per person with a bit per page: persons
// are hashed without the path, and devices resolved on one row per device.
func (e *Engine) pageVisitors(ctx context.Context, pl *pagesPlan, links linkState, a *Pages) error {
	for pages := range slices.Chunk(a.Pages, pagesAtOnce) {
		q := e.pageMasks(pl, links, pages)
		err := e.each(ctx, q, func(scan func(...any) error) error {
			dest := []any{&a.Totals.Visitors}
			for i := range pages {
				dest = append(dest, &pages[i].Visitors)
			}
			return scan(dest...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pageMasks selects how many persons there are, and how many were on each page.
// The pages come by falling views, so that most rows match an early one.
func (e *Engine) pageMasks(pl *pagesPlan, links linkState, pages []Page) fragment {
	numbers := make([]fragment, len(pages))
	var counts strings.Builder
	for i := range pages {
		numbers[i] = sql(fmt.Sprintf("WHEN @ THEN %d", i), bind(pages[i].Path))
		counts.WriteString(", CAST(COALESCE(SUM(" + e.d.BitAt(fmt.Sprint("m", i/otherBit), i%otherBit) + "), 0) AS BIGINT)")
	}
	var names, masks, merged []string
	for first := 0; first < len(pages); first += otherBit {
		m := fmt.Sprint("m", first/otherBit)
		bit := e.d.Bit(fmt.Sprintf("CASE WHEN number >= %d AND number < %d THEN number - %d ELSE %d END", first, first+otherBit, first, otherBit))
		names = append(names, m)
		masks = append(masks, e.d.BitUnion(bit)+" AS "+m)
		merged = append(merged, e.d.BitUnion(m)+" AS "+m)
	}
	persons := sql("(SELECT person, "+strings.Join(masks, ", ")+" FROM (SELECT person, CASE path @ ELSE @ END AS number FROM events WHERE @) AS numbered GROUP BY person) AS masks",
		list(numbers, " "), raw(fmt.Sprint(pagesAtOnce)), e.screenViews(pl))
	if links.links {
		persons = sql("(SELECT person, "+strings.Join(merged, ", ")+" FROM @ GROUP BY person) AS merged",
			e.resolved(pl.project, links, strings.Join(names, ", "), persons))
	}
	return sql("SELECT COUNT(*)"+counts.String()+" FROM @ WHERE person <> ''", persons)
}
