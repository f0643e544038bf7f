package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/weir-analytics/weir/bench"
)

// loadBare loads a bare handler, in a process of its own as the server is, and returns what it took.
func loadBare(ctx context.Context, cfg bench.Config) (*bench.Report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: start a bare handler: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	child := exec.CommandContext(ctx, self, "bench", "--serve-bare", fmt.Sprintf("--batch=%d", cfg.Batch))
	child.Stderr = os.Stderr
	in, err := child.StdinPipe() // when it is closed, as when this process ends, the child ends
	if err != nil {
		stop()
		return nil, fmt.Errorf("bench: start a bare handler: %w", err)
	}
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("bench: start a bare handler: %w", err)
	}
	defer func() {
		_ = in.Close()
		stop()
		_ = child.Wait() // it was killed
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("bench: start a bare handler: %w", err)
	}
	var pids []int
	if len(cfg.PIDs) > 0 {
		pids = []int{child.Process.Pid}
	}
	return bench.Run(ctx, cfg.WithoutQuery(strings.TrimSpace(url), pids...))
}

// serveBare is the bare handler's process. It ends when its standard input does.
func serveBare(ctx context.Context, stdin io.Reader, stdout io.Writer, batch int) error {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	return bench.ServeBare(ctx, stdout, batch)
}
