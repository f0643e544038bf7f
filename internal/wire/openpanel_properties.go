package wire

import (
	"slices"

	weir "github.com/weir-analytics/weir"
)

// openpanelGroupType stands for the type of a group where OpenPanel names the group
// alone: its ids are of one space.
const openpanelGroupType = "group"

// custom reads properties: what OpenPanel has a meaning for goes into the event's
// fields, its bookkeeping goes, and the rest is kept.
func (p *openpanel) custom() {
	if p.seek(openpanelProperties) {
		p.readProperties(p.consume)
	}
}

// take reads the value of a property that is not to be kept under its key.
func (p *openpanel) consume(key []byte) bool {
	if len(key) < 2 || key[0] != '_' || key[1] != '_' {
		return p.consumePlain(key)
	}
	switch string(key) {
	case "__path":
		p.read(fieldURL)
	case "__referrer":
		p.read(fieldReferrer)
	case "__title":
		p.read(fieldTitle)
	case "__timestamp":
		p.timed()
	case "__ip":
		p.read(fieldIP)
	case "__deviceId":
		p.device()
	case "__os":
		p.read(fieldOS)
	case "__osVersion":
		p.read(fieldOSVersion)
	case "__browser":
		p.read(fieldBrowser)
	case "__browserVersion":
		p.read(fieldBrowserVersion)
	case "__device":
		p.deviceType()
	case "__revenue":
		if cents, ok := p.decimal(); ok {
			p.revenue = cents / 100
		}
	case "__query":
		p.query()
	case "__identify":
		if p.peek() == '{' {
			p.identity = p.pos
		}
		p.skip()
	// OpenPanel's own notes, as its exports have them.
	case "__hash", "__reqId", "__user_agent", "__bot", "__bot_reasons":
		p.skip()
	default:
		return false
	}
	return true
}

// takePlain is take for the keys that users may have made up themselves.
func (p *openpanel) consumePlain(key []byte) bool {
	if string(key) == "currency" {
		return p.consumeCurrency()
	}
	switch p.item.kind {
	case openpanelKindTrack, openpanelKindOld:
		return p.consumeCampaign(key) || p.item.kind == openpanelKindOld && p.consumeOld(key) ||
			string(key) == propertyGroups && p.item.where[openpanelGroups] != 0 && p.skip()
	case openpanelKindIdentify:
		for k := openpanelFirstName; k <= openpanelAvatar; k++ {
			if p.item.where[k] != 0 && string(key) == openpanelKeyNames[k] {
				return p.skip()
			}
		}
	case openpanelKindGroup:
		switch string(key) {
		case "group_id":
			return p.skip()
		case "group_type":
			return p.item.where[openpanelType] != 0 && p.skip()
		case "name":
			return p.item.where[openpanelName] != 0 && p.skip()
		}
	}
	return false
}

// takeCampaign reads what says how a visitor came.
func (p *openpanel) consumeCampaign(key []byte) bool {
	switch string(key) {
	case "utm_source":
		p.read(fieldUTMSource)
	case "utm_medium":
		p.read(fieldUTMMedium)
	case "utm_campaign":
		p.read(fieldUTMCampaign)
	case "utm_term":
		p.read(fieldUTMTerm)
	case "utm_content":
		p.read(fieldUTMContent)
	default:
		return false
	}
	return true
}

// takeOld reads what SDKs sent before its names began with "__".
func (p *openpanel) consumeOld(key []byte) bool {
	switch string(key) {
	case "path":
		p.readFirst(fieldURL)
	case "referrer":
		p.readFirst(fieldReferrer)
	case "title":
		p.readFirst(fieldTitle)
	default:
		return false
	}
	return true
}

// query reads the query of the page's address, as an object.
func (p *openpanel) query() {
	if p.peek() != '{' {
		p.skip()
		return
	}
	for more := p.begin('}'); more; more = p.more('}') {
		if key, ok := p.field(); ok && !p.consumeCampaign(key) {
			p.skip()
		}
	}
}

// device reads a device id that the sender knows. OpenPanel takes up to 64 characters.
func (p *openpanel) device() {
	if p.peek() != '"' {
		p.skip()
		return
	}
	at := p.readText()
	from := len(p.text)
	if p.text = append(p.text, trimmed(p.text[at.from:at.to], 64)...); len(p.text) > from {
		p.at[fieldDevice] = span{from, len(p.text)}
	}
}

// deviceType reads a kind of device.
func (p *openpanel) deviceType() {
	at := p.readText()
	switch string(p.text[at.from:at.to]) {
	case "mobile", "phone", "smartphone":
		p.put(fieldDeviceType, weir.DevicePhone)
	case "tablet":
		p.put(fieldDeviceType, weir.DeviceTablet)
	case "desktop":
		p.put(fieldDeviceType, weir.DeviceDesktop)
	case "tv", "smarttv":
		p.put(fieldDeviceType, weir.DeviceTV)
	}
}

// takeCurrency reads what may be the currency of a revenue.
func (p *openpanel) consumeCurrency() bool {
	pos := p.pos
	if p.peek() != '"' || p.has(fieldCurrency) {
		return false
	}
	from := len(p.text)
	if at := p.readText(); at.to-at.from != 3 {
		p.text, p.pos = p.text[:from], pos
		return false
	}
	p.at[fieldCurrency] = span{from, len(p.text)}
	return true
}

// money settles whether there is a currency: without a revenue, it is a property like
// others.
func (p *openpanel) money() {
	if p.revenue == 0 && p.has(fieldCurrency) {
		p.keepText("currency", p.get(fieldCurrency))
		p.at[fieldCurrency] = span{}
	}
	p.draft.money()
}

// keepGroups keeps the groups that an event names: one, or a list.
func (p *openpanel) keepGroups() {
	if !p.seek(openpanelGroups) || p.peek() != '[' {
		return
	}
	before, keys := len(p.properties), len(p.keys)
	p.propertyKey(propertyGroups)
	p.properties = append(p.properties, `{"`+openpanelGroupType+`":`...)
	first, n := len(p.properties), 0
	for more := p.begin(']'); more; more = p.more(']') {
		at := p.readText()
		if at = p.truncate(fieldProfile, at); at.to == at.from {
			continue
		}
		if n++; n > 1 {
			p.properties = append(p.properties, ',')
		}
		p.properties = appendQuoted(p.properties, p.text[at.from:at.to])
	}
	switch {
	case n == 0:
		p.properties, p.keys = p.properties[:before], p.keys[:keys]
		return
	case n > 1:
		p.properties = append(slices.Insert(p.properties, first, '['), ']')
	}
	p.properties = append(p.properties, '}')
}
