package ingest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/protocols"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/sharedpath"
	"github.com/weir-analytics/weir/internal/wire/umami"
)

// visitor is who the story is of, with an address that is in a country.
var visitor = ingest.Remote{
	IP:        "8.8.8.8",
	UserAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
}

// The story, by what happens in it.
const (
	itView     = "view"     // a page is looked at
	itClick    = "click"    // an event of the site's own, 10 minutes ago
	itBuy      = "buy"      // one that brings money
	itIdentify = "identify" // the visitor says who she is
	itAlias    = "alias"    // and who she was before
	itGroup    = "group"    // what is known of a company
	itLeave    = "leave"    // the page is left
)

var story = []string{itView, itClick, itBuy, itIdentify, itAlias, itGroup, itLeave}

// told is what an event says, as reports count it.
type told struct {
	Name                                                   string
	Ago                                                    time.Duration // by the server's clock
	Profile, Device, Session                               string
	Path, Origin, Title, Referrer, Channel                 string
	UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent string
	Country, Browser, OS, DeviceType, Language             string
	Revenue                                                float64
	Currency                                               string
	Properties                                             map[string]any
	Traits                                                 []string // what it changes of a profile
	Alias                                                  string
}

// meant is what each part of the story says when all of it can be said.
func meant() map[string]told {
	page := told{
		Device: "d-1", Session: "1767225600", Path: "/pricing", Origin: "https://shop.example", Title: "Pricing", Referrer: "blog.example.org",
		Channel: weir.ChannelEmail, UTMSource: "news", UTMMedium: "email", UTMCampaign: "spring", UTMTerm: "shoes", UTMContent: "top",
		Country: "US", Browser: "Chrome", OS: "macOS", DeviceType: weir.DeviceDesktop, Language: "de-AT",
		Properties: map[string]any{"screen": "1440x900"},
	}
	out := map[string]told{}
	for _, part := range story {
		x := page
		x.Properties = maps.Clone(page.Properties)
		switch part {
		case itView:
			x.Name = weir.NameScreenView
		case itLeave:
			x.Name = weir.NameScreenLeave
		case itClick:
			x.Name, x.Ago = "plan_chosen", 10*time.Minute
			x.Properties["plan"], x.Properties["seats"] = "pro", 3.0
		case itBuy:
			x.Name, x.Revenue, x.Currency = "purchase", 12.5, "EUR"
			x.Properties["order_id"] = "o-1"
		case itIdentify:
			x.Name, x.Profile, x.Properties = weir.NameIdentify, "ada", nil
			x.Traits = []string{"set email=ada@example.org", "set plan=pro"}
		case itAlias:
			x.Name, x.Profile, x.Properties, x.Alias = weir.NameIdentify, "ada", nil, "ada-before"
		case itGroup:
			x.Name, x.Profile = weir.NameGroup, "ada"
			x.Properties = map[string]any{"group_type": "company", "group_id": "acme", "name": "Acme"}
		}
		out[part] = x
	}
	return out
}

// saying is a request that tells a part of the story.
type saying struct {
	part, method, target, body string
	headers                    map[string]string
}

// telling is the story in a vendor's words.
type telling struct {
	protocol wire.Protocol
	library  string
	sayings  []saying
	// but are differences that the vendor's own words make: what it has no word for.
	but func(part string, x *told)
}

