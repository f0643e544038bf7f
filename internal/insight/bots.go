package insight

import (
	"context"

	weir "github.com/weir-analytics/weir"
)

// ofBots is the condition for the events that count; it is empty if all do.
func ofBots(b weir.Bots) fragment {
	switch b {
	case weir.BotsOut:
		return raw("bot = FALSE")
	case weir.BotsOnly:
		return raw("bot = TRUE")
	default:
		return fragment{}
	}
}

// with returns the filter with the condition on bots. empty goes on to say whether the
// question has conditions of its own.
func (f filter) with(b weir.Bots) filter {
	if c := ofBots(b); c.sql != "" {
		empty := f.empty
		f = f.and(onEvents(c))
		f.empty = empty
	}
	return f
}

// leftOut counts the bots that an answer about people left out: the distinct persons of the
// bots' events of a range that pass a filter and a condition.
func (r *reader) leftOut(ctx context.Context, b weir.Bots, in buckets, f filter, of fragment) (*int64, error) {
	if b != weir.BotsOut {
		return nil, nil
	}
	from := selection{columns: raw("DISTINCT person"), from: r.events(in.span(), f, nil), where: all(r.in(in), raw("bot = TRUE"), r.passes(f), of)}.as("bots")
	n := new(int64)
	err := r.each(ctx, r.distinctPersons("", from), func(scan func(...any) error) error { return scan(n) })
	return n, err
}
