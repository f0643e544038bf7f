package openpanel

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// identify reads the traits of a user.
func (p *decoder) identify() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.readProfile()
	for k := keyFirstName; k <= keyAvatar; k++ {
		if p.seek(k) {
			p.Keep(keyNames[k])
		}
	}
	p.readCustom()
	p.checkCurrency()
	p.finish(from, to)
}

// readProfile reads the user's id, which these items must have.
func (p *decoder) readProfile() {
	p.readAt(keyProfileID, item.Profile)
	if !p.Has(item.Profile) {
		p.Defect(wire.ReasonIDMissing, "profileId: is required")
	}
}

// increment reads an increment or a decrement of a trait. Without a value it is by 1.
func (p *decoder) increment() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.readProfile()
	by := 0.0
	if p.seek(keyValue) {
		by, _ = p.ReadDecimal()
	}
	if by == 0 {
		by = 1
	}
	if p.item.kind == kindDecrement {
		by = -by
	}
	var trait item.Span
	if p.seek(keyProperty) {
		trait = p.ReadText()
	}
	if trait.Empty() {
		p.Defect(wire.ReasonWrongType, "property: is required")
	}
	p.PropertyKey("$add")
	p.AppendRaw("{")
	p.AppendText(p.Text(trait))
	p.AppendRaw(":")
	p.AppendFloat(by, 'g')
	p.AppendRaw("}")
	p.finish(from, to)
}

// alias reads the former id of a user. OpenPanel itself rejects these now.
func (p *decoder) alias() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.readProfile()
	if p.readAt(keyAlias, item.Alias); !p.Has(item.Alias) {
		p.Defect(wire.ReasonIDMissing, "alias: is required")
	}
	p.finish(from, to)
}

// group reads the properties of a group.
func (p *decoder) group() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameGroup)
	var id item.Span
	if p.seek(keyID) {
		id = p.ReadText()
	}
	if id.Empty() {
		p.Defect(wire.ReasonIDMissing, "id: is required")
	}
	if p.seek(keyType) {
		if at := p.ReadText(); !at.Empty() {
			p.KeepText("group_type", p.Text(at))
		}
	}
	p.KeepText("group_id", p.Text(id))
	if p.seek(keyName) {
		p.Keep("name")
	}
	p.readCustom()
	p.checkCurrency()
	p.finish(from, to)
}

// assignGroups reads the groups that a user belongs to. It adds an event for each.
func (p *decoder) assignGroups() {
	from, to := p.ItemMark(), p.item.end
	if !p.seek(keyGroupIDs) || p.Peek() != '[' {
		p.reject(wire.ReasonWrongType, "groupIds: want an array")
		p.Seek(to)
		return
	}
	for more := p.Begin(']'); more; more = p.More(']') {
		at := p.Note()
		next := p.Mark()
		p.Seek(at)
		p.startEvent()
		p.Put(item.Name, weir.NameGroup)
		id := p.ReadText()
		if id.Empty() {
			p.Defect(wire.ReasonIDMissing, "groupIds: an id is missing")
		}
		p.KeepText("group_type", []byte(groupType))
		p.KeepText("group_id", p.Text(id))
		p.readAt(keyProfileID, item.Profile)
		p.finish(from, next)
		if p.Full() {
			break
		}
	}
	p.Seek(to)
}
