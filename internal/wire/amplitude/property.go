package amplitude

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// property reads a property of an event that Weir has a field for. Otherwise it returns
// false, and the property is stored under its name.
func (a *decoder) property(key []byte) bool {
	switch string(key) {
	case "[Amplitude] Page Location": // with the query
		a.Read(item.URL)
		a.location = true
	case "[Amplitude] Page URL":
		if a.location {
			return a.Skip()
		}
		a.Read(item.URL)
	case "[Amplitude] Page Path":
		a.path = a.ReadText()
	case "[Amplitude] Page Title":
		a.Read(item.Title)
	case "[Amplitude] Screen Name":
		a.Read(item.Title)
		a.path = a.AddText(a.Get(item.Title))
	case "[Amplitude] Page Domain", "[Amplitude] Page Counter", "[Amplitude] Page View ID", "[Amplitude] Session Replay ID",
		"[Amplitude] Previous Page Location", "[Amplitude] Previous Page Type":
		a.Skip()
	case "$revenue":
		return a.readSum(&a.revenue)
	case "$price":
		return a.readSum(&a.price)
	case "$quantity":
		return a.readSum(&a.quantity)
	case "$currency", "currency":
		return a.ReadCurrency()
	case "$productId":
		a.keepExtra("productId")
	case "$revenueType":
		a.keepExtra("revenueType")
	case "$receipt", "$receiptSig":
		a.Skip()
	default:
		return (a.kind == kindView || a.web) && a.originProperty(key)
	}
	return true
}

// originProperty reads a property that the browser's SDK adds to all events: the referrer and
// the campaign.
func (a *decoder) originProperty(key []byte) bool {
	switch string(key) {
	case "referrer":
		a.Read(item.Referrer)
	case "referring_domain":
		a.Skip()
	default:
		return a.ReadCampaign(key)
	}
	return true
}

// readSum reads a number. It returns false, and leaves the value, if it is none.
func (a *decoder) readSum(n *weir.Number) bool {
	return a.Try(func() bool {
		f, ok := a.ReadDecimal()
		if ok {
			*n = weir.Known(f)
		}
		return ok
	})
}
