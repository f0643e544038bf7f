package umami_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/umami"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestUmamiGolden(t *testing.T) { wiretest.Golden(t, umami.Protocol{}) }

func TestUmamiTakesWhatItsSDKSends(t *testing.T) {
	wiretest.Recordings(t, umami.Protocol{}, "umami-node", wiretest.Now)
}

func request(t testing.TB, path, agent, body string) *wire.Request {
	return wiretest.Request(t, umami.Protocol{}, "POST", path, map[string][]string{"User-Agent": {agent}}, []byte(body))
}

const view = `{"type":"event","payload":{"website":"wk_a","hostname":"shop.example","url":"/"}}`

func TestUmamiNamesASessionByTheDeviceAndAVisitByItsHour(t *testing.T) {
	token := func(change func(*weir.Event)) string {
		r := request(t, "/api/send", wiretest.Chromium, view)
		sent, err := umami.Protocol{}.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		change(&sent.Parts[0].Events[0].Event)
		return string(umami.Protocol{}.Answer(r, sent).Body)
	}
	at := func(device string, after time.Duration) string {
		return token(func(e *weir.Event) { e.DeviceID, e.Time = device, e.Time.Add(after) })
	}
	first := at("dev-1", 0)
	if again := at("dev-1", 20*time.Minute); again != first {
		t.Errorf("within the hour %s, then %s", first, again)
	}
	later, other := at("dev-1", 2*time.Hour), at("dev-2", 0)
	session := func(s string) string { _, s, _ = strings.Cut(s, `"sessionId":"`); return s[:36] }
	if session(later) != session(first) || later == first {
		t.Errorf("two hours later %s, first %s", later, first)
	}
	if session(other) == session(first) {
		t.Errorf("two devices have the session %s", session(other))
	}
	if strings.Contains(first, "dev-1") {
		t.Errorf("the device is told: %s", first)
	}
	if got := token(func(e *weir.Event) { e.Bot = true }); got != `{"beep":"boop"}` {
		t.Errorf("a bot is answered %s", got)
	}
}

func TestUmamiTellsABatchItemByItemWhatWasNotTaken(t *testing.T) {
	r := request(t, "/api/batch", wiretest.Chromium, `[`+view+`,`+strings.ReplaceAll(view, "wk_a", "wk_b")+`]`)
	for code, want := range map[string]string{
		weir.ERATELIMITED: `"code":"too-many-requests","status":429`, weir.EUNAVAILABLE: `"code":"service-unavailable","status":503`,
		weir.EUNAUTHORIZED: `"message":"Website not found.","code":"bad-request","status":400`, weir.EINTERNAL: `"message":"Server error","code":"server-error","status":500`,
	} {
		sent, err := umami.Protocol{}.Decode(r)
		if err != nil || len(sent.Parts) != 2 {
			t.Fatalf("%+v, %v", sent, err)
		}
		sent.Parts[1].Err = weir.Errorf(code, "because")
		body := string(umami.Protocol{}.Answer(r, sent).Body)
		if !strings.HasPrefix(body, `{"size":2,"processed":1,"errors":1,"details":[{"index":1,`) || !strings.Contains(body, want) || !strings.Contains(body, `,"cache":"`) {
			t.Errorf("%s: %s", code, body)
		}
	}
}

func TestUmamiRefusesABatchOfTooManyWebsitesOrEvents(t *testing.T) {
	batch := func(n, websites int) error {
		items := make([]string, n)
		for i := range items {
			items[i] = strings.Replace(view, "wk_a", fmt.Sprint("wk_", i%websites), 1)
		}
		r := request(t, "/api/batch", wiretest.Chromium, `[`+strings.Join(items, ",")+`]`)
		r.Limits.Events = 30
		_, err := umami.Protocol{}.Decode(r)
		return err
	}
	for _, c := range []struct {
		n, websites int
		refused     bool
	}{{30, 20, false}, {21, 21, true}, {31, 1, true}} {
		if err := batch(c.n, c.websites); (weir.ErrorCode(err) == weir.ETOOLARGE) != c.refused {
			t.Errorf("%d events of %d websites: %v", c.n, c.websites, err)
		}
	}
}

func FuzzUmami(f *testing.F) {
	wiretest.EachRecorded(f, umami.Protocol{}, "umami-node", func(_ string, r *wire.Request) { f.Add(string(r.Body), false, true) })
	for _, seed := range []string{
		"", "[", "[{},1,null,[]]", `{"payload":{"website":"a","hostname":"b","url":"#/x","data":{"revenue":"x","currency":"eur","id":{}}},"type":"event"}`,
		`[` + view + `,{"type":"identify","payload":{"website":"b","data":{"id":1,"revenue":2,"currency":3}}},{"type":"record","payload":{"website":""}}]`,
		`{"type":"event","payload":{"website":"a","timestamp":-1,"data":{"screen":1,"tag":2},"screen":"\ud800","tag":"\u0000"}}`,
	} {
		f.Add(seed, true, false)
	}
	f.Fuzz(func(t *testing.T, body string, batch, browser bool) {
		defer wiretest.Bounded(t)()
		path, agent := "/api/send", "Mozilla/5.0 Umami/v22.1.0"
		if batch {
			path = "/api/batch"
		}
		if browser {
			agent = wiretest.Chromium
		}
		r := request(t, path, agent, body)
		r.Limits.Events = 20
		wiretest.CheckOutcome(t, umami.Protocol{}, r)
	})
}
