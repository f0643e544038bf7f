package wire

import (
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// identify reads what is known of a user.
func (p *openpanel) identify() {
	from, to := p.start, p.item.end
	p.put(fieldName, weir.NameIdentify)
	p.subject()
	for k := openpanelFirstName; k <= openpanelAvatar; k++ {
		if p.seek(k) {
			p.keep(openpanelKeyNames[k])
		}
	}
	p.custom()
	p.money()
	p.settles(from, to)
}

// subject reads whom it is about, which these items must say.
func (p *openpanel) subject() {
	p.readAt(openpanelProfileID, fieldProfile)
	if !p.has(fieldProfile) {
		p.defect(ReasonIDMissing, "profileId: is required")
	}
}

// adds reads an increment or a decrement, by 1 if it does not say how much.
func (p *openpanel) adds() {
	from, to := p.start, p.item.end
	p.put(fieldName, weir.NameIdentify)
	p.subject()
	by := 0.0
	if p.seek(openpanelValue) {
		by, _ = p.decimal()
	}
	if by == 0 {
		by = 1
	}
	if p.item.kind == openpanelKindDecrement {
		by = -by
	}
	var trait span
	if p.seek(openpanelProperty) {
		trait = p.readText()
	}
	if trait.to == trait.from {
		p.defect(ReasonWrongType, "property: is required")
	}
	p.propertyKey("$add")
	p.properties = appendQuoted(append(p.properties, '{'), p.text[trait.from:trait.to])
	p.properties = strconv.AppendFloat(append(p.properties, ':'), by, 'g', -1, 64)
	p.properties = append(p.properties, '}')
	p.settles(from, to)
}

// aliases reads the former id of a user. OpenPanel itself refuses these now.
func (p *openpanel) aliases() {
	from, to := p.start, p.item.end
	p.put(fieldName, weir.NameIdentify)
	p.subject()
	if p.readAt(openpanelAlias, fieldAlias); !p.has(fieldAlias) {
		p.defect(ReasonIDMissing, "alias: is required")
	}
	p.settles(from, to)
}

// group reads what is known of a group.
func (p *openpanel) group() {
	from, to := p.start, p.item.end
	p.put(fieldName, weir.NameGroup)
	var id span
	if p.seek(openpanelID) {
		id = p.readText()
	}
	if id.to == id.from {
		p.defect(ReasonIDMissing, "id: is required")
	}
	if p.seek(openpanelType) {
		if at := p.readText(); at.to > at.from {
			p.keepText("group_type", p.text[at.from:at.to])
		}
	}
	p.keepText("group_id", p.text[id.from:id.to])
	if p.seek(openpanelName) {
		p.keep("name")
	}
	p.custom()
	p.money()
	p.settles(from, to)
}

// assigns reads that a user belongs to groups: an event for each.
func (p *openpanel) assigns() {
	from, to := p.start, p.item.end
	if !p.seek(openpanelGroupIDs) || p.peek() != '[' {
		p.refused(ReasonWrongType, "groupIds: want an array")
		p.pos = to
		return
	}
	for more := p.begin(']'); more; more = p.more(']') {
		at := p.pos
		p.skip()
		next := p.pos
		p.pos = at
		p.starts()
		p.put(fieldName, weir.NameGroup)
		id := p.readText()
		if id.to == id.from {
			p.defect(ReasonIDMissing, "groupIds: an id is missing")
		}
		p.keepText("group_type", []byte(openpanelGroupType))
		p.keepText("group_id", p.text[id.from:id.to])
		p.readAt(openpanelProfileID, fieldProfile)
		p.settles(from, next)
		if p.items > p.limits.Events {
			break
		}
	}
	p.pos = to
}
