package mixpanel

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// profile has what was read of a change of the traits of a user or a group, besides the
// fields of the Builder.
type profile struct {
	set, setOnce, add, unset jsonscan.Mark
	charge                   jsonscan.Mark // a payment that is appended to $transactions
	groupKey, groupID        item.Span
	unkept                   [5]bool // of unkeptChanges
}

// unkeptChanges are the changes that Weir does not make. Its traits are not lists, and only an
// admin of the project may delete a profile. For groups $unset is one of them too.
var unkeptChanges = [5]string{"$append", "$union", "$remove", "$delete", "$unset"}

// readProfile reads the object at the cursor.
func (m *decoder) readProfile() {
	m.event, m.profile = event{}, profile{}
	m.ReadObject(func(key []byte) {
		m.CheckSize()
		switch string(key) {
		case "$token", "token":
			m.noteToken()
		case "$distinct_id", "distinct_id":
			m.distinct = m.ReadText()
		case "$device_id":
			m.device = m.ReadText()
		case "$user_id":
			m.user = m.ReadText()
		case "$group_key":
			m.groupKey = m.ReadText()
		case "$group_id":
			m.groupID = m.ReadText()
		case "$time":
			m.ReadTime()
		case "$ip":
			m.readAddress()
		case "$set":
			m.set = m.Note()
		case "$set_once":
			m.setOnce = m.Note()
		case "$add":
			m.add = m.Note()
		case "$unset":
			m.unset = m.Note()
		case "$append":
			m.readAppend()
		default:
			for i, change := range unkeptChanges {
				m.unkept[i] = m.unkept[i] || string(key) == change
			}
			m.Skip()
		}
	})
	if m.Failed() {
		return
	}
	m.setSender("", "")
	m.setProfileID()
	if m.request.Route.Path == pathGroups {
		m.finishGroup()
	} else {
		m.finishUser()
	}
}

