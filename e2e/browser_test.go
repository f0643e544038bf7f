package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"
)

// browserFor is the path of a browser that Playwright can drive, with what is built
// for it there; the test is skipped where something is missing.
func browserFor(t *testing.T) string {
	t.Helper()
	need := func(what string, err error) {
		t.Helper()
		if err == nil {
			return
		}
		if os.Getenv("WEIR_TEST_STRICT") != "" {
			t.Fatalf("%s: %v", what, err)
		}
		t.Skipf("%s: %v", what, err)
	}
	path, err := exec.LookPath("chromium")
	need("no browser", err)
	_, err = os.Stat("../web/node_modules/playwright-core")
	need("no Playwright; run make web", err)
	_, err = os.Stat("../web/dist/index.html")
	need("the dashboard is not built; run make web", err)
	return path
}

// visitor is a browser that does as it is told: see web/e2e/snippet.mjs.
type visitor struct {
	t     *testing.T
	in    io.Writer
	lines *bufio.Scanner
}

func startBrowser(t *testing.T) *visitor {
	t.Helper()
	cmd := exec.Command("node", "e2e/snippet.mjs")
	cmd.Dir = "../web"
	cmd.Env = append(os.Environ(), "CHROMIUM="+browserFor(t))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("browser: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &visitor{t, in, lines}
}

// does one thing, and stores its answer in out unless that is nil.
func (v *visitor) does(what map[string]any, out any) {
	v.t.Helper()
	line, err := json.Marshal(what)
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.in.Write(append(line, '\n')); err != nil {
		v.t.Fatal(err)
	}
	if !v.lines.Scan() {
		v.t.Fatalf("%s: the browser is gone: %v", line, v.lines.Err())
	}
	var answer struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal(v.lines.Bytes(), &answer); err != nil || answer.Error != "" {
		v.t.Fatalf("%s: %s %v", line, answer.Error, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer.Value, out); err != nil {
		v.t.Fatalf("%s: %s: %v", line, answer.Value, err)
	}
}

func (v *visitor) goes(url string) {
	v.t.Helper()
	v.does(map[string]any{"do": "goto", "url": url}, nil)
}

func (v *visitor) runs(js string) {
	v.t.Helper()
	v.does(map[string]any{"do": "eval", "js": "(() => {" + js + "})()"}, nil)
}

func (v *visitor) clicks(selector, button string) {
	v.t.Helper()
	v.does(map[string]any{"do": "click", "selector": selector, "button": button}, nil)
}

func (v *visitor) simply(action string) { v.t.Helper(); v.does(map[string]any{"do": action}, nil) }

// waits until what the snippet gathered is on its way: its timer was set before
// this one, and is shorter.
func (v *visitor) waits() {
	v.t.Helper()
	v.does(map[string]any{"do": "eval", "js": "new Promise((done) => setTimeout(done, 300)).then(() => null)"}, nil)
}
