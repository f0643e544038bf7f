package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

func TestUmamiGolden(t *testing.T) { checkGolden(t, wire.Umami{}) }

func TestUmamiTakesWhatItsSDKSends(t *testing.T) {
	checkRecordings(t, wire.Umami{}, "umami-node")
}

func umamiRequest(t testing.TB, path, agent, body string) *wire.Request {
	return asked(t, wire.Umami{}, "POST", path, map[string][]string{"User-Agent": {agent}}, []byte(body))
}

const umamiView = `{"type":"event","payload":{"website":"wk_a","hostname":"shop.example","url":"/"}}`

func TestUmamiNamesASessionByTheDeviceAndAVisitByItsHour(t *testing.T) {
	token := func(change func(*weir.Event)) string {
		r := umamiRequest(t, "/api/send", chromium, umamiView)
		sent, err := wire.Umami{}.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		change(&sent.Parts[0].Events[0].Event)
		return string(wire.Umami{}.Answer(r, sent).Body)
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
	r := umamiRequest(t, "/api/batch", chromium, `[`+umamiView+`,`+strings.ReplaceAll(umamiView, "wk_a", "wk_b")+`]`)
	for code, want := range map[string]string{
		weir.ERATELIMITED: `"code":"too-many-requests","status":429`, weir.EUNAVAILABLE: `"code":"service-unavailable","status":503`,
		weir.EUNAUTHORIZED: `"message":"Website not found.","code":"bad-request","status":400`, weir.EINTERNAL: `"message":"Server error","code":"server-error","status":500`,
	} {
		sent, err := wire.Umami{}.Decode(r)
		if err != nil || len(sent.Parts) != 2 {
			t.Fatalf("%+v, %v", sent, err)
		}
		sent.Parts[1].Err = weir.Errorf(code, "because")
		body := string(wire.Umami{}.Answer(r, sent).Body)
		if !strings.HasPrefix(body, `{"size":2,"processed":1,"errors":1,"details":[{"index":1,`) || !strings.Contains(body, want) || !strings.Contains(body, `,"cache":"`) {
			t.Errorf("%s: %s", code, body)
		}
	}
}

func TestUmamiRefusesABatchOfTooManyWebsitesOrEvents(t *testing.T) {
	batch := func(n, websites int) error {
		items := make([]string, n)
		for i := range items {
			items[i] = strings.Replace(umamiView, "wk_a", fmt.Sprint("wk_", i%websites), 1)
		}
		r := umamiRequest(t, "/api/batch", chromium, `[`+strings.Join(items, ",")+`]`)
		r.Limits.Events = 30
		_, err := wire.Umami{}.Decode(r)
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
	for _, r := range recordings(f, wire.Umami{}, "umami-node") {
		f.Add(string(r.Body), false, true)
	}
	for _, seed := range []string{
		"", "[", "[{},1,null,[]]", `{"payload":{"website":"a","hostname":"b","url":"#/x","data":{"revenue":"x","currency":"eur","id":{}}},"type":"event"}`,
		`[` + umamiView + `,{"type":"identify","payload":{"website":"b","data":{"id":1,"revenue":2,"currency":3}}},{"type":"record","payload":{"website":""}}]`,
		`{"type":"event","payload":{"website":"a","timestamp":-1,"data":{"screen":1,"tag":2},"screen":"\ud800","tag":"\u0000"}}`,
	} {
		f.Add(seed, true, false)
	}
	f.Fuzz(func(t *testing.T, body string, batch, browser bool) {
		path, agent := "/api/send", "Mozilla/5.0 Umami/v22.1.0"
		if batch {
			path = "/api/batch"
		}
		if browser {
			agent = chromium
		}
		r := umamiRequest(t, path, agent, body)
		r.Limits.Events = 20
		checkOutcome(t, wire.Umami{}, r)
	})
}
