package insight

import (
	"context"
	"fmt"
	"slices"
)

const (
	// otherBit of a mask says that a person was on a page that has no bit in it. So a mask
	// has one bit less for pages.
	otherBit = maskBits - 1

	// pagesAtOnce are counted in one statement, with two masks. That is enough for the
	// pages of an answer unless more are asked for.
	pagesAtOnce = 2 * otherBit
)

// pageVisitors fills in the distinct persons of each page and of all.
func (pl *pagesPlan) pageVisitors(ctx context.Context, r *reader, a *Pages) error {
	for pages := range slices.Chunk(a.Pages, pagesAtOnce) {
		err := r.each(ctx, pl.countVisitors(r, pages), func(scan func(...any) error) error {
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

// countVisitors selects how many persons there are, and how many were on each page. It
// uses masks as in masks, with a page in the place of a bucket.
//
// Example with the pages /a and /b: a person who viewed /b and /c has the mask with bit 1
// and otherBit. It counts for /b, and as a person. Page number 61 is bit 0 of the second
// mask.
func (pl *pagesPlan) countVisitors(r *reader, pages []Page) fragment {
	paths := make([]any, len(pages))
	counts := []string{"COUNT(*)"}
	for i := range pages {
		paths[i] = pages[i].Path
		counts = append(counts, whole("SUM("+r.d.BitAt(fmt.Sprint("m", i/otherBit), i%otherBit)+")"))
	}
	var columns, masks, united []string
	for first := 0; first < len(pages); first += otherBit {
		m := fmt.Sprint("m", first/otherBit)
		bit := r.d.Bit(fmt.Sprintf("CASE WHEN place > %d AND place <= %d THEN place - %d ELSE %d END", first, first+otherBit, first+1, otherBit))
		columns = append(columns, m)
		masks = append(masks, r.d.BitUnion(bit)+" AS "+m)
		united = append(united, r.d.BitUnion(m)+" AS "+m)
	}
	viewed := selection{columns: sql("person, @ AS page", pageOf(r.d, r.project, "path")), from: r.events(pl.span(), pl.views, nil), where: pl.screenViews(r)}
	placed := selection{columns: sql("person, @ AS place", fragment{r.d.Place("page", len(paths)), paths}), from: viewed.as("viewed")}
	persons := selection{columns: comma(raw("person"), names(masks...)), from: placed.as("placed"), groupBy: "person"}.as("masks")
	if r.linked {
		persons = selection{columns: comma(raw("person"), names(united...)), from: r.resolved(names(columns...).sql, persons), groupBy: "person"}.as("merged")
	}
	return selection{columns: names(counts...), from: persons, where: raw("person <> ''")}.statement()
}
