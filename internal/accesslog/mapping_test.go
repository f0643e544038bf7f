package accesslog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/accesslog"
)

func TestAMappingIsPairsOfFieldAndName(t *testing.T) {
	got, err := accesslog.ParseMapping(" ts=time, ip = client.addr ,")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(accesslog.Mapping{"ts": "time", "ip": "client.addr"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWrongMappingIsRefused(t *testing.T) {
	for mapping, want := range map[string]string{
		"ts":            "write it as FIELD=NAME",
		"ts=":           "write it as FIELD=NAME",
		"when=time":     `unknown field "when"`,
		"ts=a,ts=b":     "ts is mapped twice",
		"ts=a,status=a": "mapped to two fields",
	} {
		m, err := accesslog.ParseMapping(mapping)
		if err == nil {
			_, err = accesslog.New(accesslog.JSON, accesslog.Options{Mapping: m})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", mapping, err, want)
		}
	}
}

func TestAMappingMadeByHandIsCheckedToo(t *testing.T) {
	if _, err := accesslog.New(accesslog.JSON, accesslog.Options{Mapping: accesslog.Mapping{"when": "t"}}); err == nil {
		t.Error("an unknown field was taken")
	}
}

func TestFieldsThatAreNotMappedHaveTheirOwnNames(t *testing.T) {
	p, err := accesslog.New(accesslog.JSON, accesslog.Options{Mapping: accesslog.Mapping{"ts": "status"}})
	if err != nil {
		t.Fatal(err)
	}
	var e accesslog.Entry
	// "status" is the time here, so it is not the status.
	if err := p.Parse([]byte(`{"status":1709283600,"request":"GET /a?b HTTP/1.1","latency_us":1500}`), &e); err != nil {
		t.Fatal(err)
	}
	if e.Method != "GET" || e.Path != "/a" || e.Status != 0 || e.LatencyMS.Value != 1.5 || e.Time.Year() != 2024 {
		t.Errorf("entry is %+v", e)
	}
}

func TestALatencyThatIsMappedReplacesTheOthers(t *testing.T) {
	p, err := accesslog.New(accesslog.JSON, accesslog.Options{Mapping: accesslog.Mapping{"latency_ns": "took"}})
	if err != nil {
		t.Fatal(err)
	}
	var e accesslog.Entry
	if err := p.Parse([]byte(`{"ts":1709283600,"path":"/","took":2500000,"latency_ms":99}`), &e); err != nil {
		t.Fatal(err)
	}
	if e.LatencyMS.Value != 2.5 {
		t.Errorf("latency is %v ms, want 2.5", e.LatencyMS)
	}
}

func TestADateInDigitsIsNoUnixTime(t *testing.T) {
	p := newParser(t, accesslog.JSON)
	var e accesslog.Entry
	for _, ts := range []string{`20240102`, `"20240102"`, `0`} {
		if err := p.Parse([]byte(`{"ts":`+ts+`,"path":"/"}`), &e); err == nil {
			t.Errorf("%s is read as %s", ts, e.Time)
		}
	}
}
