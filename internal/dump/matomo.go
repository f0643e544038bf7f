package dump

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// matomo reads visits with their actions, as the API method
// Live.getLastVisitsDetails answers them as JSON.
// Source: developer.matomo.org/api-reference/reporting-api#Live, and
// plugins/Live, plugins/Actions, plugins/Events, plugins/Goals and
// plugins/Ecommerce (VisitorDetails.php) of github.com/matomo-org/matomo.
type matomo struct{}

func (matomo) pages() ([]string, string) { return nil, "" }

func (matomo) fits(r row) bool { return r.has("idVisit", "actionDetails") }

func (matomo) wanted() string {
	return "the JSON of Live.getLastVisitsDetails: visits with idVisit and actionDetails"
}

func (matomo) refuse(_ string, r row) error {
	if r.text("result") == "error" {
		return fmt.Errorf("this is an error of Matomo's, not an export: %s", r.text("message"))
	}
	if r.has("idVisit") && !r.has("actionDetails") {
		return errors.New("the visits have no actionDetails: export them as JSON, without flat=1 and doNotFetchActions=1")
	}
	return nil
}

func (matomo) read(r row, out *recordEvents) error {
	visit := r.text("idVisit")
	if visit == "" {
		return errors.New("there is no idVisit")
	}
	v := matomoVisit{r: r, id: visit, currency: r.text("siteCurrency")}
	left := ""
	for i, x := range r.list("actionDetails") {
		m, ok := x.(map[string]any)
		if !ok {
			return fmt.Errorf("action %d is no object", i+1)
		}
		if what, err := v.action(i, row{m, r.zone}, out); err != nil {
			return fmt.Errorf("action %d: %w", i+1, err)
		} else if what != "" {
			left = what
		}
	}
	if len(out.events) == 0 {
		if left == "" {
			left = "visits without actions"
		}
		out.skip(left)
	}
	return nil
}

// matomoVisit is a visit whose actions are read.
type matomoVisit struct {
	r        row
	id       string
	currency string
	paged    bool // a page came
}

// action adds the event of an action. left names the kind of an action that makes no event.
func (v *matomoVisit) action(i int, a row, out *recordEvents) (left string, err error) {
	at, err := a.time("timestamp")
	if errors.Is(err, errNoTime) {
		at, err = v.r.time("serverTimestamp", "firstActionTimestamp")
	}
	if err != nil {
		return "", err
	}
	p := map[string]any{}
	var name string
	switch kind := a.text("type"); kind {
	case "action":
		name = weir.NameScreenView
	case "event":
		name = a.text("eventAction", "eventCategory")
		put(p, "category", a.text("eventCategory"))
		put(p, "name", a.text("eventName"))
		number(p, "value", a, "eventValue")
	case "outlink", "download":
		name = kind
		put(p, "url", a.text("url"))
	case "search":
		name = "search"
		put(p, "query", a.text("siteSearchKeyword"))
		put(p, "category", a.text("siteSearchCategory"))
		number(p, "count", a, "siteSearchCount")
	case "goal":
		name = "goal"
		put(p, "goal", a.text("goalName"))
		number(p, "goal_id", a, "goalId")
	case "ecommerceOrder":
		name = "purchase"
		put(p, "order_id", a.text("orderId"))
	case "ecommerceAbandonedCart": // nobody paid
		name = "cart_update"
		number(p, "value", a, "revenue")
	case "content", "contentImpression", "contentInteraction":
		name = "content_impression"
		if kind == "contentInteraction" || a.text("contentInteraction") != "" {
			name = "content_interaction"
		}
		put(p, "content_name", a.text("contentName"))
		put(p, "content_piece", a.text("contentPiece"))
		put(p, "content_target", a.text("contentTarget"))
		put(p, "interaction", a.text("contentInteraction"))
	case "":
		return "", errors.New("there is no type")
	default:
		return "actions of the type " + kind, nil
	}
	in := v.newEvent(i, name, at, p, out)
	if name == weir.NameScreenView || a.text("type") == "event" || a.text("type") == "search" {
		in.Source.URL = a.text("url")
		in.Event.Title = a.text("pageTitle")
	}
	if name == "goal" || name == "purchase" {
		amount, ok := a.number("revenue")
		ok = ok && (amount != 0 || name == "purchase") // Matomo writes 0 for a goal without revenue
		money(&in.Event, amount, ok, v.currency)
	}
	for name, field := range map[string]string{"subtotal": "revenueSubTotal", "tax": "revenueTax", "shipping": "revenueShipping", "discount": "revenueDiscount"} {
		number(p, name, a, field)
	}
	if items := a.list("itemDetails"); len(items) > 0 {
		p["items"] = items
	}
	for n := range 20 {
		key := "dimension" + strconv.Itoa(n+1)
		put(p, key, a.text(key))
	}
	return "", nil
}

// newEvent adds an event to out, with the fields that all actions of the visit share. i is the
// index of the action.
func (v *matomoVisit) newEvent(i int, name string, at time.Time, p map[string]any, out *recordEvents) *weir.Incoming {
	r := v.r
	in := out.add(name, at, p)
	e, s := &in.Event, &in.Source
	site := r.text("idSite")
	e.ID = "matomo_" + site + "_" + v.id + "_" + strconv.Itoa(i)
	e.DeviceID, e.ProfileID, e.SessionID = r.text("visitorId", "fingerprint"), r.text("userId"), v.id
	if e.DeviceID == "false" { // in an export by a user who may not see the ids of visitors
		e.DeviceID = ""
	}
	if e.DeviceID == "" && e.ProfileID == "" {
		e.DeviceID = "visit_" + v.id
	}
	s.IP = r.text("visitIp")
	e.Country, e.Region, e.City = r.text("countryCode"), none(r.text("region")), none(r.text("city"))
	agent(e, r.text("browserName"), r.text("browserVersion"), r.text("operatingSystemName"), r.text("operatingSystemVersion"), r.text("deviceType"))
	e.Language = r.text("languageCode")
	e.Library = "matomo"
	put(p, "screen", matomoScreen(r.text("resolution")))
	if name == weir.NameScreenView && !v.paged { // the first page of the visit gets the visit's referrer and campaign
		v.paged = true
		s.Referrer = r.text("referrerUrl")
		if r.text("referrerType") == "campaign" {
			e.UTMCampaign, e.UTMTerm = r.text("campaignName", "referrerName"), r.text("campaignKeyword", "referrerKeyword")
			e.UTMSource, e.UTMMedium, e.UTMContent = r.text("campaignSource"), r.text("campaignMedium"), r.text("campaignContent")
		}
	}
	return in
}

// number keeps a field that is a number.
func number(properties map[string]any, name string, r row, field string) {
	if f, ok := r.number(field); ok {
		properties[name] = f
	}
}

func matomoScreen(text string) string {
	if w, h, ok := strings.Cut(text, "x"); ok {
		return screen(w, h)
	}
	return ""
}