// setProfileID sets the id of a change, because Mixpanel's SDKs give it none. The query of a
// browser's request has the time of sending. So a request that arrives twice, because its answer
// was lost, is stored once.
func (m *decoder) setProfileID() {
	sentAt := m.request.Query().Get("_")
	if sentAt == "" || len(sentAt) > 32 {
		return
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %d ", sentAt, m.Count())
	h.Write(m.Since(m.ItemMark()))
	m.PutID(h.Sum(nil)[:16])
}

// readAppend reads what is appended to lists. A payment is appended to the list
// $transactions.
func (m *decoder) readAppend() {
	m.ReadObject(func(key []byte) {
		if string(key) == "$transactions" && m.Peek() == '{' {
			m.charge = m.Note()
			return
		}
		m.unkept[0] = true
		m.Skip()
	})
}

// finishUser adds an identify event with the traits, and an event for the payment.
func (m *decoder) finishUser() {
	m.Put(item.Name, weir.NameIdentify)
	if m.distinct.Empty() && m.user.Empty() {
		m.Defect(wire.ReasonIDMissing, "$distinct_id")
	}
	anonymous := m.setIDs()
	traits := m.storeTraits()
	unkept := m.unkeptNames()
	switch {
	case traits && anonymous:
		m.Defect(wire.ReasonIDMissing, "$distinct_id: a device that is nobody's yet has no traits")
	case traits, !m.charge.IsSet() && unkept == "", m.HasDefect():
	case m.charge.IsSet():
		m.readCharge()
		m.charge = jsonscan.Mark{}
	default:
		m.Unsupported(unkept)
		return
	}
	if !m.finishItem() {
		return
	}
	if m.charge.IsSet() {
		m.DropProperties()
		m.readCharge()
		m.FinishExtra()
	}
	if unkept != "" {
		m.UnsupportedExtra(unkept)
	}
}

// storeTraits stores the changes of traits. It reports whether there are any.
func (m *decoder) storeTraits() (some bool) {
	some = m.set.IsSet() && m.KeepRenamed("$set", m.set, traitName)
	some = m.setOnce.IsSet() && m.KeepRenamed("$set_once", m.setOnce, m.firstTraitName) || some
	some = m.add.IsSet() && m.KeepRenamed("$add", m.add, traitName) || some
	m.ReadAt(m.unset, func() {
		if m.Peek() != '[' {
			return
		}
		m.PropertyKey("$unset")
		m.AppendRaw("[")
		n := 0
		m.ReadArray(func() {
			name := traitName(m.ReadBrief())
			if len(name) == 0 || m.HasDefect() {
				return
			}
			if n++; n > 1 {
				m.AppendRaw(",")
			}
			m.AppendText(name)
			m.CheckSize()
		})
		m.AppendRaw("]")
		some = true
	})
	return some
}

// traitName returns the name of a trait: that of Mixpanel without the dollar sign, if it is a
// name, a mail address and the like. It is nil for what mixpanel-browser adds of itself, which Weir
// has from the events.
func traitName(key []byte) []byte {
	switch string(key) {
	case "$name", "$first_name", "$last_name", "$email", "$phone", "$avatar", "$created":
		return key[1:]
	case "$os", "$browser", "$browser_version", "$initial_referrer", "$initial_referring_domain":
		return nil
	}
	return key
}

// firstTraitName is traitName for $set_once. mixpanel-browser adds the first campaign, with
// null for what it does not have: Weir has it from the events.
func (m *decoder) firstTraitName(key []byte) []byte {
	if m.Peek() == 'n' || bytes.HasPrefix(key, []byte("initial_utm_")) {
		return nil
	}
	return traitName(key)
}

// unkeptNames returns the names of the changes that Weir cannot make.
func (m *decoder) unkeptNames() string {
	var names []string
	for i, change := range unkeptChanges {
		if m.unkept[i] {
			names = append(names, change)
		}
	}
	return strings.Join(names, ", ")
}

// readCharge makes the item an event for a payment: {"$amount", "$time", …}.
func (m *decoder) readCharge() {
	m.Put(item.Name, nameCharge)
	m.Revenue, m.Stamp = weir.Number{}, item.Stamp{}
	m.ReadAt(m.charge, func() {
		m.ReadProperties(func(key []byte) bool {
			switch string(key) {
			case "$amount":
				return m.readRevenue()
			case "$time":
				m.ReadTime()
				return true
			case "currency", "$currency":
				return m.ReadCurrency()
			}
			return false
		})
	})
	switch {
	case m.Stamp.Given: // it does not change when it is sent again
		sum := sha256.Sum256(m.Since(m.ItemMark()))
		m.PutID(sum[:16])
	case m.Has(item.ID):
		m.Put(item.ID, string(m.Get(item.ID)), ":charge")
	}
	if !m.Revenue.Known {
		m.Clear(item.Currency)
	}
}

// nameCharge is the name of the event for a payment: SDKs send it by track_charge.
const nameCharge = "charge"

// finishGroup adds a group event with the group's properties.
func (m *decoder) finishGroup() {
	m.Put(item.Name, weir.NameGroup)
	if m.groupKey.Empty() || m.groupID.Empty() {
		m.Defect(wire.ReasonIDMissing, "$group_key and $group_id")
	}
	m.unkept[4] = m.unset.IsSet()
	unkept := m.unkeptNames()
	if unkept != "" && !m.set.IsSet() && !m.setOnce.IsSet() && !m.HasDefect() {
		m.Unsupported(unkept)
		return
	}
	m.KeepText("group_type", m.Text(m.groupKey))
	m.KeepText("group_id", m.Text(m.groupID))
	for _, at := range [...]jsonscan.Mark{m.set, m.setOnce} {
		m.ReadAt(at, func() {
			m.ReadObject(func(key []byte) {
				if name := traitName(key); name != nil && m.NewPropertyKey(name) {
					m.AppendValue("properties", 2)
				} else {
					m.Skip()
				}
			})
		})
	}
	if m.finishItem() && unkept != "" {
		m.UnsupportedExtra(unkept)
	}
}
