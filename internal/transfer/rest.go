package transfer

import (
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// timeOr is a time in UTC, or the zero time. When a row was received is carried along,
// but not compared: of rows that are the same an engine keeps one.
func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// links are a set: one that is said twice says no more. Those that events say themselves
// come with them. identities has the links that are aliases too, and an erasure of the
// former id takes these, but no device of the same name: the table aliases tells them apart.
var (
	links = linksIn(relation{
		name: "identities", order: "device_id, linked_at, profile_id",
		from: "(SELECT project_id, device_id, profile_id, linked_at, received_at, 0 AS other FROM identities" +
			" UNION ALL SELECT project_id, alias AS device_id, profile_id, linked_at, received_at, 1 AS other FROM aliases) AS links",
		columns: "project_id, device_id, profile_id, linked_at, MAX(received_at), MAX(other)",
		group:   " GROUP BY project_id, device_id, profile_id, linked_at HAVING MIN(other) = 0",
	})
	aliases = linksIn(relation{
		name: "aliases", order: "alias, linked_at, profile_id",
		columns: "project_id, alias, profile_id, linked_at, MAX(received_at), 1",
		group:   " GROUP BY project_id, alias, profile_id, linked_at",
	})
)

// linksIn are the links of a relation, whose last column says whether one is an alias.
func linksIn(r relation) *table[weir.Link] {
	r.at, r.count = "linked_at", "COUNT(*)"
	return &table[weir.Link]{
		relation: r,
		scanner: func() func(func(...any) error, *weir.Link) (int, error) {
			return func(scan func(...any) error, l *weir.Link) (int, error) {
				var received *time.Time
				var alias int
				err := scan(&l.ProjectID, &l.DeviceID, &l.ProfileID, &l.At, &received, &alias)
				l.At, l.Alias, l.ReceivedAt = l.At.UTC(), alias == 1, timeOr(received)
				return 1, err
			}
		},
		encode: func(b encoding, l *weir.Link) (encoding, int) {
			b = b.text(l.ProjectID).text(l.DeviceID).text(l.ProfileID).time(l.At)
			return b, len(b)
		},
		put:   func(b *cold.Batch, l *weir.Link, _ int) { b.Links = append(b.Links, *l) },
		rows:  func(b *cold.Batch) []weir.Link { return b.Links },
		label: func(l *weir.Link) string { return fmt.Sprintf("%s to %s", l.DeviceID, l.ProfileID) },
		set:   true,
	}
}

// traits are a set too. Those that events ask for come with them.
var traits = &table[weir.TraitChange]{
	relation: relation{
		name: "traits", at: "changed_at", count: "COUNT(*)",
		columns: "project_id, profile_id, trait, op, changed_at, place, text, quoted, micros, MAX(received_at)",
		group:   " GROUP BY project_id, profile_id, trait, op, changed_at, place, text, quoted, micros",
		order:   "profile_id, trait, place",
	},
	scanner: func() func(func(...any) error, *weir.TraitChange) (int, error) {
		return func(scan func(...any) error, c *weir.TraitChange) (int, error) {
			var op string
			var micros *int64
			var received *time.Time
			err := scan(&c.ProjectID, &c.ProfileID, &c.Trait, &op, &c.At, &c.Place, &c.Text, &c.Quoted, &micros, &received)
			c.Op, c.At, c.ReceivedAt = weir.TraitOp(op), c.At.UTC(), timeOr(received)
			if micros != nil {
				c.Micros, c.Number = *micros, true
			}
			return 1, err
		}
	},
	encode: func(b encoding, c *weir.TraitChange) (encoding, int) {
		b = b.text(c.ProjectID).text(c.ProfileID).text(c.Trait).text(c.Place)
		key := len(b)
		b = b.text(string(c.Op)).time(c.At).text(c.Text).int(c.Micros)
		return b.flag(c.Quoted).flag(c.Number), key
	},
	put:   func(b *cold.Batch, c *weir.TraitChange, _ int) { b.Traits = append(b.Traits, *c) },
	rows:  func(b *cold.Batch) []weir.TraitChange { return b.Traits },
	label: func(c *weir.TraitChange) string { return fmt.Sprintf("%s of %s", c.Trait, c.ProfileID) },
	set:   true,
}

var deadLetters = &table[weir.DeadLetter]{
	relation: relation{
		name: "dead_letters", at: "refused_at", order: "shard, seq, refused_at, reason", count: "COUNT(*)",
		columns: "project_id, shard, seq, reason, event, refused_at",
	},
	scanner: func() func(func(...any) error, *weir.DeadLetter) (int, error) {
		return func(scan func(...any) error, d *weir.DeadLetter) (int, error) {
			err := scan(&d.ProjectID, &d.Shard, &d.Seq, &d.Reason, &d.Event, &d.At)
			d.At = d.At.UTC()
			return 1, err
		}
	},
	encode: func(b encoding, d *weir.DeadLetter) (encoding, int) {
		b = b.int(int64(d.Shard)).uint(d.Seq).time(d.At)
		key := len(b)
		return b.text(d.ProjectID).text(d.Reason).bytes(d.Event), key
	},
	put:   func(b *cold.Batch, d *weir.DeadLetter, _ int) { b.Dead = append(b.Dead, *d) },
	rows:  func(b *cold.Batch) []weir.DeadLetter { return b.Dead },
	label: func(d *weir.DeadLetter) string { return fmt.Sprintf("shard %d, seq %d", d.Shard, d.Seq) },
}
