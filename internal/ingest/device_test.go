package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

const view = `{"name":"screen_view","path":"/"}`

func TestADerivedDeviceIsTheSameAllDay(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	first := r.sent(view, browser).DeviceID
	if len(first) != 22 {
		t.Fatalf("device %q: want 128 bits as 22 characters", first)
	}
	r.now = r.now.Add(24*time.Hour - time.Second)
	if d := r.sent(view, browser).DeviceID; d != first {
		t.Fatalf("%s, then %s", first, d)
	}
}

func TestADerivedDeviceIsOfProjectAddressAndAgent(t *testing.T) {
	r := newRig(t)
	other := *r.project
	other.ID = "q"
	base := r.sent(view, browser).DeviceID
	seen := map[string]string{base: "the first"}
	for what, from := range map[string]ingest.Remote{
		"another address": {IP: "192.0.2.8", UserAgent: browser.UserAgent},
		"another agent":   {IP: browser.IP, UserAgent: browser.UserAgent + " x"},
		"no agent":        {IP: browser.IP},
		// Were the parts only strung together, this would be the first.
		"the border moved": {IP: browser.IP + browser.UserAgent[:1], UserAgent: browser.UserAgent[1:]},
	} {
		d := r.sent(view, from).DeviceID
		if seen[d] != "" {
			t.Errorf("%s has the device of %s", what, seen[d])
		}
		seen[d] = what
	}
	r.project = &other
	if d := r.sent(view, browser).DeviceID; seen[d] != "" {
		t.Errorf("another project has the device of %s", seen[d])
	}
}

func TestEachSpellingOfAnAddressIsOneVisitor(t *testing.T) {
	r := newRig(t)
	for want, spellings := range map[string][]string{
		"203.0.113.5": {"203.0.113.5:4001", "::ffff:203.0.113.5", "203.0.113.5, 10.0.0.1", " 203.0.113.5 "},
		"2001:db8::5": {"2001:DB8:0:0:0:0:0:5", "[2001:db8::5]", "[2001:db8::5]:443", "2001:db8::5%eth0"},
	} {
		named := func(ip string) weir.Event {
			return r.sent(fmt.Sprintf(`{"name":"screen_view","path":"/","ip":%q,"user_agent":"Mozilla/5.0"}`, ip), browser)
		}
		device := named(want).DeviceID
		for _, ip := range spellings {
			if got := named(ip).DeviceID; got != device {
				t.Errorf("%q in an event is another device than %s", ip, want)
			}
			from := ingest.Remote{IP: ip, UserAgent: "Mozilla/5.0"}
			if got := r.sent(view, from).DeviceID; got != device {
				t.Errorf("%q of a request is another device than %s", ip, want)
			}
		}
	}
}

func TestMidnightInUTCGivesANewDevice(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 23, 20, 0, 0, time.UTC)
	before := r.sent(view, browser).DeviceID
	r.now = time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)
	after := r.sent(view, browser).DeviceID
	if before == after {
		t.Fatal("a device that was away for 40 minutes kept its name over midnight")
	}
	r.now = r.now.AddDate(0, 0, 1)
	if third := r.sent(view, browser).DeviceID; third == after || third == before {
		t.Fatal("the day after has a name of the days before")
	}
}

func TestAVisitOverMidnightKeepsItsDevice(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 23, 50, 0, 0, time.UTC)
	before := r.sent(view, browser).DeviceID
	for _, add := range []time.Duration{15 * time.Minute, 29 * time.Minute, 29 * time.Minute} {
		r.now = r.now.Add(add)
		if d := r.sent(view, browser).DeviceID; d != before {
			t.Fatalf("at %v the device was renamed in the middle of its visit", r.now)
		}
	}
	r.now = r.now.Add(30 * time.Minute)
	if r.sent(view, browser).DeviceID == before {
		t.Fatal("yesterday's name outlived the visit")
	}
}

func TestTheFirstDayHasNoYesterday(t *testing.T) {
	r := newRig(t)
	r.salts.first = r.now
	if r.sent(view, browser).DeviceID == "" {
		t.Fatal("no device")
	}
}

func TestAnImportedLogHasOneDevicePerVisitorForGood(t *testing.T) {
	r := newRig(t)
	past := browser
	past.Historical = true
	const line = `{"name":"api_call","ts":"2015-05-17T10:05:03Z","ip":"192.0.2.7","user_agent":"` +
		`Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0","call":{"route":"/"}}`
	first := r.sent(line, past).DeviceID
	if first == "" || first == r.sent(view, browser).DeviceID {
		t.Fatalf("imported device %q, want one of its own", first)
	}
	r.now = r.now.AddDate(0, 0, 40)
	if d := r.sent(line, past).DeviceID; d != first {
		t.Fatalf("imported again forty days later: %s, then %s", first, d)
	}
}

func TestWhoBringsALogIsNotTheVisitorOfItsEvents(t *testing.T) {
	r := newRig(t)
	r.project.StoreIP = true
	past := browser
	past.Historical = true
	for _, body := range []string{`{"name":"screen_view","path":"/"}`, `{"name":"api_call","call":{"route":"/"}}`} {
		e := r.sent(body, past)
		if e.DeviceID != "" || e.Browser != "" || e.Country != "" || len(e.Properties) > 0 {
			t.Errorf("%s: device %q, browser %q, country %q, properties %s", body, e.DeviceID, e.Browser, e.Country, e.Properties)
		}
	}
	if e := r.sent(`{"name":"screen_view","path":"/"}`, past); e.Channel != weir.ChannelDirect {
		t.Errorf("channel %q of a page of a log", e.Channel)
	}
}

