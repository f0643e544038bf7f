package wiretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Allocated is how many bytes a function takes from the heap.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// CheckEvent checks that an event is within the limits.
func CheckEvent(t *testing.T, in *weir.Incoming, l wire.Limits) {
	e := &in.Event
	checkText(t, e.Name, l.Name)
	if e.Name == "" {
		t.Error("no name")
	}
	for _, s := range []string{e.ID, e.ProfileID, e.DeviceID, e.SessionID} {
		checkText(t, s, l.ID)
	}
	for _, s := range []string{e.Path, e.Title, e.Language, e.Library, e.Currency, in.Source.IP, in.Source.UserAgent} {
		checkText(t, s, l.String)
	}
	checkText(t, in.Source.URL, l.URL)
	checkText(t, in.Source.Referrer, l.URL)
	if (e.Call != nil) != (e.Name == weir.NameCall) {
		t.Errorf("name %q, call %v", e.Name, e.Call)
	}
	if c := e.Call; c != nil {
		for _, s := range []string{c.Method, c.Route, c.Consumer} {
			checkText(t, s, l.String)
		}
		checkText(t, c.TraceID, l.ID)
		checkText(t, c.Error, weir.MaxError)
		for _, n := range []weir.Number{c.RequestBytes, c.ResponseBytes} {
			if n.Value < 0 || n.Value > weir.MaxBytes || n.Value != math.Trunc(n.Value) {
				t.Errorf("%v bytes", n)
			}
		}
		if c.Status != 0 && (c.Status < 100 || c.Status > 599) || c.LatencyMS.Value < 0 {
			t.Errorf("call %+v", c)
		}
	}
	if e.Time.Before(l.Oldest) || e.Time.After(Now.Add(l.Future)) || e.Time.Nanosecond()%1000 != 0 {
		t.Errorf("time %v", e.Time)
	}
	if e.ProjectID != "" || !e.ReceivedAt.IsZero() {
		t.Error("set what is not the parser's")
	}
	if e.Properties != nil {
		checkProperties(t, e.Properties, l)
	}
}

func checkText(t *testing.T, s string, limit int) {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		t.Errorf("text %q, limit %d", s, limit)
	}
}

// checkProperties decodes them with a reader that wants every number to fit.
func checkProperties(t *testing.T, p json.RawMessage, l wire.Limits) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, p); err != nil || !bytes.Equal(compact.Bytes(), p) {
		t.Fatalf("properties %q are not compact JSON: %v", p, err)
	}
	if !utf8.Valid(p) || bytes.Contains(bytes.ReplaceAll(p, []byte(`\\`), nil), []byte(`\u0000`)) {
		t.Errorf("properties %q", p)
	}
	var top map[string]any
	if err := json.Unmarshal(p, &top); err != nil {
		t.Fatalf("properties %q: %v", p, err)
	}
	if len(top) == 0 || len(top) > l.Properties {
		t.Errorf("%d properties", len(top))
	}
	entries, depth := 0, 0 // as sent: a duplicate key would be counted twice
	d := json.NewDecoder(bytes.NewReader(p))
	var wide func(v any) int
	wide = func(v any) (n int) {
		switch v := v.(type) {
		case map[string]any:
			n = len(v)
			for _, x := range v {
				n += wide(x)
			}
		case []any:
			for _, x := range v {
				n += wide(x)
			}
		}
		return n
	}
	type level struct{ object, key bool }
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if n := len(open); n > 0 && open[n-1].object && token != json.Delim('}') {
			if open[n-1].key {
				entries++
				open[n-1].key = false
				continue
			}
			open[n-1].key = true
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open = append(open, level{token == json.Delim('{'), true})
			depth = max(depth, len(open))
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
	if depth > l.Depth {
		t.Errorf("properties %q are %d deep", p, depth)
	}
	if n := wide(top); n != entries {
		t.Errorf("properties %q have %d keys, %d distinct", p, entries, n)
	}
}

// Bounded fails the test if it has allocated more than 64 MiB when what it returns is
// called.
func Bounded(t testing.TB) func() {
	before := everAllocated()
	return func() {
		if n := everAllocated() - before; n > 64<<20 {
			t.Errorf("%d MiB were allocated", n>>20)
		}
	}
}

