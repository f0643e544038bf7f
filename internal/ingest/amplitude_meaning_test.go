package ingest_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/wire/amplitude"
)

// amplitudeTelling is the story in the words of Amplitude's SDK for browsers.
func amplitudeTelling(now time.Time) telling {
	const address = `https://shop.example/pricing?utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top`
	ahead := now.Add(time.Hour) // the visitor's clock
	by := func(part, event, rest string) saying {
		when := ahead
		if part == itClick {
			when = ahead.Add(-10 * time.Minute)
		}
		page := `"[Amplitude] Page Location":"` + address + `","[Amplitude] Page Title":"Pricing","[Amplitude] Page Path":"/pricing","referrer":"https://www.blog.example.org/post?x=1","referring_domain":"www.blog.example.org"`
		body := `{"api_key":"wk_a","events":[{"device_id":"d-1","session_id":1767225600,"time":` + fmt.Sprint(when.UnixMilli()) + `,"platform":"Web","language":"de-AT","ip":"$remote",` +
			`"insert_id":"` + part + `","event_type":"` + event + `",` + strings.Replace(rest, "PAGE", page, 1) + `,"library":"amplitude-ts/2.48.1","user_agent":"` + visitor.UserAgent + `"}],` +
			`"client_upload_time":"` + ahead.UTC().Format(time.RFC3339Nano) + `"}`
		return saying{part, "POST", "/2/httpapi", body, map[string]string{"Origin": "https://shop.example"}}
	}
	return telling{amplitude.Protocol{}, "amplitude-ts/2.48.1", []saying{
		by(itView, "[Amplitude] Page Viewed", `"event_properties":{PAGE}`),
		by(itClick, "plan_chosen", `"event_properties":{PAGE,"plan":"pro","seats":3}`),
		by(itBuy, "purchase", `"event_properties":{PAGE,"order_id":"o-1","$revenue":12.5,"$currency":"EUR"}`),
		by(itIdentify, "$identify", `"user_id":"ada","user_properties":{"$set":{"email":"ada@example.org","plan":"pro"}}`),
		by(itGroup, "$groupidentify", `"user_id":"ada","groups":{"company":"acme"},"group_properties":{"$set":{"name":"Acme"}}`),
	}, func(part string, x *told) {
		delete(x.Properties, "screen") // it does not say the size
		if part == itIdentify || part == itGroup {
			nowhere(x)
		}
	}}
}
