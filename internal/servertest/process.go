package servertest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a started command.
type Process struct {
	Cmd  *exec.Cmd
	Done chan struct{} // closed when it has ended and been waited for
}

// Launch starts cmd in such a way that it does not outlive this process. Of cmd.SysProcAttr it
// keeps the user.
//
// The kernel's signal for that belongs to the thread that started the child, not
// to the process, and Go ends threads when it likes. So the goroutine that starts
// the child locks its thread until the child has ended.
func Launch(cmd *exec.Cmd) (*Process, error) {
	attr := dieWithParent()
	attr.Setpgid = true
	if cmd.SysProcAttr != nil {
		attr.Credential = cmd.SysProcAttr.Credential
	}
	cmd.SysProcAttr = attr
	p := &Process{Cmd: cmd, Done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.Done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Kill kills the process and the processes that it has started (Redis starts one
// that rewrites its data), and returns when the process has ended.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL)
	_ = p.Cmd.Process.Kill()
	<-p.Done
}

// Ended returns an error that says how the process has ended, or nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.Done:
		return fmt.Errorf("it ended: %s", p.Cmd.ProcessState)
	default:
		return nil
	}
}

// EndedBy returns whether the signal has ended the process. Call it after the end.
func (p *Process) EndedBy(sig syscall.Signal) bool {
	how, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && how.Signaled() && how.Signal() == sig
}

// Pause stops the process with SIGSTOP. On Linux it returns when the process has
// stopped.
func (p *Process) Pause() error {
	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		// 4711 (redis-server) T 1 …; proc(5)
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Cmd.Process.Pid))
		_, state, found := bytes.Cut(stat, []byte(") "))
		if err != nil || !found || bytes.HasPrefix(state, []byte("T")) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-p.Done:
			return nil
		}
	}
}

// Resume ends a Pause.
func (p *Process) Resume() error { return p.Cmd.Process.Signal(syscall.SIGCONT) }
