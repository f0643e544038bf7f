package dump_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/dump"
)

func TestTablesThatCannotBeImportedAreExplained(t *testing.T) {
	for _, c := range []struct{ vendor, content, want string }{
		{"matomo", `[{"result":"error","message":"You must be logged in"}]`, "this is an error of Matomo's, not an export: You must be logged in"},
		{"matomo", "{\"result\":\"error\",\"message\":\"no\"}", "this is an error of Matomo's"},
		{"matomo", `[{"idVisit":"1","visitorId":"a"}]`, "the visits have no actionDetails"},
		{"ga4", "event_name,event_timestamp,event_params\npage_view,1772355600000000,[]\n", "this is CSV"},
		{"ga4", `{"event_name":"a"}`, "want JSON lines of the BigQuery tables events_…"},
		{"plausible", "date,visitors,pageviews\n2026-01-01,1,2\n", "these are daily totals"},
		{"plausible", `{"name":"a"}`, "want rows of its table events_v2"},
		{"openpanel", `{"name":"a"}`, "want rows of its table events"},
		{"openpanel", `{}`, "found nothing"},
		{"posthog", "event,person,url\na,b,c\n", "want JSON lines or CSV with event, distinct_id, timestamp and properties; found event, person, url"},
		{"matomo", "a,b,c,d,e,f,g,h,i,j,k,l,m,n\n1,2,3,4,5,6,7,8,9,0,1,2,3,4\n", "found a, b, c, d, e, f, g, h, i, j, k, l, …"},
	} {
		records, err := readAll(t, c.vendor, dump.Options{}, text("x", c.content))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x: ") {
			t.Errorf("%s from %.40q: error is %v, want %q", c.vendor, c.content, err, c.want)
		}
		if len(records) > 0 {
			t.Errorf("%s from %.40q: %d records", c.vendor, c.content, len(records))
		}
	}
}

func TestRejectedRecordOfAnExportHasAReason(t *testing.T) {
	const plausible = `{"timestamp":"2026-01-05 10:00:00","name":"a","user_id":"1","pathname":"/","hostname":"h"`
	for _, c := range []struct{ vendor, record, want string }{
		{"openpanel", `{"name":"a","created_at":"","device_id":"d","profile_id":""}`, "there is no time"},
		{"openpanel", `{"name":"","created_at":1772442000,"device_id":"d","profile_id":""}`, "there is no name of an event"},
		{"plausible", plausible + `,"meta.key":["a"],"meta.value":[]}`, "meta.key has 1 entries, meta.value 0"},
		{"plausible", `{"timestamp":"soon","name":"a","user_id":"1","pathname":"/","hostname":"h"}`, "the time is none"},
		{"plausible", `{"timestamp":"1970-01-01 00:00:00","name":"a","user_id":"1","pathname":"/","hostname":"h"}`, "the time is before 1990; a number must be a unix time"},
		{"openpanel", `{"name":"a","created_at":45293,"device_id":"d","profile_id":""}`, "the time is before 1990; a number must be a unix time"},
		{"ga4", `{"event_name":"a","event_timestamp":null}`, "there is no time"},
		{"ga4", `{"event_name":null,"event_timestamp":"1772355600000000"}`, "there is no name of an event"},
		{"matomo", `{"idVisit":"","actionDetails":[]}`, "there is no idVisit"},
		{"matomo", `{"idVisit":"1","actionDetails":[5]}`, "action 1 is no object"},
		{"matomo", `{"idVisit":"1","actionDetails":[{"type":"action","timestamp":1772442000},{"timestamp":1772442001}]}`, "action 2: there is no type"},
		{"matomo", `{"idVisit":"1","actionDetails":[{"type":"action"}]}`, "action 1: there is no time"},
		{"matomo", `{"idVisit":"1","actionDetails":[{"type":"action","timestamp":"x"}]}`, "action 1: the time is none"},
		{"umami", `{"event_type":1,"session_id":"s","created_at":"x"}`, "the time is none"},
		{"umami", `{"data_key":"","session_id":"s","created_at":"2026-01","distinct_id":"d"}`, "the time is none"},
		{"umami", `{"data_key":"","session_id":"s","created_at":"2026-01-01 00:00:00","distinct_id":"d"}`, "there is no data_key"},
	} {
		records, err := readAll(t, c.vendor, dump.Options{}, text("x", c.record))
		if err != nil || len(records) != 1 || records[0].Error != c.want {
			t.Errorf("%s: %v, %v, want %q", c.record, records, err, c.want)
		}
	}
}

