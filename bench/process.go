package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Process is what a process has used, by /proc.
type Process struct {
	Name string        // of the program, cut to 15 bytes
	CPU  time.Duration // user and system time since its start
	RSS  int64         // resident memory, bytes
	Peak int64         // greatest RSS so far, bytes
}

// ticksPerSecond is the unit of times in /proc, USER_HZ, which is 100 on every
// architecture that Go runs on.
const ticksPerSecond = 100

// ReadProcess reads a process's use from /proc (proc(5), stat and status).
func ReadProcess(pid int) (Process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Process{}, fmt.Errorf("bench: process %d: %w", pid, err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Process{}, fmt.Errorf("bench: process %d: %w", pid, err)
	}
	p, err := parseProcess(stat, status)
	if err != nil {
		return Process{}, fmt.Errorf("bench: process %d: %w", pid, err)
	}
	return p, nil
}

// parseProcess takes utime and stime, fields 14 and 15 of stat, and the memory
// lines of status. The name, field 2, may hold spaces and brackets.
func parseProcess(stat, status []byte) (p Process, err error) {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	if end < 0 || len(fields) < 13 {
		return p, fmt.Errorf("stat has %d fields", len(fields))
	}
	if begin >= 0 {
		p.Name = string(stat[begin+1 : end])
	}
	for _, f := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return p, fmt.Errorf("stat: %w", err)
		}
		p.CPU += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var to *int64
		switch string(name) {
		case "VmRSS":
			to = &p.RSS
		case "VmHWM":
			to = &p.Peak
		default:
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return p, fmt.Errorf("status: %w", err)
		}
		*to = kib << 10
	}
	return p, nil
}
