package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// memoryGroup makes a cgroup below this process's own in which processes have so much
// memory together, and says what kind it is. Where the machine does not let it, the
// group is "".
func memoryGroup(t *testing.T, mib int) (group, kind string) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", "none: " + err.Error()
	}
	err = errors.New("there are no cgroups")
	for line := range strings.Lines(string(raw)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		var dir, limit string
		switch {
		case len(parts) != 3:
			continue
		case parts[1] == "memory":
			dir, limit = filepath.Join("/sys/fs/cgroup/memory", parts[2]), "memory.limit_in_bytes"
		case parts[1] == "":
			dir, limit = filepath.Join("/sys/fs/cgroup", parts[2]), "memory.max"
		default:
			continue
		}
		group = filepath.Join(dir, fmt.Sprint("weir-soak-", os.Getpid()))
		if err = os.Mkdir(group, 0o700); err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) })
		if err = os.WriteFile(filepath.Join(group, limit), fmt.Append(nil, mib<<20), 0o600); err == nil {
			return group, "a cgroup of " + fmt.Sprint(mib) + " MiB"
		}
	}
	return "", "--memory alone, there is no cgroup: " + err.Error()
}

// inGroup is weir, started in the group.
func inGroup(t *testing.T, path, group string) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "weir")
	text := fmt.Sprintf("#!/bin/sh\necho $$ > '%s/cgroup.procs' && exec '%s' \"$@\"\n", group, path)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	return script
}
