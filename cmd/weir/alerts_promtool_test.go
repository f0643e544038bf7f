//go:build promtool

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestAlertsFireWhenTheyShould asks promtool, which comes with Prometheus:
// go test -tags promtool -run Alerts ./cmd/weir.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", "testdata/alerts.yml"}} {
		out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
		if err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
