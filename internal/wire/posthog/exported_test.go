package posthog_test

import (
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// exportedEvent is one of PostHog's with the properties.
func exportedEvent(name, properties string) []byte {
	return []byte(`{"uuid":"u","event":"` + name + `","distinct_id":"ada","timestamp":"2999-03-01T11:00:00.5Z","properties":{` + properties + `}}`)
}

func TestAnExportedEventKeepsItsTimeAndSetsTraitsBesides(t *testing.T) {
	in, rejected, err := posthog.DecodeExported(exportedEvent("order", `"$lib":"posthog-go","$set":{"a":1}`), wire.DefaultLimits())
	if err != nil || rejected != nil || len(in) != 2 {
		t.Fatal(in, rejected, err)
	}
	at := time.Date(2999, 3, 1, 11, 0, 0, 5e8, time.UTC)
	for i, want := range []string{"u order null", `u:set identify {"$set":{"a":1}}`} {
		e := in[i].Event
		properties := string(e.Properties)
		if properties == "" {
			properties = "null"
		}
		if got := e.ID + " " + e.Name + " " + properties; got != want || !e.Time.Equal(at) || e.ProfileID != "ada" {
			t.Errorf("event %d is %s of %s at %v, want %s", i, got, e.ProfileID, e.Time, want)
		}
	}
}

func TestExportedEventThatIsRejectedHasAReason(t *testing.T) {
	for text, want := range map[string]string{
		string(exportedEvent("$snapshot", "")):                              "unsupported $snapshot",
		string(exportedEvent("", "")):                                       "name_missing ",
		`{"event":"a","timestamp":1}`:                                       "id_missing distinct_id",
		`{"event":"a","distinct_id":"d"}`:                                   "ts_invalid timestamp",
		`{"event":"a","distinct_id":"d","timestamp":"soon"}`:                "ts_invalid timestamp",
		string(exportedEvent("a", `"x":"`+strings.Repeat("x", 1<<20)+`"`)):  "event_too_large at most 1048576 bytes",
		string(exportedEvent("a", strings.Repeat(`"a":1,`, 1001)+`"b":1`)):  "properties_too_many properties: over 1000 entries",
		string(exportedEvent("a", `"$lib":"posthog-go","a":1`)) + `{}`:      "error",
		`[` + string(exportedEvent("a", `"$lib":"posthog-go","a":1`)) + `]`: "error",
		`5`:             "error",
		``:              "error",
		`{"event":"a",`: "error",
	} {
		in, rejected, err := posthog.DecodeExported([]byte(text), wire.DefaultLimits())
		got := ""
		switch {
		case err != nil:
			if got = "error"; weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%.80s: error is %v", text, err)
			}
		case rejected != nil:
			got = rejected.Reason + " " + rejected.Detail
		}
		if got != want || len(in) > 0 {
			t.Errorf("%.80s: %q with %d events, want %q", text, got, len(in), want)
		}
	}
}

func TestPostHogsPlaceIsTheVisitorsOfClientsOnly(t *testing.T) {
	const place = `"$geoip_country_code":"DE","$geoip_subdivision_1_name":"Land Berlin","$geoip_city_name":"Berlin","$geoip_time_zone":"Europe/Berlin"`
	for more, want := range map[string]string{
		`"$lib":"web",`:                              "DE Land Berlin Berlin",
		`"$lib":"web","$geoip_disable":true,`:        "",
		`"$lib":"posthog-node",`:                     "",
		`"$lib":"posthog-ios","$device_id":"d",`:     "DE Land Berlin Berlin",
		`"$lib":"posthog-ios","$plugins_failed":[],`: "DE Land Berlin Berlin",
	} {
		in, _, err := posthog.DecodeExported(exportedEvent("a", more+place), wire.DefaultLimits())
		if err != nil || len(in) != 1 {
			t.Fatal(in, err)
		}
		e := in[0].Event
		if got := strings.TrimSpace(e.Country + " " + e.Region + " " + e.City); got != want || len(e.Properties) > 0 {
			t.Errorf("%s is in %q with %s, want %q", more, got, e.Properties, want)
		}
	}
}

func TestACurrencyThatIsNoneStaysAsItWasSent(t *testing.T) {
	for properties, want := range map[string]string{
		`"revenue":5,"currency":"Euro"`: ` {"currency":"Euro"}`,
		`"currency":"eur"`:              ` {"currency":"eur"}`,
		`"revenue":5,"currency":"eur"`:  "EUR ",
		`"revenue":5,"currency":"é1"`:   ` {"currency":"é1"}`,
	} {
		in, _, err := posthog.DecodeExported(exportedEvent("a", properties), wire.DefaultLimits())
		if err != nil || len(in) != 1 {
			t.Fatal(in, err)
		}
		if got := in[0].Event.Currency + " " + string(in[0].Event.Properties); got != want {
			t.Errorf("%s is %s, want %s", properties, got, want)
		}
	}
}

func FuzzPostHogExported(f *testing.F) {
	f.Add(exportedEvent("$pageview", `"$lib":"web","$set":{"a":1},"revenue":1,"currency":"Euro","$geoip_country_code":"DE"`))
	f.Add(exportedEvent("$groupidentify", `"$group_type":"a","$group_key":"b","$group_set":{"c":[1]}`))
	f.Add([]byte(`{"properties":{"alias":1},"event":"$create_alias","distinct_id":{"a":[]},"timestamp":1,"$unset":["x"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		defer wiretest.Bounded(t)()
		in, rejected, err := posthog.DecodeExported(text, wire.DefaultLimits())
		if (len(in) > 0) == (rejected != nil || err != nil) {
			t.Fatalf("%d events, rejected %v, error %v", len(in), rejected, err)
		}
		for i := range in {
			if e := &in[i].Event; e.Name == "" {
				t.Errorf("event %d is %+v", i, in[i])
			}
		}
	})
}
