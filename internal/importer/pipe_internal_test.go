package importer

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// openPipe is an import from a pipe that stays open; sent receives once a request is answered.
func openPipe(t *testing.T) (run *importRun, w *io.PipeWriter, server *fakeServer, sent chan int) {
	t.Helper()
	server, sent = newFakeServer(t), make(chan int, 10)
	server.after = func(n int, _ http.ResponseWriter) bool {
		sent <- len(server.events)
		return false
	}
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	run = newImportRun(server.URL, "-")
	run.Stdin = r
	return run, w, server, sent
}

func TestImportOfAnOpenPipeSendsWhatIsThereWithinASecond(t *testing.T) {
	run, w, _, sent := openPipe(t)
	done := make(chan error)
	go func() { done <- run.run(t.Context()) }()
	for _, step := range []struct{ lines, want int }{{3, 3}, {2, 5}} {
		if _, err := io.WriteString(w, logLines(step.lines)); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < step.want; {
			n = <-sent
		}
	}
	_ = w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestImportOfAnOpenPipeObeysTheSignalAndSendsWhatItRead(t *testing.T) {
	run, w, server, _ := openPipe(t)
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run.run(ctx) }()
	// A pipe's write returns when the other end has read, so that the first is with the import once the second is.
	for _, text := range []string{logLines(4), "half a line"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "what was read of standard input was sent") {
		t.Errorf("error is %v", err)
	}
	if len(server.events) != 4 {
		t.Errorf("the server has %d of 4 events", len(server.events))
	}
}
