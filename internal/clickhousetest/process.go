package clickhousetest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a started command.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and been waited for
}

// launch starts cmd so that it does not outlive this process.
//
// The kernel's signal for that is tied to the thread that started the child, not
// to the process, and Go ends threads when it likes. So the goroutine that starts
// the child owns its thread, and keeps it until the child has ended.
func launch(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = dieWithParent()
	cmd.SysProcAttr.Setpgid = true
	p := &process{cmd: cmd, done: make(chan struct{})}
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
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// kill ends the process, and waits for its end. It may have ended by itself.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ended is an error that says how the process has ended, or nil while it runs.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("it ended: %s", p.cmd.ProcessState)
	default:
		return nil
	}
}

// aborted says that the process, which has ended, ended by abort(3).
func (p *process) aborted() bool {
	how, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && how.Signaled() && how.Signal() == syscall.SIGABRT
}

// waitStopped waits until SIGSTOP has taken effect, where /proc tells.
func (p *process) waitStopped() {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		// 4711 (launcher) T 1 …; proc(5)
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		_, state, found := bytes.Cut(stat, []byte(") "))
		if err != nil || !found || bytes.HasPrefix(state, []byte("T")) {
			return
		}
		select {
		case <-ticker.C:
		case <-p.done:
			return
		}
	}
}
