package ingest_test

import (
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

const spans = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
 {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000001","name":"GET /a","kind":2,"endTimeUnixNano":"1773482399000000000","attributes":[
  {"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"http.response.status_code","value":{"intValue":"200"}},
  {"key":"client.address","value":{"stringValue":"192.0.2.7"}},{"key":"user_agent.original","value":{"stringValue":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}]},
 {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000002","name":"SELECT","kind":3}]}]}]}`

func TestServerSpansAreCallsOnceAndOthersAreCounted(t *testing.T) {
	r := newRig(t)
	for i, want := range []struct{ accepted, duplicates int }{{1, 0}, {0, 1}} {
		reply, err := r.Traces(t.Context(), r.project, strings.NewReader(spans), "", browser)
		if err != nil || reply.Accepted != want.accepted || reply.Duplicates != want.duplicates || len(reply.Rejected) != 1 {
			t.Fatalf("time %d: %+v, %v", i, reply, err)
		}
	}
	if n := r.stored(); n != 1 {
		t.Errorf("%d events are stored", n)
	}
	if n := r.metric("weir_events_rejected_total", wire.ReasonNotServer); n != 2 {
		t.Errorf("%v spans are counted as %s, want 2", n, wire.ReasonNotServer)
	}
	e := r.last()
	if e.Name != weir.NameCall || e.Call.Route != "/a" || e.Call.Status != 200 || string(e.Properties) != `{"service":"shop"}` {
		t.Errorf("%+v %+v %s", e, e.Call, e.Properties)
	}
	if e.DeviceID != "" || e.Browser != "Firefox" {
		t.Errorf("device %q, browser %q: want none, and Firefox", e.DeviceID, e.Browser)
	}
}

func TestACallIsNotSaidToComeFromItsExporter(t *testing.T) {
	r := newRig(t)
	body := strings.NewReplacer("client.address", "x", "user_agent.original", "y").Replace(spans)
	if _, err := r.Traces(t.Context(), r.project, strings.NewReader(body), "", browser); err != nil {
		t.Fatal(err)
	}
	if e := r.last(); e.Browser != "" || e.DeviceID != "" || e.Country != "" {
		t.Errorf("browser %q, device %q, country %q", e.Browser, e.DeviceID, e.Country)
	}
}

func TestARequestOfSpansThatIsRefusedIsCounted(t *testing.T) {
	r := newRig(t)
	if _, err := r.Traces(t.Context(), r.project, strings.NewReader("{"), "", browser); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("broken: %v", err)
	}
	if _, err := r.Traces(t.Context(), r.project, strings.NewReader("{}"), "compress", browser); weir.ErrorCode(err) != weir.EUNSUPPORTED {
		t.Errorf("br: %v", err)
	}
	r.log.fail = weir.Errorf(weir.EINTERNAL, "away")
	if _, err := r.Traces(t.Context(), r.project, strings.NewReader(spans), "", browser); weir.ErrorCode(err) != weir.EUNAVAILABLE {
		t.Errorf("away: %v", err)
	}
	for _, code := range []string{weir.EINVALID, weir.EUNSUPPORTED, weir.EUNAVAILABLE} {
		if n := r.metric("weir_ingest_requests_refused_total", code); n != 1 {
			t.Errorf("%v requests are counted as %s", n, code)
		}
	}
}
