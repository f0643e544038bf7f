package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

// mode is what is done with a unit.
type mode int

const (
	// fresh: the destination has nothing of the project near those days. All is
	// written.
	fresh mode = iota
	// resumed: an earlier run, or an earlier try, began the unit when it was fresh,
	// and the source's days are what they were, as are the sizes of batches and windows.
	// All is written again, under the same tokens: the destination adds what it lacks,
	// sightings among it.
	resumed
	// mixed: the destination has rows of those days from an unknown source. The rows that it
	// lacks are written.
	mixed
)

func (m mode) String() string { return [...]string{"fresh", "resumed", "mixed"}[m] }

// modeOf says what is to be done with a unit.
func (r *run) modeOf(u *unit, begun bool) mode {
	// A visit that a server has gone on with may begin the day before.
	near := *u
	near.span.first--
	near.span.last++
	switch {
	case u.done: // rows were deleted, or are to be looked at
		return mixed
	case begun:
		return resumed
	case r.had(&near) == content{}:
		return fresh
	}
	return mixed
}

// Marks are batches without rows. A mark holds the content that the unit had in the
// source, so that it says nothing of one that has grown since. ClickHouse deletes
// them after 7 days; then the unit is compared once more.
const (
	// 3 is the version of encoding. A unit that was begun with another has other tokens, so
	// it counts as mixed.
	markBegun = "migrate-begun/3/"
	markDone  = "migrate-done/"
	// markErased: the destination has obeyed a set of marks, which is the name.
	markErased = "migrate-erased/"
)

// marks are names of units.
type marks struct{ begun, done map[string]bool }

// name stands for the unit, what it holds, and who was erased on either side.
func (u *unit) name() string {
	c := u.content
	return fmt.Sprintf("%s/%d-%d-%d-%d.%d.%d%s", u.span, c.events, c.visits, c.links+c.aliases, c.dead, c.received, c.versions, u.erased)
}

// begunName is the name of the mark that a unit was begun: batches of other sizes have
// other tokens.
func (r *run) begunName(u *unit) string {
	return fmt.Sprintf("%s~%d.%d", u.name(), r.o.Batch, r.o.Window)
}

func marksOf(ctx context.Context, to cold.Reader, project string) (marks, error) {
	m := marks{map[string]bool{}, map[string]bool{}}
	for kind, set := range map[string]map[string]bool{markBegun: m.begun, markDone: m.done} {
		prefix := kind + url.PathEscape(project) + "/"
		// All that begin so: '0' is what comes after '/'.
		end := strings.TrimSuffix(prefix, "/") + "0"
		err := each(ctx, to, "SELECT token FROM batches WHERE token >= ? AND token < ?", []any{prefix, end}, func(rows *sql.Rows) error {
			var token string
			if err := rows.Scan(&token); err != nil {
				return err
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(token, prefix), "#")
			set[name] = true
			return nil
		})
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

// mark writes one of a unit. What follows a # is for people.
func (r *run) mark(ctx context.Context, kind string, u *unit, name string) error {
	token := kind + url.PathEscape(u.project) + "/" + name
	b := &cold.Batch{Token: token, Log: "migrate", Shard: noShard, Now: r.o.Clock.Now(), Again: true}
	if err := r.to.Write(context.WithoutCancel(ctx), b); err != nil {
		return fmt.Errorf("mark %s: %w", u.span, err)
	}
	return nil
}

// unused returns the token or, if the destination has it, the first of token/2, token/3 … that
// it does not have: a token stays when the rows of its batch are deleted.
func (r *run) unused(ctx context.Context, token string) (string, error) {
	for name, i := token, 2; ; name, i = fmt.Sprintf("%s/%d", token, i), i+1 {
		n, err := count(ctx, r.to, "SELECT COUNT(*) FROM batches WHERE token = ?", name)
		if err != nil {
			return "", fmt.Errorf("look up a token: %w", err)
		}
		if n == 0 {
			return name, nil
		}
	}
}
