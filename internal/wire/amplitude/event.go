package amplitude

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// eventKind is the meaning of an event.
type eventKind uint8

const (
	kindCustom eventKind = iota
	kindView
	kindIdentify
	kindGroup
)

func kindOf(name []byte) eventKind {
	switch string(name) {
	case "[Amplitude] Page Viewed", "[Amplitude] Screen Viewed":
		return kindView
	case "$identify":
		return kindIdentify
	case "$groupidentify":
		return kindGroup
	}
	return kindCustom
}

// event has what was read of an event, besides the fields of the Builder.
type event struct {
	kind           eventKind
	properties     jsonscan.Mark
	userProperties jsonscan.Mark
	groups         jsonscan.Mark
	groupTraits    jsonscan.Mark

	groupType, groupValue item.Span // of a form
	platform, model       item.Span
	appVersion            item.Span
	path                  item.Span
	location              bool // the address has its query
	web                   bool // the browser's SDK sent it

	revenue, price, quantity weir.Number
}

// readEvent reads the object at the cursor. What the properties mean depends on the event's
// type, which may stand after them.
func (a *decoder) readEvent() {
	a.ReadObject(func(key []byte) {
		a.CheckSize()
		switch string(key) {
		case "event_type":
			a.Read(item.Name)
			a.kind = kindOf(a.Get(item.Name))
		case "event_properties":
			a.properties = a.Note()
		case "insert_id":
			a.Read(item.ID)
		case "time":
			a.ReadTime()
		case "session_id":
			if a.Read(item.Session); string(a.Get(item.Session)) == "-1" { // none
				a.Clear(item.Session)
			}
		case "user_agent":
			a.Read(item.UserAgent)
		case "library":
			a.Read(item.Library)
		case "revenue":
			a.revenue = a.ReadNumber()
		case "price":
			a.price = a.ReadNumber()
		case "quantity":
			a.quantity = a.ReadNumber()
		case "currency":
			if !a.ReadCurrency() {
				a.Skip()
			}
		case "group_properties":
			a.groupTraits = a.Note()
		case "productId":
			a.keepExtra("productId")
		case "revenueType":
			a.keepExtra("revenueType")
		default:
			a.readWho(key)
		}
	})
}

// keepExtra adds the value at the cursor as a property, if it is a text or a number.
func (a *decoder) keepExtra(name string) {
	if at := a.ReadText(); !at.Empty() {
		a.KeepFirst(name, a.Text(at))
	}
}

// readWho reads a field that events and identifications have.
func (a *decoder) readWho(key []byte) {
	switch string(key) {
	case "user_id":
		a.Read(item.Profile)
	case "device_id":
		a.Read(item.Device)
	case "user_properties":
		a.userProperties = a.Note()
	case "groups":
		a.groups = a.Note()
	case "ip":
		a.Read(item.IP)
	case "language":
		a.Read(item.Language)
	case "country":
		a.Read(item.Country)
	case "region":
		a.Read(item.Region)
	case "city":
		a.Read(item.City)
	case "os_name":
		a.Read(item.OS)
	case "os_version":
		a.Read(item.OSVersion)
	case "platform":
		a.platform = a.ReadText()
	case "device_model":
		a.model = a.ReadText()
	case "app_version", "version_name":
		a.appVersion = a.ReadText()
	default:
		a.Skip()
	}
}

// readIdentification reads an object of /identify.
func (a *decoder) readIdentification() {
	a.kind = kindIdentify
	a.Put(item.Name, "$identify")
	a.ReadObject(a.readWho)
}

// readGroupIdentification reads an object of /groupidentify.
func (a *decoder) readGroupIdentification() {
	a.kind = kindGroup
	a.Put(item.Name, "$groupidentify")
	a.ReadObject(func(key []byte) {
		switch string(key) {
		case "group_type":
			a.groupType = a.ReadText()
		case "group_value":
			a.groupValue = a.ReadText()
		case "group_properties":
			a.groupTraits = a.Note()
		default:
			a.Skip()
		}
	})
}

// finish adds the events that the item stands for, or a rejection.
func (a *decoder) finish() {
	a.setSender()
	if !a.Has(item.Name) {
		a.Defect(wire.ReasonNameMissing, "event_type")
	}
	switch a.kind {
	case kindIdentify:
		a.finishIdentify()
		return
	case kindGroup:
		a.finishGroup()
		return
	}
	if !a.Has(item.Profile) && !a.Has(item.Device) {
		a.Defect(wire.ReasonIDMissing, "user_id or device_id")
	}
	if a.kind == kindView {
		a.Put(item.Name, weir.NameScreenView)
	}
	a.ReadAt(a.properties, func() { a.ReadProperties(a.property) })
	if !a.Has(item.URL) {
		a.Set(item.Path, a.path)
	}
	a.setRevenue()
	a.storeContext()
	if a.FinishItem() {
		a.addIdentify()
	}
}

// setRevenue sets the revenue: the price times the quantity, else the revenue that is given.
// Price and quantity are properties, too.
func (a *decoder) setRevenue() {
	a.Revenue = a.revenue
	if a.price.Known {
		quantity := 1.0
		if a.quantity.Known {
			quantity = a.quantity.Value
		}
		if sum := a.price.Value * quantity; sum-sum == 0 { // finite
			a.Revenue = weir.Known(sum)
		}
	}
	a.keepNumber("price", a.price)
	a.keepNumber("quantity", a.quantity)
	if a.Has(item.Currency) && !a.Revenue.Known {
		at := a.Span(item.Currency)
		a.Clear(item.Currency)
		a.KeepFirst("currency", a.Text(at))
	}
}

// keepNumber adds a number as a property, if it is known.
func (a *decoder) keepNumber(name string, n weir.Number) {
	if n.Known && a.Absent(name) {
		a.PropertyKey(name)
		a.AppendFloat(n.Value, 'g')
	}
}

// storeContext adds properties for the groups, the app's version and the device's model.
func (a *decoder) storeContext() {
	a.KeepFirst("context_app_version", a.Text(a.appVersion))
	if a.Client && !a.page || a.Reported {
		a.KeepFirst("context_device_model", a.Text(a.model))
	}
	a.ReadAt(a.groups, func() {
		if a.Peek() == '{' && a.Absent(item.PropertyGroups) {
			a.Keep(item.PropertyGroups)
		}
	})
}
