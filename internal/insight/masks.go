package insight

import (
	"context"
	"fmt"
	"strings"
)

// maxMasks is the most masks of a person that one statement has. They hold maxWide buckets.
const (
	maxMasks = 4
	maxWide  = maxMasks * maskBits
)

// wide says in which of many buckets a person was: several masks, one after the other.
// Bucket i is bit i%maskBits of mask i/maskBits.
type wide [maxMasks]int64

// has says whether the person was in bucket i.
func (w *wide) has(i int) bool { return w[i/maskBits]>>(i%maskBits)&1 == 1 }

// wideMasks is a table of (person, NAME0, NAME1, …), made of rows of (b, person) with n
// buckets: see masks. The persons are resolved.
func (r *reader) wideMasks(name string, n int, rows fragment) (table fragment, columns []string) {
	unions, again := []string{"person"}, []string{"person"}
	for first := 0; first < n; first += maskBits {
		column := fmt.Sprintf("%s%d", name, len(columns))
		columns = append(columns, column)
		// The bit is taken modulo, so that it is one for buckets of other masks too.
		bit := fmt.Sprintf("CASE WHEN b >= %d AND b < %d THEN %s END", first, first+maskBits, r.d.Bit(fmt.Sprintf("(b %% %d)", maskBits)))
		unions, again = append(unions, "COALESCE("+r.d.BitUnion(bit)+", 0) AS "+column), append(again, r.d.BitUnion(column)+" AS "+column)
	}
	table = selection{columns: names(unions...), from: rows, groupBy: "person"}.as(name + "masks")
	if r.linked {
		table = selection{columns: names(again...), from: r.resolved(strings.Join(columns, ", "), table), groupBy: "person"}.as(name + "merged")
	}
	return table, columns
}

// asInts are columns of masks as signed integers, which they fit in.
func asInts(columns []string) string {
	cast := make([]string, len(columns))
	for i, c := range columns {
		cast[i] = "CAST(" + c + " AS BIGINT)"
	}
	return strings.Join(cast, ", ")
}

// into are the places that a row's masks are scanned into.
func (w *wide) into(columns int) []any {
	dest := make([]any, columns)
	for i := range dest {
		dest[i] = &w[i]
	}
	return dest
}

// eachMask calls f for all that persons have in common: where they were among n buckets, and
// how many persons were just there.
func (r *reader) eachMask(ctx context.Context, rows fragment, n int, f func(w *wide, persons int64)) error {
	table, columns := r.wideMasks("m", n, rows)
	q := selection{columns: names(asInts(columns), "COUNT(*)"), from: table, where: raw("person <> ''"), groupBy: strings.Join(columns, ", ")}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var w wide
		var persons int64
		if err := scan(append(w.into(len(columns)), &persons)...); err != nil {
			return err
		}
		f(&w, persons)
		return nil
	})
}
