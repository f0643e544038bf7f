package mixpanel_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestMixpanelGolden(t *testing.T) { wiretest.Golden(t, mixpanel.Protocol{}) }

func TestMixpanelsSDKsAreUnderstood(t *testing.T) {
	at := time.Date(2026, 11, 29, 10, 56, 0, 0, time.UTC)
	for _, sdk := range []string{"mixpanel-node", "mixpanel-browser"} {
		t.Run(sdk, func(t *testing.T) { wiretest.Recordings(t, mixpanel.Protocol{}, sdk, at) })
	}
}

func TestAnEmojiOfMixpanelBrowserIsOneCharacter(t *testing.T) {
	const half = "\xed\xa0\xbd"
	for sent, want := range map[string]string{
		"a" + half + "\xed\xb8\x80b": "a😀b", "한국": "한국", half: "\ufffd", half + half + "\xed\xb8\x80": "\ufffd😀", "\xed": "\ufffd", "\xed\xb8\x80" + half: "\ufffd",
	} {
		s, err := wiretest.Decode(t, mixpanel.Protocol{}, "/track", http.Header{}, `{"event":"`+sent+`","properties":{"token":"k"}}`)
		if err != nil || s.Parts[0].Events[0].Event.Name != want {
			t.Errorf("%q: %+v, %v", sent, s, err)
		}
	}
}

func TestAnImportThatIsRepeatedHasTheSameIDs(t *testing.T) {
	ids := func() (ids []string) {
		sent, err := wiretest.Decode(t, mixpanel.Protocol{}, "/import", http.Header{}, `[{"event":"a","properties":{"token":"k","time":1672531200}},{"event":"a","properties":{"token":"k","time":1672531201}}]`)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range sent.Parts[0].Events {
			ids = append(ids, in.Event.ID)
		}
		return ids
	}
	first, again := ids(), ids()
	if len(first) != 2 || first[0] == "" || first[0] == first[1] || first[0] != again[0] || first[1] != again[1] {
		t.Errorf("%q, then %q", first, again)
	}
}

func TestChangesOfTraitsAreStoredOnceIfTheirRequestArrivesTwice(t *testing.T) {
	const add = `{"$token":"k","$distinct_id":"u","$add":{"visits":1}}`
	ids := func(query string) (ids []string) {
		sent, err := wiretest.Decode(t, mixpanel.Protocol{}, "/engage?"+query, http.Header{}, "["+add+","+add+`,{"$token":"k","$distinct_id":"u","$set":{"a":1},"$append":{"$transactions":{"$amount":1}}}]`)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range sent.Parts[0].Events {
			ids = append(ids, in.Event.ID)
		}
		return ids
	}
	first, again, later := ids("_=1772366400000"), ids("_=1772366400000"), ids("_=1772366400001")
	seen := map[string]bool{}
	for i, id := range first {
		if id == "" || seen[id] || id != again[i] || id == later[i] {
			t.Errorf("change %d: id %q, then %q, later %q", i, id, again[i], later[i])
		}
		seen[id] = true
	}
	if len(first) != 4 {
		t.Errorf("%d events", len(first))
	}
	for i, id := range ids("verbose=1") {
		if id != "" {
			t.Errorf("change %d of a request without the time when it was sent: id %q", i, id)
		}
	}
}

func TestARequestOfTooManyItemsIsRefused(t *testing.T) {
	for target, item := range map[string]string{
		"/track":  `{"event":"a","properties":{"token":"k"}}`,
		"/engage": `{"$token":"k","$distinct_id":"u","$append":{"a":1}}`,
		"/groups": `{"$token":"k","$union":{}}`,
	} {
		r := wiretest.Request(t, mixpanel.Protocol{}, "POST", target, http.Header{}, []byte("["+strings.Repeat(item+",", 5)+item+"]"))
		r.Limits.Events = 5
		if _, err := (mixpanel.Protocol{}).Decode(r); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// FuzzMixpanel checks what holds for any request.
func FuzzMixpanel(f *testing.F) {
	targets := []string{"/track?verbose=1", "/engage?ip=0", "/groups?img=1", "/import?strict=1", "/import?verbose=1&callback=a", "/track?_=1772370000123"}
	wiretest.EachGolden(f, mixpanel.Protocol{}, func(_ string, r *wire.Request) {
		for i := range targets {
			f.Add(r.Body, uint8(i))
		}
	})
	for _, seed := range []string{
		`{"$set":{"\u0024email":1,"email":2,"\u0000":3},"$token":"k","$distinct_id":"u","$unset":["a",1,{"b":"c"}]}`,
		`{"$append":{"$transactions":{"$amount":1,"$time":2,"$amount":3}},"$set":{"a":{}},"$token":"k","$distinct_id":1}`,
		`{"properties":{"token":"k","$distinct_ids":[1,"$device:",[]]},"event":"$merge","properties":{}}`, "data=%5B%5D", `{}{}`,
	} {
		f.Add([]byte(seed), uint8(1))
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		defer wiretest.Bounded(t)()
		h := http.Header{"Authorization": {"Basic a2V5Og=="}}
		if which > 128 {
			h.Set("Origin", "https://shop.example")
		}
		r := wiretest.Request(t, mixpanel.Protocol{}, "POST", targets[int(which)%len(targets)], h, body)
		r.Limits = wiretest.SmallLimits()
		r.Limits.Body, r.Limits.Decoded = 4000, 8000
		wiretest.CheckOutcome(t, mixpanel.Protocol{}, r)
	})
}
