package importer

import (
	"net/http"
	"slices"
	"testing"
)

func TestRunHasOneIDForAllOfItsRequests(t *testing.T) {
	var ids []string
	for _, name := range []string{"", "", "spring-2026"} {
		server := newFakeServer(t)
		server.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n == 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return n == 2
		}
		run := newImportRun(server.URL, writeLog(t, "a.log", []byte(logLines(1200))))
		run.Options.ID = name
		rep, err := run.do(t)
		if err != nil {
			t.Fatal(err)
		}
		sent := slices.Compact(server.imports)
		if len(server.imports) < 2 || len(sent) != 1 || sent[0] != rep.ID || rep.ID == "" || name != "" && rep.ID != name {
			t.Errorf("--id %q: the report says %q, %d requests say %q", name, rep.ID, len(server.imports), sent)
		}
		ids = append(ids, rep.ID)
	}
	if ids[0] == ids[1] {
		t.Errorf("two runs have the id %q", ids[0])
	}
}

func TestIDThatTheServerRefusesIsRefusedBeforeTheImport(t *testing.T) {
	run := newImportRun("http://127.0.0.1:1", writeLog(t, "a.log", []byte(logLines(1))))
	run.Options.ID = "spring 2026"
	if _, err := run.do(t); err == nil {
		t.Error("no error")
	}
}
