package openpanel

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// identify reads what is known of a user.
func (p *decoder) identify() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.subject()
	for k := keyFirstName; k <= keyAvatar; k++ {
		if p.seek(k) {
			p.Keep(keyNames[k])
		}
	}
	p.custom()
	p.checkCurrency()
	p.finish(from, to)
}

// subject reads whom it is about, which these items must say.
func (p *decoder) subject() {
	p.readAt(keyProfileID, item.Profile)
	if !p.Has(item.Profile) {
		p.Defect(wire.ReasonIDMissing, "profileId: is required")
	}
}

// adds reads an increment or a decrement, by 1 if it does not say how much.
func (p *decoder) adds() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.subject()
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

// aliases reads the former id of a user. OpenPanel itself refuses these now.
func (p *decoder) aliases() {
	from, to := p.ItemMark(), p.item.end
	p.Put(item.Name, weir.NameIdentify)
	p.subject()
	if p.readAt(keyAlias, item.Alias); !p.Has(item.Alias) {
		p.Defect(wire.ReasonIDMissing, "alias: is required")
	}
	p.finish(from, to)
}

// group reads what is known of a group.
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
	p.custom()
	p.checkCurrency()
	p.finish(from, to)
}

// assigns reads that a user belongs to groups: an event for each.
func (p *decoder) assigns() {
	from, to := p.ItemMark(), p.item.end
	if !p.seek(keyGroupIDs) || p.Peek() != '[' {
		p.refused(wire.ReasonWrongType, "groupIds: want an array")
		p.Seek(to)
		return
	}
	for more := p.Begin(']'); more; more = p.More(']') {
		at := p.Note()
		next := p.Mark()
		p.Seek(at)
		p.starts()
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