func tellings(now time.Time) map[string]telling {
	ahead := now.Add(time.Hour) // the visitor's clock
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	const address = `https://shop.example/pricing?utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top`
	const referrer = `https://www.blog.example.org/post?x=1`
	fill := strings.NewReplacer("ADDRESS", address, "REFERRER", referrer, "SENT", stamp(ahead), "NOW", stamp(ahead), "THEN", stamp(ahead.Add(-10*time.Minute))).Replace

	byPosthog := func(part, event, properties string) saying {
		when := "NOW"
		if part == itClick {
			when = "THEN"
		}
		body := fill(`{"api_key":"wk_a","batch":[{"event":"` + event + `","uuid":"` + part + `","timestamp":"` + when + `","properties":{"token":"wk_a",` +
			`"$current_url":"ADDRESS","$host":"shop.example","$pathname":"/pricing","$referrer":"REFERRER","$referring_domain":"www.blog.example.org",` +
			`"$raw_user_agent":"` + visitor.UserAgent + `","$os":"Mac OS X","$browser":"Chrome","$device_type":"Desktop","$browser_language":"de-AT","$screen_width":1440,"$screen_height":900,` +
			`"$lib":"web","$lib_version":"1.430.0","$device_id":"d-1","$session_id":"1767225600","$window_id":"w","$is_identified":` + fmt.Sprint(strings.Contains(properties, `"ada"`)) + `,` + properties + `}}],"sent_at":"SENT"}`)
		return saying{part, "POST", "/e/?ip=0&ver=1.430.0", body, map[string]string{"Content-Type": "text/plain"}}
	}

	bySegment := func(part, kind, rest string) saying {
		when := "NOW"
		if part == itClick {
			when = "THEN"
		}
		return saying{part, "POST", "/v1/" + kind, fill(`{"type":"` + kind + `","messageId":"` + part + `","anonymousId":"d-1","timestamp":"` + when + `","sentAt":"SENT","writeKey":"wk_a",` +
			`"context":{"page":{"path":"/pricing","referrer":"REFERRER","search":"","title":"Pricing","url":"ADDRESS"},"userAgent":"` + visitor.UserAgent + `","locale":"de-AT",` +
			`"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"screen":{"width":1440,"height":900},"sessionId":1767225600},` + rest + `}`), nil}
	}

	panel := func(part, kind, payload string) saying {
		when := ""
		if part == itClick {
			when = `"__timestamp":"` + stamp(now.Add(-10*time.Minute)) + `",`
		}
		payload = strings.Replace(payload, "PAGE", when+`"__path":"ADDRESS","__title":"Pricing","__referrer":"REFERRER","__deviceId":"d-1"`, 1)
		headers := map[string]string{"openpanel-client-id": "wk_a", "openpanel-sdk-name": "web", "openpanel-sdk-version": "1.4.1", "Accept-Language": "de-AT,de;q=0.9"}
		return saying{part, "POST", "/track", fill(`{"type":"` + kind + `","payload":` + payload + `}`), headers}
	}

	byPlausible := func(part, rest string) saying {
		return saying{part, "POST", "/api/event", fill(`{"v":36,"u":"ADDRESS","d":"wk_a","r":"REFERRER",` + rest + `}`), nil}
	}

	byUmami := func(part, kind, rest string) saying {
		when := ""
		if part == itClick {
			when = `"timestamp":` + fmt.Sprint(now.Add(-10*time.Minute).Unix()) + `,`
		}
		return saying{part, "POST", "/api/send", fill(`{"type":"` + kind + `","payload":{"website":"wk_a","screen":"1440x900","language":"de-AT","title":"Pricing","hostname":"shop.example",` + when +
			`"url":"ADDRESS","referrer":"REFERRER"` + rest + `}}`), nil}
	}

	byGa4 := func(part, event, params, user string) saying {
		at, events := now, ""
		if part == itClick {
			at = now.Add(-10 * time.Minute)
		}
		if event != "" {
			events = `{"name":"` + event + `","params":{"page_location":"ADDRESS","page_title":"Pricing","page_referrer":"REFERRER","session_id":"1767225600",` +
				`"language":"de-at","screen_resolution":"1440x900"` + params + `}}`
		}
		body := fill(`{"client_id":"d-1","timestamp_micros":` + fmt.Sprint(at.UnixMicro()) + user + `,"events":[` + events + `]}`)
		return saying{part, "POST", "/mp/collect?api_secret=wk_a&measurement_id=G-1", body, map[string]string{"Origin": "https://shop.example"}}
	}

	byGtag := func(part, event, params string) saying {
		query := url.Values{"v": {"2"}, "tid": {"wk_a"}, "_p": {part}, "_s": {"1"}, "cid": {"d-1"}, "sid": {"1767225600"}, "ul": {"de-at"}, "sr": {"1440x900"}, "en": {event}, "dl": {address}, "dr": {referrer}, "dt": {"Pricing"}}
		return saying{part, "GET", "/g/collect?" + query.Encode() + params, "", nil}
	}

	byMatomo := func(part, query string) saying {
		when := ""
		if part == itClick {
			when = "&cdt=" + fmt.Sprint(now.Add(-10*time.Minute).Unix())
		}
		return saying{part, "GET", "/matomo.php?idsite=wk_a&rec=1&rand=" + part + "&_id=d-1&res=1440x900&lang=de-AT&action_name=Pricing&url=" + url.QueryEscape(address) +
			"&urlref=" + url.QueryEscape(referrer) + when + query, "", nil}
	}

	// byMixpanel names the visitor's page, as mixpanel-browser does in each event.
	byMixpanel := func(part, event, rest string) saying {
		when := ahead
		if part == itClick {
			when = ahead.Add(-10 * time.Minute)
		}
		properties := `{"$os":"Mac OS X","$browser":"Chrome","$browser_version":140,"$referrer":"REFERRER","$referring_domain":"www.blog.example.org","$current_url":"ADDRESS",` +
			`"$screen_height":900,"$screen_width":1440,"$session_id":"1767225600","$locale":"de-AT","mp_lib":"web","$lib_version":"2.83.0","$insert_id":"` + part + `","time":` + fmt.Sprint(when.UnixMilli()) +
			`,"$device_id":"d-1","token":"wk_a",` + rest + `}`
		return saying{part, "POST", "/track/?verbose=1&ip=1&_=" + fmt.Sprint(ahead.UnixMilli()), fill(`[{"event":"` + event + `","properties":` + properties + `}]`), nil}
	}
	byMixpanelsProfiles := func(part, path, rest string) saying {
		return saying{part, "POST", path + "/?verbose=1&ip=1", `[{"$token":"wk_a",` + rest + `}]`, map[string]string{"Origin": "https://shop.example"}}
	}

	return map[string]telling{
		"amplitude": amplitudeTelling(now),
		"mixpanel": {sharedVendors, "mixpanel", []saying{
			byMixpanel(itView, "$mp_web_page_view", `"distinct_id":"$device:d-1","current_page_title":"Pricing","current_url_path":"/pricing"`),
			byMixpanel(itClick, "plan_chosen", `"distinct_id":"$device:d-1","plan":"pro","seats":3`),
			byMixpanel(itBuy, "purchase", `"distinct_id":"$device:d-1","order_id":"o-1","revenue":12.5,"currency":"EUR"`),
			byMixpanelsProfiles(itIdentify, "/engage", `"$distinct_id":"ada","$device_id":"d-1","$user_id":"ada","$set":{"$email":"ada@example.org","plan":"pro","$os":"Mac OS X"}`),
			byMixpanel(itAlias, "$create_alias", `"distinct_id":"ada","alias":"ada-before"`),
			byMixpanel(itLeave, "$mp_page_leave", `"distinct_id":"$device:d-1"`),
		}, func(part string, x *told) {
			switch part {
			case itIdentify: // it says nothing of the page
				nowhere(x)
				x.Session, x.Language = "", ""
			case itView:
			default:
				x.Title = ""
			}
		}},
		"mixpanel's groups": {mixpanel.Protocol{}, "mixpanel", []saying{
			byMixpanelsProfiles(itGroup, "/groups", `"$group_key":"company","$group_id":"acme","$set":{"$name":"Acme"}`),
		}, func(_ string, x *told) {
			nowhere(x)
			x.Profile, x.Device, x.Session, x.Language = "", "derived", "", ""
		}},
		"posthog": {posthog.Protocol{}, "posthog-js/1.430.0", []saying{
			byPosthog(itView, "$pageview", `"distinct_id":"d-1","title":"Pricing"`),
			byPosthog(itClick, "plan_chosen", `"distinct_id":"d-1","plan":"pro","seats":3`),
			byPosthog(itBuy, "purchase", `"distinct_id":"d-1","order_id":"o-1","revenue":12.5,"currency":"EUR"`),
			byPosthog(itIdentify, "$identify", `"distinct_id":"ada","$anon_distinct_id":"d-1","$set":{"email":"ada@example.org","plan":"pro"}`),
			byPosthog(itAlias, "$create_alias", `"distinct_id":"ada","alias":"ada-before"`),
			byPosthog(itGroup, "$groupidentify", `"distinct_id":"ada","$group_type":"company","$group_key":"acme","$group_set":{"name":"Acme"}`),
			byPosthog(itLeave, "$pageleave", `"distinct_id":"d-1"`),
		}, func(part string, x *told) {
			if part != itView {
				x.Title = ""
			}
		}},
		"segment": {segment.Protocol{}, "analytics.js/npm:next-1.84.3", []saying{
			bySegment(itView, "page", `"properties":{"path":"/pricing","referrer":"REFERRER","search":"","title":"Pricing","url":"ADDRESS"}`),
			bySegment(itClick, "track", `"event":"plan_chosen","properties":{"plan":"pro","seats":3}`),
			bySegment(itBuy, "track", `"event":"purchase","properties":{"order_id":"o-1","revenue":12.5,"currency":"EUR"}`),
			bySegment(itIdentify, "identify", `"userId":"ada","traits":{"email":"ada@example.org","plan":"pro"}`),
			bySegment(itAlias, "alias", `"userId":"ada","previousId":"ada-before"`),
			bySegment(itGroup, "group", `"userId":"ada","groupId":"acme","traits":{"name":"Acme"}`),
		}, func(part string, x *told) {
			if part == itGroup { // groups have no type
				x.Properties["group_type"] = "group"
			}
		}},
		"openpanel": {sharedVendors, "openpanel-web/1.4.1", []saying{
			panel(itView, "track", `{"name":"screen_view","properties":{PAGE}}`),
			panel(itClick, "track", `{"name":"plan_chosen","properties":{PAGE,"plan":"pro","seats":3}}`),
			panel(itBuy, "track", `{"name":"purchase","properties":{PAGE,"order_id":"o-1","__revenue":1250,"currency":"EUR"}}`),
			panel(itIdentify, "identify", `{"profileId":"ada","email":"ada@example.org","properties":{PAGE,"plan":"pro"}}`),
			panel(itAlias, "alias", `{"profileId":"ada","alias":"ada-before"}`),
			panel(itGroup, "group", `{"id":"acme","type":"company","name":"Acme","properties":{}}`),
		}, func(part string, x *told) {
			x.Session = "" // the server makes it
			delete(x.Properties, "screen")
			switch part {
			case itGroup:
				x.Profile = ""
				fallthrough
			case itAlias: // it says nothing of the page, nor of the device
				nowhere(x)
				x.Device = "derived"
			}
		}},
		"plausible": {plausible.Protocol{}, "plausible/36", []saying{
			byPlausible(itView, `"n":"pageview"`),
			byPlausible(itClick, `"n":"plan_chosen","p":{"plan":"pro","seats":3}`),
			byPlausible(itBuy, `"n":"purchase","p":{"order_id":"o-1"},"$":{"amount":"12.5","currency":"EUR"}`),
			byPlausible(itLeave, `"n":"engagement","e":0,"sd":50`),
		}, func(part string, x *told) {
			x.Device, x.Session, x.Title, x.Language, x.Ago = "derived", "", "", "", 0
			delete(x.Properties, "screen")
			if part == itLeave {
				x.Properties = map[string]any{"engagement_ms": 0.0, "scroll_depth": 50.0}
			}
		}},
		"umami": {umami.Protocol{}, "umami", []saying{
			byUmami(itView, "event", ""),
			byUmami(itClick, "event", `,"name":"plan_chosen","data":{"plan":"pro","seats":3}`),
			byUmami(itBuy, "event", `,"name":"purchase","data":{"order_id":"o-1","revenue":12.5,"currency":"EUR"}`),
			byUmami(itIdentify, "identify", `,"id":"ada","data":{"email":"ada@example.org","plan":"pro"}`),
		}, func(part string, x *told) {
			x.Device, x.Session = "derived", ""
		}},
		"ga4": {ga4.Protocol{}, "ga4", []saying{
			byGa4(itView, "page_view", "", ""),
			byGa4(itClick, "plan_chosen", `,"plan":"pro","seats":3`, ""),
			byGa4(itBuy, "purchase", `,"order_id":"o-1","value":12.5,"currency":"EUR"`, ""),
			byGa4(itIdentify, "", "", `,"user_id":"ada","user_properties":{"email":{"value":"ada@example.org"},"plan":{"value":"pro"}}`),
			byGa4(itLeave, "user_engagement", "", ""),
		}, func(part string, x *told) {
			if part == itIdentify {
				nowhere(x)
				x.Session, x.Language = "", ""
			}
		}},
		"gtag": {ga4.Protocol{}, "gtag", []saying{
			byGtag(itView, "page_view", ""),
			byGtag(itClick, "plan_chosen", "&ep.plan=pro&epn.seats=3"),
			byGtag(itBuy, "purchase", "&ep.order_id=o-1&epn.value=12.5&cu=EUR"),
			byGtag(itLeave, "user_engagement", ""),
		}, func(_ string, x *told) { x.Ago = 0 }}, // a hit has no time
		"matomo": {matomo.Protocol{}, "matomo", []saying{
			byMatomo(itView, ""),
			byMatomo(itClick, "&e_c=plans&e_a=plan_chosen&plan=pro&seats=3"),
			byMatomo(itBuy, "&idgoal=0&ec_id=o-1&revenue=12.5"),
		}, func(part string, x *told) {
			x.Session, x.Currency = "", ""
			if part == itClick {
				x.Properties["category"], x.Properties["seats"] = "plans", "3"
			}
		}},
	}
}

