package native_test

import (
	"net/http"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
)

func request(query, body string, headers ...string) *wire.Request {
	r := &wire.Request{RawQuery: query, Header: http.Header{}, Body: []byte(body), Now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), Limits: wire.DefaultLimits()}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestSentAtCorrectsTimesOnlyIfItIsATime(t *testing.T) {
	const body = `{"name":"x","ts":"2026-03-14T08:00:00Z"}` // by a clock that is two hours late
	for sentAt, want := range map[string]string{
		"1773475200000":     "2026-03-14T10:00:00Z",
		"":                  "2026-03-14T08:00:00Z",
		"soon":              "2026-03-14T08:00:00Z",
		"-1":                "2026-03-14T08:00:00Z",
		"0":                 "2026-03-14T08:00:00Z",
		"99999999999999999": "2026-03-14T08:00:00Z",
		"1e12":              "2026-03-14T08:00:00Z",
	} {
		d, err := native.Protocol{}.Decode(request("sent_at="+sentAt, body))
		if err != nil || len(d.Parts[0].Events) != 1 {
			t.Errorf("sent_at %q: %+v, %v", sentAt, d, err)
			continue
		}
		if got := d.Parts[0].Events[0].Event.Time.UTC().Format(time.RFC3339); got != want {
			t.Errorf("sent_at %q: the event is of %s, want %s", sentAt, got, want)
		}
	}
}

func TestEventsHaveTheIDOfTheirImport(t *testing.T) {
	d, err := native.Protocol{}.Decode(request("", `[{"name":"x"},{"name":"y","import_id":"mine"}]`, "X-Weir-Import", "spring"))
	if err != nil || len(d.Parts[0].Events) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, in := range d.Parts[0].Events {
		if in.Event.ImportID != "spring" {
			t.Errorf("%s has the import id %q", in.Event.Name, in.Event.ImportID)
		}
	}
	if _, err := (native.Protocol{}).Decode(request("", `[{"name":"x"}]`, "X-Weir-Import", "a b")); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("an id with a space: %v", err)
	}
}

func TestSenderIsALogAPageOrUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		r    *wire.Request
		want wire.From
	}{
		"nothing":          {request("", "[]"), wire.FromUnknown},
		"a page":           {request("", "[]", "Origin", "https://shop.example"), wire.FromPage},
		"a log":            {request("", "[]", "X-Weir-Historical", "true"), wire.FromLog},
		"a log, in query":  {request("historical=1", "[]"), wire.FromLog},
		"a log in a page":  {request("historical=1", "[]", "Origin", "https://shop.example"), wire.FromLog},
		"no yes and no no": {request("historical=maybe", "[]"), wire.FromUnknown},
	} {
		d, err := native.Protocol{}.Decode(c.r)
		if err != nil || d.From != c.want {
			t.Errorf("%s: %+v, %v, want %v", name, d, err, c.want)
		}
	}
}

func TestReplyIsAnErrorOnlyIfEveryEventIsDefective(t *testing.T) {
	missing := weir.Rejection{Index: 1, Reason: wire.ReasonNameMissing}
	for name, c := range map[string]struct {
		part   wire.Part
		status int
		body   string
	}{
		"none":      {wire.Part{}, 200, `{"accepted":0,"duplicates":0,"rejected":[]}` + "\n"},
		"defective": {wire.Part{Rejected: []weir.Rejection{missing}}, 400, `{"error":{"code":"invalid","message":"no event was taken; the first one: name_missing"},"accepted":0,"duplicates":0,"rejected":[{"index":1,"reason":"name_missing"}]}` + "\n"},
		"one waits": {wire.Part{Rejected: []weir.Rejection{{Reason: wire.ReasonQuota}, missing}}, 200, `{"accepted":0,"duplicates":0,"rejected":[{"index":0,"reason":"quota_exceeded"},{"index":1,"reason":"name_missing"}]}` + "\n"},
		"filtered":  {wire.Part{Rejected: []weir.Rejection{{Reason: wire.ReasonAddress}, {Index: 1, Reason: wire.ReasonBot}}}, 200, `{"accepted":0,"duplicates":0,"rejected":[{"index":0,"reason":"address_filtered"},{"index":1,"reason":"bot_dropped"}]}` + "\n"},
		"accepted":  {wire.Part{Accepted: 2, Duplicates: 1}, 200, `{"accepted":2,"duplicates":1,"rejected":[]}` + "\n"},
	} {
		out := native.Protocol{}.Answer(nil, &wire.Decoded{Parts: []wire.Part{c.part}})
		if out.Status != c.status || string(out.Body) != c.body || out.ContentType != "application/json" {
			t.Errorf("%s: %d %s %s", name, out.Status, out.ContentType, out.Body)
		}
	}
}
