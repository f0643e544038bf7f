package transfer

import (
	"fmt"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// links are a set: one that is said twice says no more. Those that events say themselves
// come with them. identities has the links that are aliases too, and an erasure of the
// former id takes these, but no device of the same name: the table aliases tells them apart.
var (
	links = linksIn(&schema.Identities, relation{
		order: "device_id, linked_at, profile_id",
		from: "(SELECT project_id, device_id, profile_id, linked_at, received_at, 0 AS other FROM identities" +
			" UNION ALL SELECT project_id, alias AS device_id, profile_id, linked_at, received_at, 1 AS other FROM aliases) AS links",
	}, "MAX(other)", " HAVING MIN(other) = 0")
	aliases = linksIn(&schema.Aliases, relation{order: "alias, linked_at, profile_id"}, "1", "")
)

// linksIn are the links of a table. alias is SQL for 1 if a link is an alias. When a link
// was received is copied, but not compared: of rows that are the same an engine keeps one.
func linksIn(t *schema.Table[weir.Link], r relation, alias, having string) *table[weir.Link] {
	compared := named(schema.Without(t.Columns, "received_at"))
	names := schema.Names(compared.all())
	r.name, r.at, r.count = t.Name, "linked_at", "COUNT(*)"
	r.columns, r.group = names+", MAX(received_at), "+alias, " GROUP BY "+names+having
	return &table[weir.Link]{
		relation: r,
		scanner: func() func(func(...any) error, *weir.Link) (int, error) {
			read := schema.Scanner(append(compared.all(), t.Only("received_at")...))
			return func(scan func(...any) error, l *weir.Link) (int, error) {
				var alias int
				err := read(scan, l, &alias)
				l.Alias = alias == 1
				return 1, err
			}
		},
		encode: compared.encoder(),
		put:    func(b *cold.Batch, l *weir.Link, _ int) { b.Links = append(b.Links, *l) },
		rows:   func(b *cold.Batch) []weir.Link { return b.Links },
		label:  func(l *weir.Link) string { return fmt.Sprintf("%s to %s", l.DeviceID, l.ProfileID) },
		set:    true,
	}
}

var traitColumns = named(schema.Without(schema.Traits.Columns, "received_at"), "project_id", "profile_id", "trait", "place")

// traits are a set too. Those that events ask for come with them.
var traits = &table[weir.TraitChange]{
	relation: relation{
		name: "traits", at: "changed_at", count: "COUNT(*)",
		columns: schema.Names(traitColumns.all()) + ", MAX(received_at)",
		group:   " GROUP BY " + schema.Names(traitColumns.all()),
		order:   "profile_id, trait, place",
	},
	scanner: scannerOf(append(traitColumns.all(), schema.Traits.Only("received_at")...)),
	encode:  traitColumns.encoder(),
	put:     func(b *cold.Batch, c *weir.TraitChange, _ int) { b.Traits = append(b.Traits, *c) },
	rows:    func(b *cold.Batch) []weir.TraitChange { return b.Traits },
	label:   func(c *weir.TraitChange) string { return fmt.Sprintf("%s of %s", c.Trait, c.ProfileID) },
	set:     true,
}

var deadColumns = named(schema.DeadLetters.Columns, "shard", "seq", "refused_at")

var deadLetters = &table[weir.DeadLetter]{
	relation: relation{
		name: "dead_letters", at: "refused_at", order: "shard, seq, refused_at, reason", count: "COUNT(*)",
		columns: schema.Names(deadColumns.all()),
	},
	scanner: scannerOf(deadColumns.all()),
	encode:  deadColumns.encoder(),
	put:     func(b *cold.Batch, d *weir.DeadLetter, _ int) { b.Dead = append(b.Dead, *d) },
	rows:    func(b *cold.Batch) []weir.DeadLetter { return b.Dead },
	label:   func(d *weir.DeadLetter) string { return fmt.Sprintf("shard %d, seq %d", d.Shard, d.Seq) },
}