// nowhere takes from an event what tells of a page.
func nowhere(x *told) {
	x.Path, x.Origin, x.Title, x.Referrer, x.Channel = "", "", "", "", ""
	x.UTMSource, x.UTMMedium, x.UTMCampaign, x.UTMTerm, x.UTMContent = "", "", "", "", ""
}

// The same story, told in each vendor's words, becomes the same events but for ids and
// the library.
func TestSameVisitSentByEachVendorsSDKBecomesTheSameEvents(t *testing.T) {
	r := newRig(t)
	all := tellings(r.now)
	for _, p := range protocols.All(nil) {
		if v := p.Vendor(); p.Routes()[0].Project == wire.InRequest && v != "shared" && all[v].protocol == nil {
			t.Errorf("%s does not tell the story", v)
		}
	}
	for vendor, v := range all {
		t.Run(vendor, func(t *testing.T) {
			r := newRig(t)
			for _, s := range v.sayings {
				events := r.tell(t, v.protocol, s)
				if len(events) != 1 {
					t.Errorf("%s: %d events", s.part, len(events))
					continue
				}
				e := events[0]
				if !strings.HasPrefix(e.Library, v.library) {
					t.Errorf("%s: library %q, want %q", s.part, e.Library, v.library)
				}
				want := meant()[s.part]
				if v.but(s.part, &want); len(want.Properties) == 0 {
					want.Properties = nil
				}
				if diff := cmp.Diff(want, r.heard(&e)); diff != "" {
					t.Errorf("%s: %s", s.part, diff)
				}
			}
		})
	}
}

