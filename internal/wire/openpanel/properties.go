package openpanel

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// groupType is the type of a group for which OpenPanel sends no type. Its ids are unique
// without one.
const groupType = "group"

// readCustom reads properties. Those with a meaning for OpenPanel become fields, its internal
// ones are dropped, and the others are stored.
func (p *decoder) readCustom() {
	if p.seek(keyProperties) {
		p.ReadProperties(p.consume)
	}
}

// consume reads a property that is not stored under its key, and returns true.
func (p *decoder) consume(key []byte) bool {
	if len(key) < 2 || key[0] != '_' || key[1] != '_' {
		return p.consumePlain(key)
	}
	switch string(key) {
	case "__path":
		p.Read(item.URL)
	case "__referrer":
		p.Read(item.Referrer)
	case "__title":
		p.Read(item.Title)
	case "__timestamp":
		p.ReadTime()
	case "__ip":
		p.Read(item.IP)
	case "__deviceId":
		p.device()
	case "__os":
		p.Read(item.OS)
	case "__osVersion":
		p.Read(item.OSVersion)
	case "__browser":
		p.Read(item.Browser)
	case "__browserVersion":
		p.Read(item.BrowserVersion)
	case "__device":
		p.deviceType()
	case "__revenue":
		if cents, ok := p.ReadDecimal(); ok {
			p.Revenue = weir.Known(cents / 100)
		}
	case "__query":
		p.query()
	case "__identify":
		if p.Peek() == '{' {
			p.identity = p.Mark()
		}
		p.Skip()
	// OpenPanel adds these itself; its exports have them.
	case "__hash", "__reqId", "__user_agent", "__bot", "__bot_reasons":
		p.Skip()
	default:
		return false
	}
	return true
}

// consumePlain is consume for keys that users may have chosen.
func (p *decoder) consumePlain(key []byte) bool {
	if string(key) == "currency" {
		return p.consumeCurrency()
	}
	switch p.item.kind {
	case kindTrack, kindOld:
		return p.ReadCampaign(key) || p.item.kind == kindOld && p.consumeOld(key) ||
			string(key) == item.PropertyGroups && p.item.where[keyGroups].IsSet() && p.Skip()
	case kindIdentify:
		for k := keyFirstName; k <= keyAvatar; k++ {
			if p.item.where[k].IsSet() && string(key) == keyNames[k] {
				return p.Skip()
			}
		}
	case kindGroup:
		switch string(key) {
		case "group_id":
			return p.Skip()
		case "group_type":
			return p.item.where[keyType].IsSet() && p.Skip()
		case "name":
			return p.item.where[keyName].IsSet() && p.Skip()
		}
	}
	return false
}

// consumeOld reads the keys that old SDKs send without "__".
func (p *decoder) consumeOld(key []byte) bool {
	switch string(key) {
	case "path":
		p.ReadFirst(item.URL)
	case "referrer":
		p.ReadFirst(item.Referrer)
	case "title":
		p.ReadFirst(item.Title)
	default:
		return false
	}
	return true
}

// query reads the query of the page's address, as an object.
func (p *decoder) query() {
	if p.Peek() != '{' {
		p.Skip()
		return
	}
	for more := p.Begin('}'); more; more = p.More('}') {
		if key, ok := p.Key(); ok && !p.ReadCampaign(key) {
			p.Skip()
		}
	}
}

// device reads the device's id. OpenPanel takes up to 64 bytes.
func (p *decoder) device() {
	if p.Peek() != '"' {
		p.Skip()
		return
	}
	if id := trimmed(p.ReadBrief(), 64); len(id) > 0 {
		p.SetText(item.Device, id)
	}
}

// deviceType reads a kind of device.
func (p *decoder) deviceType() {
	switch string(p.ReadBrief()) {
	case "mobile", "phone", "smartphone":
		p.Put(item.DeviceType, weir.DevicePhone)
	case "tablet":
		p.Put(item.DeviceType, weir.DeviceTablet)
	case "desktop":
		p.Put(item.DeviceType, weir.DeviceDesktop)
	case "tv", "smarttv":
		p.Put(item.DeviceType, weir.DeviceTV)
	}
}

// consumeCurrency reads what may be the currency of a revenue.
func (p *decoder) consumeCurrency() bool {
	if p.Peek() != '"' || p.Has(item.Currency) {
		return false
	}
	return p.Try(func() bool {
		code := p.ReadBrief()
		if len(code) == 3 {
			p.SetText(item.Currency, code)
		}
		return len(code) == 3
	})
}

// checkCurrency drops a currency that is none. Without a revenue it is a property like
// others.
func (p *decoder) checkCurrency() {
	if !p.Revenue.Known && p.Has(item.Currency) {
		p.KeepText("currency", p.Get(item.Currency))
		p.Clear(item.Currency)
	}
	p.CheckCurrency()
}

// keepGroups keeps the groups that an event names, as one id or a list of ids.
func (p *decoder) keepGroups() {
	if !p.seek(keyGroups) || p.Peek() != '[' {
		return
	}
	before := p.MarkProperties()
	p.PropertyKey(item.PropertyGroups)
	p.AppendRaw(`{"` + groupType + `":`)
	var first item.Span
	n := 0
	p.ReadArray(func() {
		id := p.Truncate(item.Profile, p.ReadText())
		if id.Empty() {
			return
		}
		switch n++; n {
		case 1:
			first = id
			return
		case 2:
			p.AppendRaw("[")
			p.AppendText(p.Text(first))
		}
		p.AppendRaw(",")
		p.AppendText(p.Text(id))
	})
	switch n {
	case 0:
		p.UndoProperties(before)
		return
	case 1:
		p.AppendText(p.Text(first))
	default:
		p.AppendRaw("]")
	}
	p.AppendRaw("}")
}
