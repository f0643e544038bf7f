package plausible_test

import (
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestPlausibleGolden(t *testing.T) { wiretest.Golden(t, plausible.Protocol{}) }

func TestPlausibleTakesWhatItsTrackerSends(t *testing.T) {
	wiretest.Recordings(t, plausible.Protocol{}, "plausible", wiretest.Now)
}

func request(t testing.TB, body string) *wire.Request {
	return wiretest.Request(t, plausible.Protocol{}, "POST", "/api/event", map[string][]string{"User-Agent": {wiretest.Chromium}}, []byte(body))
}

func TestPlausibleCutsWhatIsTooMuch(t *testing.T) {
	long := strings.Repeat("ü", 1500) // 3000 bytes
	body := `{"n":"a","u":"https://shop.example/","d":"shop.example","p":{"` + long + `":"` + long + `","\u0000x":"y"`
	for range 40 {
		body += `,"k` + strings.Repeat("x", len(body)%250) + `":1`
	}
	sent, err := plausible.Protocol{}.Decode(request(t, body+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	part := sent.Parts[0]
	if len(part.Events) != 1 || len(part.Rejected) != 0 {
		t.Fatalf("part = %+v", part)
	}
	got := string(part.Events[0].Event.Properties)
	if !strings.HasPrefix(got, `{"`+strings.Repeat("ü", 150)+`":"`+strings.Repeat("ü", 1000)+`","`) {
		t.Errorf("properties = %.4000s", got)
	}
	if n := strings.Count(got, `":`); n != 30 {
		t.Errorf("%d properties, want 30", n)
	}
}

func TestPlausibleTakesAnEventForASiteOnceAndForAFewSitesOnly(t *testing.T) {
	domains := func(list string) (int, error) {
		sent, err := plausible.Protocol{}.Decode(request(t, `{"n":"a","u":"https://shop.example/","d":"`+list+`"}`))
		if err != nil {
			return 0, err
		}
		if len(sent.Parts) == 2 {
			a, b := sent.Parts[0].Events, sent.Parts[1].Events
			if &a[0] == &b[0] {
				t.Error("two projects share an event, which each changes")
			}
		}
		return len(sent.Parts), nil
	}
	for list, want := range map[string]int{"a.example,b.example": 2, "a.example, a.example": 1, "a.example,,": 1} {
		if n, err := domains(list); n != want || err != nil {
			t.Errorf("%q: %d parts, %v", list, n, err)
		}
	}
	many := ""
	for i := range 21 {
		many += strings.Repeat("a", i+1) + ".example,"
	}
	if _, err := domains(many); err == nil {
		t.Error("21 sites are taken")
	}
}

func FuzzPlausible(f *testing.F) {
	wiretest.EachRecorded(f, plausible.Protocol{}, "plausible", func(_ string, r *wire.Request) { f.Add(string(r.Body)) })
	for _, seed := range []string{
		"", "{", "[]", `{"n":"","u":"","d":""}`, `{"n":"x","u":"https://a/#/b?c","d":"a,b,,a","h":1}`,
		`{"n":"x","u":"https://a/","d":"a","m":"{\"a\":[1],\"b\":\"c\",\"b\":1","$":"{\"amount\":\"1e999\",\"currency\":\"eur\"}"}`,
		`{"n":"engagement","u":"https://a/","d":"a","e":"1e3","sd":-1,"p":{"engagement_ms":1,"\ud800":"\u0000"}}`, `{"n":"x","u":"data:,","i":false,"p":{"interactive":1}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		defer wiretest.Bounded(t)()
		wiretest.CheckOutcome(t, plausible.Protocol{}, request(t, body))
	})
}
