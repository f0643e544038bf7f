package insight

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

const (
	defaultProfiles = 50
	maxProfiles     = 500
)

// ProfilesQuery asks for a project's profiles, the one that was seen last first. Fields
// that are zero do not restrict.
type ProfilesQuery struct {
	Search string // part of the profile's id, or of the trait name or email; case counts
	Trait  string // profiles that have it
	Value  *string
	Limit  int    // 0 is 50, at most 500
	Cursor string // ProfilePage.NextCursor of the page before
}

// ProfilePage is a page of profiles.
type ProfilePage struct {
	Profiles   []ProfileItem `json:"profiles" nullable:"false" doc:"the one that was seen last first"`
	NextCursor string        `json:"next_cursor,omitempty" doc:"missing at the end"`
	// RefusedAliases are pairs of an alias and a profile.
	RefusedAliases int64 `json:"refused_aliases" doc:"how many aliases of the project do not count, since they would merge profiles that are different"`
	Meta
}

// ProfileItem is a profile in a list. Its events are those of its devices too.
type ProfileItem struct {
	ProfileID string                     `json:"profile_id"`
	FirstSeen time.Time                  `json:"first_seen" doc:"of its events and changes that are kept"`
	LastSeen  time.Time                  `json:"last_seen"`
	Events    int64                      `json:"events"`
	Traits    map[string]json.RawMessage `json:"traits" nullable:"false"`
	LeftOut   int                        `json:"traits_left_out,omitempty" doc:"traits beyond what is shown: 1,000 or 1 MiB of a profile, 8 MiB of a list"`
}

// searched are the traits that a search reads beside the id.
var searched = []string{"name", "email"}

// Profiles answers with one page. freshness is as in Asker. Error: EINVALID for a
// query that is not allowed.
func (e *Engine) Profiles(ctx context.Context, p *weir.Project, q ProfilesQuery, freshness time.Duration) (*ProfilePage, error) {
	if q.Limit < 0 || q.Limit > maxProfiles {
		return nil, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxProfiles)
	}
	if q.Limit == 0 {
		q.Limit = defaultProfiles
	}
	ctx, cancel := e.within(ctx)
	defer cancel()
	where, err := (&reader{Engine: e, project: p}).whereProfiles(q)
	if err != nil {
		return nil, err
	}
	release, err := e.hold(ctx, min(maxPageBytes, e.held.all))
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.passBarrier(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	a := &ProfilePage{Profiles: []ProfileItem{}}
	r, err := e.reader(ctx, p, true)
	if err != nil {
		return nil, fmt.Errorf("insight: profiles: %w", err)
	}
	listed := selection{columns: raw("person, first_us, last_us, n"), from: r.seen(), where: where, orderBy: "last_us DESC, person", limit: q.Limit + 1}
	var last profileCursor
	err = e.each(ctx, listed.statement(), func(scan func(...any) error) error {
		var person string
		var first, latest, n int64
		if err := scan(&person, &first, &latest, &n); err != nil {
			return err
		}
		if len(a.Profiles) == q.Limit {
			a.NextCursor = last.String()
			return nil
		}
		last = profileCursor{latest, person[1:]}
		a.Profiles = append(a.Profiles, ProfileItem{
			ProfileID: person[1:], FirstSeen: r.local(first), LastSeen: r.local(latest), Events: n,
		})
		return nil
	})
	if err == nil {
		err = e.fillTraits(ctx, p, a.Profiles)
	}
	if err == nil && r.merged {
		a.RefusedAliases, err = r.refusedAliases(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("insight: profiles: %w", err)
	}
	a.Meta = done()
	return a, nil
}

// whereProfiles is the condition on the rows of seen. Error: EINVALID.
func (r *reader) whereProfiles(q ProfilesQuery) (fragment, error) {
	for what, s := range map[string]string{"search": q.Search, "trait": q.Trait} {
		if err := weir.CheckText(what, s); err != nil {
			return fragment{}, err
		}
	}
	w := raw("person <> 'u'")
	if q.Search != "" {
		found := fragment{sql: r.d.Contains("SUBSTRING(person, 2)", "?"), args: []any{q.Search}}
		for _, trait := range searched {
			value := fragment{sql: r.d.Contains("trait_value", "?"), args: []any{q.Search}}
			found = sql("@ OR person IN (SELECT CONCAT('u', trait_owner) FROM @ WHERE @)", found, r.traitValues(trait), value)
		}
		w = sql("@ AND (@)", w, found)
	}
	switch {
	case q.Trait != "" && q.Value != nil:
		if err := weir.CheckText("value", *q.Value); err != nil {
			return fragment{}, err
		}
		w = sql("@ AND person IN (SELECT CONCAT('u', trait_owner) FROM @ WHERE trait_value = @)", w, r.traitValues(q.Trait), bind(*q.Value))
	case q.Trait != "":
		w = sql("@ AND person IN (SELECT CONCAT('u', trait_owner) FROM @)", w, r.traitValues(q.Trait))
	case q.Value != nil:
		return fragment{}, weir.Errorf(weir.EINVALID, "value: of which trait?")
	}
	if q.Cursor != "" {
		c, err := parseProfileCursor(q.Cursor)
		if err != nil {
			return fragment{}, err
		}
		w = sql("@ AND (last_us < @ OR (last_us = @ AND person > @))", w, bind(c.us), bind(c.us), bind("u"+c.profile))
	}
	return w, nil
}

// seen is a table of (person, first_us, last_us, n), a row for each profile: when it and its
// devices were seen first and last, and how many events they have. A change of a trait
// counts as seen too, also if retention has deleted its event.
func (r *reader) seen() fragment {
	ts, changed := r.d.Micros("ts"), r.d.Micros("changed_at")
	counted := selection{
		columns: names("person", "MIN("+ts+") AS first_us", "MAX("+ts+") AS last_us", "COUNT(*) AS n"), from: raw("events"),
		where: sql("project_id = @ AND person <> ''", bind(r.project.ID)), groupBy: "person",
	}.as("counted")
	if r.linked {
		counted = r.resolved("first_us, last_us, n", counted)
	}
	ofEvents := selection{columns: raw("person, first_us, last_us, n"), from: counted, where: raw("SUBSTRING(person, 1, 1) = 'u'")}
	ofTraits := selection{
		columns: names("CONCAT('u', profile_id) AS person", "MIN("+changed+") AS first_us", "MAX("+changed+") AS last_us", "0 AS n"), from: raw("traits"),
		where: sql("project_id = @", bind(r.project.ID)), groupBy: "profile_id",
	}
	return selection{
		columns: raw("person, MIN(first_us) AS first_us, MAX(last_us) AS last_us, CAST(SUM(n) AS BIGINT) AS n"),
		from:    sql("(@ UNION ALL @) AS once", ofEvents.statement(), ofTraits.statement()), groupBy: "person",
	}.as("seen")
}

// profileCursor is a profile's place in the list.
type profileCursor struct {
	us      int64
	profile string
}

// String is opaque to clients.
func (c profileCursor) String() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.us))
	return base64.RawURLEncoding.EncodeToString(append(b, c.profile...))
}