func TestRowsOfAnotherTableInTheMiddleOfOneAreTold(t *testing.T) {
	event := `{"event_id":"e","event_type":1,"session_id":"s","created_at":"2026-01-01 00:00:00"}`
	records, err := readAll(t, "umami", dump.Options{}, text("x", event+"\n{}\n"+event))
	if err != nil || len(records) != 3 || records[1].Error != "this is a row of another table" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestActionsOfPluginsAreLeftOut(t *testing.T) {
	records, err := readAll(t, "matomo", dump.Options{}, text("x", `{"idVisit":"1","actionDetails":[{"type":"form","timestamp":1772445600}]}`))
	if err != nil || len(records) != 1 || records[0].Left != "actions of the type form" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestMatomoVisitWithAHiddenVisitorHasItsOwnDevice(t *testing.T) {
	records, err := readAll(t, "matomo", dump.Options{},
		text("x", `{"idVisit":"7","visitorId":false,"actionDetails":[{"type":"action","timestamp":1772445600}]}`))
	if err != nil || records[0].Events[0].Event.DeviceID != "visit_7" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestTimesAreReadAsDatabasesWriteThem(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"2026-07-01 12:00:00":           "2026-07-01T06:30:00Z",
		"2026-07-01T12:00:00.25":        "2026-07-01T06:30:00.25Z",
		"2026-07-01T12:00:00Z":          "2026-07-01T12:00:00Z",
		"2026-07-01 12:00:00.123456+02": "2026-07-01T10:00:00.123456Z",
		"2026-07-01 12:00:00+0530":      "2026-07-01T06:30:00Z",
		"2026-07-01 12:00:00-07:00":     "2026-07-01T19:00:00Z",
		"2026-07-01 12:00:00 UTC":       "2026-07-01T12:00:00Z",
		"2026-07-01 12:00:00.5 UTC":     "2026-07-01T12:00:00.5Z",
		"1782907200":                    "2026-07-01T12:00:00Z",
		"1782907200.5":                  "2026-07-01T12:00:00.5Z",
		"1782907200123":                 "2026-07-01T12:00:00.123Z",
		"1782907200123456":              "2026-07-01T12:00:00.123456Z",
		"1782907200123456789":           "2026-07-01T12:00:00.123456Z",
		"2026-07-01 12:00:00 PST":       "", // which may be many
		"01/07/2026":                    "",
		"1e300":                         "",
		"NaN":                           "",
	} {
		records, err := readAll(t, "posthog", dump.Options{Zone: kolkata}, text("x", `{"event":"e","distinct_id":"d","timestamp":"`+given+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if records[0].Error == "" {
			got = records[0].Events[0].Event.Time.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", given, got, want)
		}
	}
}

func TestCountriesAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]string{
		"Germany": "DE", "Türkiye": "TR", "Turkey": "TR", "Côte d’Ivoire": "CI", "Hong Kong": "HK", "United States": "US", "Bosnia & Herzegovina": "BA",
		"Czechia": "CZ", "South Korea": "KR", "Myanmar (Burma)": "MM", "DE": "DE", "(not set)": "", "": "", "Atlantis": "",
	} {
		records, err := readAll(t, "ga4", dump.Options{}, text("x", `{"event_name":"e","event_timestamp":"1772355600000000","geo":{"country":"`+name+`"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := records[0].Events[0].Event.Country; got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestRefundsOfGoogleAreNegative(t *testing.T) {
	records, err := readAll(t, "ga4", dump.Options{}, text("x",
		`{"event_name":"refund","event_timestamp":"1772355600000000","user_pseudo_id":"1","event_params":[{"key":"value","value":{"double_value":5.5}},{"key":"currency","value":{"string_value":"EUR"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if e := records[0].Events[0].Event; e.Revenue.Value != -5.5 || e.Currency != "EUR" {
		t.Errorf("revenue is %v %s", e.Revenue, e.Currency)
	}
}

func TestPostHogExportIsIdentifiedOnlyWhereItSaysSo(t *testing.T) {
	for _, c := range []struct{ properties, device, profile string }{
		{`"$device_id":"d"`, "d", ""},                                         // the browser's own id
		{`"$device_id":"b","$is_identified":true`, "b", "d"},                  //
		{`"$device_id":"b"`, "b", "d"},                                        // after an identify
		{`"$device_id":"b","$is_identified":false`, "d", ""},                  // after a reset
		{`"$device_id":"b","$process_person_profile":false`, "d", ""},         //
		{`"$lib":"posthog-node"`, "", "d"},                                    // a server knows its users
		{`"$lib":"posthog-node","$process_person_profile":false`, "d", ""},    //
		{`"$lib":"web","$is_identified":false`, "d", ""},                      // a browser that keeps nothing
		{`"$lib":"web","$is_server":true,"$raw_user_agent":"node"`, "", "d"},  //
		{`"$device_id":"b","$is_identified":"false","$set":{"a":1}`, "d", ""}, // no profile, no traits
	} {
		records, err := readAll(t, "posthog", dump.Options{}, text("x", page("a", `,"properties":{`+c.properties+`}`)))
		if err != nil {
			t.Fatal(err)
		}
		if e := records[0].Events[0].Event; e.DeviceID != c.device || e.ProfileID != c.profile || len(records[0].Events) != 1 {
			t.Errorf("%s: device %q, profile %q, want %q and %q", c.properties, e.DeviceID, e.ProfileID, c.device, c.profile)
		}
	}
}

func TestPostHogExportSetsTraitsAndAliases(t *testing.T) {
	for _, c := range []struct{ event, properties, device, profile, want string }{
		{"$identify", `"$lib":"web","$device_id":"b","$anon_distinct_id":"a","$set":{"x":1}`, "a", "d", `{"$set":{"x":1}}`},
		{"$identify", `"$lib":"posthog-go","$anon_distinct_id":"a"`, "", "d", `{"$alias":"a"}`},
		{"$create_alias", `"$lib":"posthog-go","alias":"old"`, "", "d", `{"$alias":"old"}`},
		{"$create_alias", `"$lib":"web","$device_id":"d","alias":"ada"`, "d", "ada", ""},
		{"$set", `"$lib":"posthog-go","$set_once":{"y":2,"$current_url":"z","utm_source":"w","gclid":null},"$unset":"k"`, "", "d", `{"$set_once":{"y":2},"$unset":["k"]}`},
	} {
		record := `{"uuid":"u","event":"` + c.event + `","distinct_id":"d","timestamp":"2026-03-02T09:00:00Z","properties":{` + c.properties + `}}`
		records, err := readAll(t, "posthog", dump.Options{}, text("x", record))
		if err != nil {
			t.Fatal(err)
		}
		e := records[0].Events[0].Event
		if e.Name != "identify" || e.DeviceID != c.device || e.ProfileID != c.profile || string(e.Properties) != c.want {
			t.Errorf("%s: %s of device %q, profile %q with %s", record, e.Name, e.DeviceID, e.ProfileID, e.Properties)
		}
	}
}