var sharedVendors = sharedpath.Protocol{PostHog: posthog.Protocol{}, OpenPanel: openpanel.Protocol{}, Mixpanel: mixpanel.Protocol{}, Amplitude: amplitude.Protocol{}}

// tell is tellAs of the visitor.
func (r *rig) tell(t *testing.T, p wire.Protocol, s saying) []weir.Event {
	t.Helper()
	return r.tellAs(t, p, s, visitor)
}

// tellAs sends a request as the server takes it, and returns the events as they are
// stored.
func (r *rig) tellAs(t *testing.T, p wire.Protocol, s saying, from ingest.Remote) (events []weir.Event) {
	t.Helper()
	for _, part := range r.decodeAs(t, p, s, from) {
		reply, err := r.Deliver(t.Context(), r.project, part.Events, part.Rejected, from)
		if err != nil || len(reply.Rejected) > 0 || reply.Duplicates > 0 {
			t.Errorf("%s: %+v, %v", s.part, reply, err)
		}
		for i := range part.Events {
			events = append(events, part.Events[i].Event)
		}
	}
	return events
}

// decodeAs decodes a request.
func (r *rig) decodeAs(t *testing.T, p wire.Protocol, s saying, from ingest.Remote) []wire.Part {
	t.Helper()
	u, err := url.Parse(s.target)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"User-Agent": {from.UserAgent}}
	for name, value := range s.headers {
		h.Set(name, value)
	}
	req := &wire.Request{Path: u.Path, RawQuery: u.RawQuery, Header: h, Body: []byte(s.body), IP: from.IP, UserAgent: from.UserAgent, Now: r.now, Limits: wire.DefaultLimits()}
	at := slices.IndexFunc(p.Routes(), func(x wire.Route) bool { return x.Method == s.method && x.Path == strings.TrimSuffix(u.Path, "/") })
	if at < 0 {
		t.Fatalf("no route %s %s", s.method, s.target)
	}
	req.Route = p.Routes()[at]
	sent, err := p.Decode(req)
	if err != nil {
		t.Errorf("%s: %v\n%s", s.part, err, s.body)
		return nil
	}
	return sent.Parts
}