// parseProfileCursor is the inverse of String. Error: EINVALID.
func parseProfileCursor(s string) (profileCursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 9 || len(b) > weir.MaxText || !utf8.Valid(b[8:]) {
		return profileCursor{}, weir.Errorf(weir.EINVALID, "cursor is not one of ours")
	}
	return profileCursor{int64(binary.BigEndian.Uint64(b)), string(b[8:])}, nil
}

// Limits of the traits of one profile in an answer.
const (
	maxTraits     = 1000
	maxTraitBytes = 1 << 20
	// maxPageBytes is the limit of all profiles of one answer: a list has up to 500.
	maxPageBytes = 8 << 20
)

// fillTraits fills in the traits of the profiles.
func (e *Engine) fillTraits(ctx context.Context, p *weir.Project, items []ProfileItem) error {
	if len(items) == 0 {
		return nil
	}
	at := map[string]*ProfileItem{}
	sizes, page := map[string]int{}, 0
	var ids []fragment
	for i := range items {
		items[i].Traits = map[string]json.RawMessage{}
		at[items[i].ProfileID] = &items[i]
		ids = append(ids, bind(items[i].ProfileID))
	}
	var state weir.Trait
	var profile, trait string
	keep := func() {
		v, ok := state.Value()
		it := at[profile]
		if !ok || it == nil {
			return
		}
		size := len(trait) + len(v)
		if sizes[profile] += size; len(it.Traits) == maxTraits || sizes[profile] > maxTraitBytes || page+size > maxPageBytes {
			it.LeftOut++
			return
		}
		page += size
		it.Traits[trait] = v
	}
	err := e.changes(ctx, sql("project_id = @ AND profile_id IN (@)", bind(p.ID), list(ids, ", ")), 0, func(c *weir.TraitChange) error {
		if c.ProfileID != profile || c.Trait != trait {
			keep()
			state, profile, trait = weir.Trait{}, c.ProfileID, c.Trait
		}
		state.Apply(c)
		return nil
	})
	keep()
	return err
}

// changes calls f for each change of traits for which a condition holds: by profile and
// trait, in the order in which they apply. It reads at most limit of them; 0 is all.
func (e *Engine) changes(ctx context.Context, where fragment, limit int, f func(*weir.TraitChange) error) error {
	last := ""
	distinct, most := "", ""
	if limit > 0 {
		distinct, most = "DISTINCT ", " LIMIT "+strconv.Itoa(limit)
	}
	q := sql("SELECT "+distinct+"profile_id, trait, place, "+e.d.Micros("changed_at")+", op, text, quoted, micros FROM traits WHERE @ ORDER BY profile_id, trait, place"+most, where)
	return e.each(ctx, q, func(scan func(...any) error) error {
		var c weir.TraitChange
		var us int64
		var op string
		var micros *int64
		if err := scan(&c.ProfileID, &c.Trait, &c.Place, &us, &op, &c.Text, &c.Quoted, &micros); err != nil {
			return err
		}
		if key := c.ProfileID + "\x00" + c.Trait + "\x00" + c.Place; key == last {
			return nil // the same change
		} else {
			last = key
		}
		c.At, c.Op, c.Micros, c.Number = time.UnixMicro(us).UTC(), weir.TraitOp(op), or(micros), micros != nil
		return f(&c)
	})
}
