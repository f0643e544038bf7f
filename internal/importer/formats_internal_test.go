package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const agent = `"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"`

// virtualHosts is a log of Debian's format vhost_combined.
const virtualHosts = `shop.example:443 203.0.113.5 - - [01/Mar/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 10 "-" ` + agent + `
shop.example:443 203.0.113.6 - - [01/Mar/2026:10:00:01 +0000] "GET /b HTTP/1.1" 200 10 "-" ` + agent + `
shop.example:443 203.0.113.7 - ada [01/Mar/2026:10:00:02 +0000] "GET /c HTTP/1.1" 200 10 "-" ` + agent + `
blog.example:443 2001:db8::7 - - [01/Mar/2026:10:00:03 +0000] "GET /c HTTP/1.1" 200 10 "-" ` + agent + "\n"

func TestALogOfVirtualHostsIsReadAsSuchOrRefused(t *testing.T) {
	for _, format := range []string{"auto", "vhost_combined", "combined", "common", "nginx"} {
		server := newFakeServer(t)
		run := newImportRun(server.URL, writeLog(t, "access.log", []byte(virtualHosts)))
		run.Options.Format = format
		rep, err := run.do(t)
		if format != "auto" && format != "vhost_combined" {
			if err == nil || rep.Rejected != 4 || len(server.events) != 0 {
				t.Errorf("%s: %d rejected, %d events, error %v", format, rep.Rejected, len(server.events), err)
			}
			continue
		}
		if err != nil || rep.Accepted != 4 {
			t.Errorf("%s: %d accepted, error %v", format, rep.Accepted, err)
			continue
		}
		var got []string
		for _, e := range server.events {
			consumer, _ := e.Call["consumer"].(string)
			got = append(got, e.IP+" "+consumer+" "+e.Properties["host"].(string)+e.DeviceID)
		}
		want := []string{"203.0.113.5  shop.example", "203.0.113.6  shop.example", "203.0.113.7 ada shop.example", "2001:db8::7  blog.example"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: address, consumer and host (-want +got):\n%s", format, diff)
		}
		if told := strings.Contains(run.errs.String(), "the format is vhost_combined"); told != (format == "auto") {
			t.Errorf("%s: told %q", format, run.errs.String())
		}
	}
}

func TestFilesOfOneImportMayHaveDifferentFormats(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, writeLog(t, "a.log", []byte(virtualHosts)), writeLog(t, "b.log", []byte(logLines(2))))
	run.Options.Format = "auto"
	if rep, err := run.do(t); err != nil || rep.Accepted != 6 {
		t.Errorf("%d accepted, error %v", rep.Accepted, err)
	}
}

func TestAnErrorThatCaddyLogsBesideItsAccessLineIsNoCallOfItsOwn(t *testing.T) {
	server := newFakeServer(t)
	request := `"request":{"remote_ip":"192.0.2.8","method":"GET","host":"localhost:8443","uri":"/a","headers":{}},"duration":0.1,"status":502}` + "\n"
	run := newImportRun(server.URL, writeLog(t, "caddy.log", []byte(
		`{"level":"error","ts":1646861401.5,"logger":"http.log.error","msg":"dial tcp: refused",`+request+
			`{"level":"error","ts":1646861401.5,"logger":"http.log.access","msg":"handled request",`+request)))
	run.Options.Format = "caddy"
	rep, err := run.do(t)
	if err != nil || len(server.events) != 1 || rep.Rejected != 0 || rep.left() != 1 {
		t.Errorf("%d events, report %+v, error %v", len(server.events), rep, err)
	}
}

func TestFollowReadsOnALogWhoseFieldsWereNamedAtItsBegin(t *testing.T) {
	server := newFakeServer(t)
	dir := t.TempDir()
	f := newFollowRun(t, server.URL, dir)
	f.Options.Format = "iis"
	f.writes(t, "#Fields: date time sc-status cs-method cs-uri-stem c-ip\n2026-03-01 10:00:00 200 GET /a 203.0.113.5\n")
	if _, err := f.follows(t); err != nil {
		t.Fatal(err)
	}
	f = newFollowRun(t, server.URL, dir)
	f.Options.Format = "iis"
	f.writes(t, "2026-03-01 10:00:01 404 GET /b 203.0.113.5\n")
	if rep, err := f.follows(t); err != nil || len(server.events) != 2 || server.events[1].Call["status"] != 404.0 {
		t.Errorf("events %+v, report %+v, error %v", server.events, rep, err)
	}
}