// everAllocated is all that this process has allocated so far, in bytes.
func everAllocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// CheckOutcome is what holds for any request of a protocol: its events are within the
// limits, its properties JSON without duplicate keys, its reply is one.
func CheckOutcome(t *testing.T, p wire.Protocol, r *wire.Request) {
	l := r.Limits
	budget := wire.NewBudget(8 << 20) // no small request takes more
	h := budget.Open(t.Context())
	h.SetKnown()
	r.Limits.Memory = h
	sent, err := p.Decode(r)
	if err == nil {
		err = h.ReserveStorage()
	}
	defer func() { // the events are there until then
		if h.Close(); budget.Held() != 0 {
			t.Errorf("%d bytes are held for ever", budget.Held())
		}
	}()
	var out wire.Response
	if err != nil {
		domain, ok := errors.AsType[*weir.Error](err)
		if !ok || !slices.Contains([]string{weir.EINVALID, weir.ETOOLARGE, weir.EUNAUTHORIZED}, domain.Code) {
			t.Fatalf("error %v", err)
		}
		out = p.Refuse(r, 400, domain)
	} else {
		for i := range sent.Parts {
			for k := range sent.Parts[i].Events {
				CheckEvent(t, &sent.Parts[i].Events[k], l)
			}
			for _, j := range sent.Parts[i].Rejected {
				if !slices.Contains(append(wire.Reasons(), wire.VendorReasons()...), j.Reason) {
					t.Errorf("reason %q is not listed", j.Reason)
				}
			}
			if sent.Parts[i].Project == "" {
				sent.Parts[i].Err = weir.Errorf(weir.EUNAUTHORIZED, "unknown")
			}
		}
		out = p.Answer(r, sent)
	}
	if out.Status < 200 || out.Status > 499 || strings.Contains(out.ContentType, "json") && !json.Valid(out.Body) || !strings.HasPrefix(out.ContentType, "image/") && bytes.Contains(out.Body, []byte("\x00")) {
		t.Errorf("reply %d %s %q", out.Status, out.ContentType, out.Body)
	}
}

// checkMended checks properties that were put together: compact JSON, an object, no key
// twice at its top.
func checkMended(t *testing.T, p json.RawMessage) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, p); err != nil || !bytes.Equal(compact.Bytes(), p) || !utf8.Valid(p) {
		t.Fatalf("properties %q are not compact JSON: %v", p, err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(p, &top); err != nil || len(top) == 0 {
		t.Fatalf("properties %q: %v", p, err)
	}
	d := json.NewDecoder(bytes.NewReader(p))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d.More() {
		var value json.RawMessage
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen != len(top) {
		t.Errorf("properties %q have a key twice", p)
	}
}

// SmallLimits are limits that short inputs come up against.
func SmallLimits() wire.Limits {
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 400, 12, 30, 40, 60, 8, 4
	return l
}

// CheckExchange checks what holds for any request: it is refused as the sender's fault,
// or its events are within the limits, each of a place in the request, and the answer
// is one.
func CheckExchange(t *testing.T, p wire.Protocol, r *wire.Request) *wire.Decoded {
	sent, err := p.Decode(r)
	if err != nil {
		switch code := weir.ErrorCode(err); code {
		case weir.EINVALID, weir.ETOOLARGE, weir.EUNAUTHORIZED, weir.EUNSUPPORTED:
		default:
			t.Errorf("code %q: %v", code, err)
		}
		if out := p.Refuse(r, 400, weir.Errorf(weir.EINVALID, "%s", weir.ErrorMessage(err))); out.Status != 400 {
			t.Errorf("refused with %d", out.Status)
		}
		return nil
	}
	if events := CheckEvents(t, sent, r.Limits); events > r.Limits.Events {
		t.Fatalf("%d events", events)
	}
	if out := p.Answer(r, sent); out.Status/100 != 2 || (len(out.Body) == 0) != (out.ContentType == "") && out.ContentType != "text/plain; charset=utf-8" {
		t.Errorf("answer %+v", out)
	}
	return sent
}

// CheckEvents checks that the events of a request are within the limits, and its rejections
// complete. It returns how many events there are.
func CheckEvents(t *testing.T, sent *wire.Decoded, l wire.Limits) (events int) {
	for i := range sent.Parts {
		part := &sent.Parts[i]
		if part.Project == "" {
			t.Error("a part without a project")
		}
		for j := range part.Events {
			checkVendorEvent(t, &part.Events[j], l)
			events++
		}
		for _, j := range part.Rejected {
			if j.Reason == "" || j.Index < 0 {
				t.Errorf("rejection %+v", j)
			}
		}
	}
	return events
}

// checkVendorEvent is checkEvent for events that were mended.
func checkVendorEvent(t *testing.T, in *weir.Incoming, l wire.Limits) {
	e := &in.Event
	if e.Name == "" {
		t.Error("no name")
	}
	for _, s := range []string{e.ID, e.ProfileID, e.DeviceID, e.SessionID} {
		checkText(t, s, l.ID)
	}
	for _, s := range []string{
		e.Name, e.Title, e.Language, e.Library, e.Currency, e.UTMSource, e.UTMMedium, e.UTMCampaign, e.UTMTerm, e.UTMContent, e.Country, e.Region, e.City,
		e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType, in.Source.IP, in.Source.UserAgent,
	} {
		checkText(t, s, l.String)
	}
	checkText(t, in.Source.URL, l.URL)
	checkText(t, in.Source.Referrer, l.URL)
	if e.Time.Before(l.Oldest) || e.Time.After(Now.Add(l.Future)) || in.Source.Client && in.Source.Reported {
		t.Errorf("time %v, source %+v", e.Time, in.Source)
	}
	if e.Properties != nil {
		checkMended(t, e.Properties)
	}
}