func TestWhatAServerReportsIsNotDoneByItsOwnDevice(t *testing.T) {
	const visitor = `,"ip":"198.51.100.9","user_agent":"Mozilla/5.0 (iPhone)"`
	for _, c := range []struct {
		what, body string
		device     bool
	}{
		{"a call", `{"name":"api_call","call":{"route":"/x"}}`, false},
		{"an identified user's event", `{"name":"paid","profile_id":"u"}`, false},
		{"a call that names the visitor", `{"name":"api_call","call":{"route":"/x"}` + visitor + `}`, true},
		{"a user's event that names the visitor", `{"name":"paid","profile_id":"u"` + visitor + `}`, true},
		{"an anonymous event", `{"name":"paid"}`, true},
	} {
		if e := newRig(t).sent(c.body, browser); (e.DeviceID != "") != c.device {
			t.Errorf("%s: device %q", c.what, e.DeviceID)
		}
	}
}

func TestWithoutAddressAndAgentThereIsNoDevice(t *testing.T) {
	if e := newRig(t).sent(view, ingest.Remote{}); e.DeviceID != "" {
		t.Fatalf("device %q of nobody", e.DeviceID)
	}
}

func TestTheSendersOwnDeviceStays(t *testing.T) {
	if e := newRig(t).sent(`{"name":"x","device_id":"mine"}`, browser); e.DeviceID != "mine" {
		t.Fatalf("device %q", e.DeviceID)
	}
}

func TestTheVisitorThatAnEventNamesWinsOverItsSender(t *testing.T) {
	r := newRig(t)
	r.project.StoreIP = true
	named := `{"name":"x","ip":"198.51.100.9","user_agent":"Mozilla/5.0 (iPhone)"}`
	one := r.sent(named, browser)
	two := r.sent(named, ingest.Remote{IP: "192.0.2.200", UserAgent: "another proxy"})
	if one.DeviceID != two.DeviceID || !strings.Contains(string(one.Properties), "198.51.100.9") {
		t.Fatalf("devices %q and %q, properties %s", one.DeviceID, two.DeviceID, one.Properties)
	}
}

func TestNoEventIsStoredWhileThereIsNoSalt(t *testing.T) {
	for _, past := range []bool{false, true} {
		r := newRig(t)
		r.salts.fail = errors.New("disk is gone")
		from := browser
		from.Historical = past
		body := strings.Replace(view, "{", `{"ip":"192.0.2.7",`, 1)
		_, err := r.Ingest(t.Context(), r.project, strings.NewReader(body), "", from)
		if weir.ErrorCode(err) != weir.EUNAVAILABLE || strings.Contains(weir.ErrorMessage(err), "disk") {
			t.Errorf("%q: %v", weir.ErrorMessage(err), err)
		}
		if n := r.stored(); n != 0 {
			t.Errorf("%d events are stored", n)
		}
	}
}

func TestAClientMayAskForItsDeviceBeforeItSendsAnEvent(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 23, 50, 0, 0, time.UTC)
	asked, err := r.Device(t.Context(), r.project, browser)
	if err != nil || asked == "" || r.stored() != 0 {
		t.Fatalf("%q, %v, %d events", asked, err, r.stored())
	}
	if d := r.sent(view, browser).DeviceID; d != asked {
		t.Errorf("asked %s, got %s", asked, d)
	}
	r.now = r.now.Add(15 * time.Minute) // over midnight, in its visit
	if again, err := r.Device(t.Context(), r.project, browser); err != nil || again != asked {
		t.Errorf("%s, then %s, %v", asked, again, err)
	}
	if nobody, err := r.Device(t.Context(), r.project, ingest.Remote{}); err != nil || nobody != "" {
		t.Errorf("nobody has the device %q, %v", nobody, err)
	}
	r.salts.fail = errors.New("disk is gone")
	if _, err := r.Device(t.Context(), r.project, browser); weir.ErrorCode(err) != weir.EUNAVAILABLE || strings.Contains(weir.ErrorMessage(err), "disk") {
		t.Errorf("without salts: %v", err)
	}
}

// Each question is a round trip where the hot tier is in Redis.
func TestARequestAsksOnceForYesterdaysDevices(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 23, 50, 0, 0, time.UTC)
	visitor := func(i int) string { return fmt.Sprintf(`{"name":"screen_view","path":"/","ip":"198.51.100.%d"}`, i) }
	before := map[int]string{}
	for _, i := range []int{1, 2} {
		before[i] = r.sent(visitor(i), browser).DeviceID
	}
	r.now = r.now.Add(15 * time.Minute)
	r.log.asked = nil
	var events []string
	for i := range 40 {
		events = append(events, visitor(i%4), `{"name":"x"}`, `{"name":"x","device_id":"mine"}`)
	}
	r.send("["+strings.Join(events, ",")+"]", browser)
	if len(r.log.asked) != 1 || r.log.asked[0] != 5 {
		t.Errorf("a request of %d events asked %d times, for %v devices", len(events), len(r.log.asked), r.log.asked)
	}
	names := map[string]int{}
	for _, e := range r.newest(100) {
		names[e.DeviceID]++
	}
	if names[before[1]] == 0 || names[before[2]] == 0 || len(names) != 6 {
		t.Errorf("%v: want the two of before midnight, three new ones, and that of the sender", names)
	}
	r.log.asked = nil
	r.send(`{"name":"x","device_id":"mine"}`, browser)
	if len(r.log.asked) != 0 {
		t.Error("a request without unnamed devices asked")
	}
}