// heard is what an event says.
func (r *rig) heard(e *weir.Event) told {
	x := told{
		Name: e.Name, Ago: r.now.Sub(e.Time), Profile: e.ProfileID, Device: e.DeviceID, Session: e.SessionID,
		Path: e.Path, Origin: e.Origin, Title: e.Title, Referrer: e.Referrer, Channel: e.Channel,
		UTMSource: e.UTMSource, UTMMedium: e.UTMMedium, UTMCampaign: e.UTMCampaign, UTMTerm: e.UTMTerm, UTMContent: e.UTMContent,
		Country: e.Country, Browser: e.Browser, OS: e.OS, DeviceType: e.DeviceType, Language: e.Language,
		Revenue: e.Revenue.Value, Currency: e.Currency,
	}
	if len(e.DeviceID) == 22 {
		x.Device = "derived"
	}
	if len(e.Properties) > 0 {
		if err := json.Unmarshal(e.Properties, &x.Properties); err != nil {
			r.t.Fatal(err)
		}
	}
	if e.Name != weir.NameIdentify {
		return x
	}
	x.Alias, _ = x.Properties[weir.PropertyAlias].(string)
	row := weir.EventRow{Event: *e}
	for _, c := range weir.TraitChanges(&row) {
		x.Traits = append(x.Traits, string(c.Op)+" "+c.Trait+"="+c.Text)
	}
	slices.Sort(x.Traits)
	x.Properties = nil
	return x
}
