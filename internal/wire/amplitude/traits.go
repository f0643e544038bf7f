package amplitude

import (
	"bytes"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// unkeptOperations are the operations that Weir does not do. Its traits are not lists, and it
// cannot clear all traits at once.
var unkeptOperations = [...]string{"$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$clearAll"}

// changes has the places of the changes in user_properties, and the changes that Weir does not make.
type changes struct {
	set, setOnce, add, unset jsonscan.Mark
	plain                    bool // the object itself has traits
	unkept                   []string
}

// readChanges reads user_properties, or group_properties: operations, or traits themselves.
func (a *decoder) readChanges(at jsonscan.Mark) (c changes) {
	a.ReadAt(at, func() {
		a.ReadObject(func(key []byte) {
			switch string(key) {
			case "$set":
				c.set = a.Note()
			case "$setOnce":
				c.setOnce = a.Note()
			case "$add":
				c.add = a.Note()
			case "$unset":
				c.unset = a.Note()
			default:
				if i := slices.Index(unkeptOperations[:], string(key)); i >= 0 {
					if !slices.Contains(c.unkept, unkeptOperations[i]) {
						c.unkept = append(c.unkept, unkeptOperations[i])
					}
				} else {
					c.plain = true
				}
				a.Skip()
			}
		})
	})
	return c
}

// storeChanges stores the changes of traits. It reports whether there are any.
func (a *decoder) storeChanges(c *changes, whole jsonscan.Mark) (some bool) {
	switch {
	case c.set.IsSet():
		some = a.KeepRenamed("$set", c.set, traitName)
	case c.plain:
		some = a.KeepRenamed("$set", whole, plainTraitName)
	}
	some = c.setOnce.IsSet() && a.KeepRenamed("$set_once", c.setOnce, traitName) || some
	some = c.add.IsSet() && a.KeepRenamed("$add", c.add, traitName) || some
	before := a.MarkProperties()
	n := 0
	a.ReadAt(c.unset, func() {
		a.PropertyKey("$unset")
		a.AppendRaw("[")
		a.ReadObject(func(key []byte) {
			if name := traitName(key); name != nil && !a.HasDefect() {
				if n++; n > 1 {
					a.AppendRaw(",")
				}
				a.AppendText(item.Storable(name))
				a.CheckSize()
			}
			a.Skip()
		})
		a.AppendRaw("]")
	})
	if n == 0 {
		a.UndoProperties(before)
	}
	return some || n > 0
}

// plainTraitName is traitName for traits that stand beside operations.
func plainTraitName(key []byte) []byte {
	if bytes.HasPrefix(key, []byte("$")) {
		return nil
	}
	return traitName(key)
}

// traitName returns the name of a trait. It is nil for the campaign and the referrer, of this
// session and the first one, which the browser's SDK sends of its own accord: Weir has them from the
// events.
func traitName(key []byte) []byte {
	switch string(bytes.TrimPrefix(key, []byte("initial_"))) {
	case "utm_campaign", "utm_content", "utm_id", "utm_medium", "utm_source", "utm_term", "referrer", "referring_domain",
		"dclid", "gbraid", "gclid", "fbclid", "ko_click_id", "li_fat_id", "msclkid", "rdt_cid", "ttclid", "twclid", "wbraid":
		return nil
	}
	return key
}

// finishIdentify adds an identify event. Of a device that is nobody's yet there is no profile to
// change: the browser's SDK sends its campaign.
func (a *decoder) finishIdentify() {
	c := a.readChanges(a.userProperties)
	switch {
	case a.HasDefect():
	case !a.Has(item.Profile) && !a.Has(item.Device):
		a.Defect(wire.ReasonIDMissing, "user_id or device_id")
	case !a.Has(item.Profile):
		a.Unsupported("properties of a device that is nobody's yet")
		return
	}
	a.Put(item.Name, weir.NameIdentify)
	some := a.storeChanges(&c, a.userProperties)
	if !some && len(c.unkept) > 0 && !a.HasDefect() {
		a.Unsupported(strings.Join(c.unkept, ", "))
		return
	}
	if a.FinishItem() && len(c.unkept) > 0 {
		a.UnsupportedExtra(strings.Join(c.unkept, ", "))
	}
}

// addIdentify adds an identify event if the current event, of another kind, also changes
// traits of a user. Its id is the event's id + ":set".
func (a *decoder) addIdentify() {
	if !a.userProperties.IsSet() {
		return
	}
	c := a.readChanges(a.userProperties)
	a.DropProperties()
	if a.Has(item.Profile) && a.storeChanges(&c, a.userProperties) {
		if a.Has(item.ID) {
			a.Put(item.ID, string(a.Get(item.ID)), ":set")
		}
		a.ClearAllBut(item.ID, item.Profile, item.Device, item.Session, item.IP, item.UserAgent, item.Library)
		a.Put(item.Name, weir.NameIdentify)
		a.Revenue = weir.Number{}
		a.FinishExtra()
	}
	if len(c.unkept) > 0 {
		a.UnsupportedExtra(strings.Join(c.unkept, ", "))
	}
}

// finishGroup adds a group event with the group's properties.
func (a *decoder) finishGroup() {
	a.ReadAt(a.groups, func() {
		a.ReadObject(func(key []byte) {
			if !a.groupType.Empty() { // an event is about one group
				a.Skip()
				return
			}
			a.groupType = a.AddText(item.Storable(key))
			if a.Peek() != '[' {
				a.groupValue = a.ReadText()
				return
			}
			a.ReadArray(func() {
				if at := a.ReadText(); a.groupValue.Empty() {
					a.groupValue = at
				}
			})
		})
	})
	if a.groupType.Empty() || a.groupValue.Empty() {
		a.Defect(wire.ReasonIDMissing, "groups: a type and a value")
	}
	c := a.readChanges(a.groupTraits)
	for _, o := range [...]struct {
		name string
		at   jsonscan.Mark
	}{{"$add", c.add}, {"$unset", c.unset}} {
		if o.at.IsSet() {
			c.unkept = append(c.unkept, o.name)
		}
	}
	if len(c.unkept) > 0 && !c.set.IsSet() && !c.setOnce.IsSet() && !c.plain && !a.HasDefect() {
		a.Unsupported(strings.Join(c.unkept, ", "))
		return
	}
	a.Put(item.Name, weir.NameGroup)
	a.KeepText("group_type", a.Text(a.groupType))
	a.KeepText("group_id", a.Text(a.groupValue))
	a.keepGroupTraits(c.set)
	a.keepGroupTraits(c.setOnce)
	if c.plain {
		a.keepGroupTraits(a.groupTraits)
	}
	if a.FinishItem() && len(c.unkept) > 0 {
		a.UnsupportedExtra(strings.Join(c.unkept, ", "))
	}
}

// keepGroupTraits adds the members of the object at a place as properties. The first of a
// name counts.
func (a *decoder) keepGroupTraits(at jsonscan.Mark) {
	a.ReadAt(at, func() {
		a.ReadObject(func(key []byte) {
			if len(key) > 0 && key[0] != '$' && a.NewPropertyKey(item.Storable(key)) {
				a.AppendValue("properties", 2)
			} else {
				a.Skip()
			}
		})
	})
}
