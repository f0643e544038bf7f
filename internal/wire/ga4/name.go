package ga4

import (
	weir "github.com/weir-analytics/weir"
)

// Name is Weir's name of an event that has another one with Google, or the name
// itself. session_start, first_visit and first_open are events of these names, whether
// somebody sends them or Google made them.
func Name(name string) string {
	switch name {
	case "page_view":
		return weir.NameScreenView
	case "user_engagement": // what gtag sends of a page that is left
		return weir.NameScreenLeave
	}
	return name
}

// RevenueSign is 1 for an event of Google's that brings money, -1 for one that gives it
// back, else 0.
func RevenueSign(name string) float64 {
	switch name {
	case "purchase", "ecommerce_purchase", "in_app_purchase":
		return 1
	case "refund", "purchase_refund":
		return -1
	}
	return 0
}
