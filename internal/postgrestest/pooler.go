package postgrestest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/weir-analytics/weir/internal/servertest"
)

// Pooler starts a PgBouncer before the server, in transaction mode with two connections to it:
// each transaction may be on another one. It returns its address, host:port.
func (s *Server) Pooler(t testing.TB) string {
	t.Helper()
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		servertest.Missing(t, "pgbouncer is not installed")
	}
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	own := servertest.ClaimPort(t)
	users, config := filepath.Join(s.Dir, "users.txt"), filepath.Join(s.Dir, "pgbouncer.ini")
	for path, text := range map[string]string{
		users: fmt.Sprintf("\"weir\" %q\n", Password),
		config: fmt.Sprintf("[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%d\nunix_socket_dir=\nauth_type=plain\nauth_file=%s\n"+
			"pool_mode=transaction\ndefault_pool_size=2\nmax_client_conn=500\n", host, port, own, users),
	} {
		if err := s.writeFile(path, text); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(s.Dir, "pgbouncer.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(bin, config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	p, err := servertest.Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(own))
	servertest.Wait(t, "start of PgBouncer", func() error {
		if err := p.Ended(); err != nil {
			text, _ := os.ReadFile(log.Name())
			return servertest.Final("%w\n%s", err, text)
		}
		c, err := pgx.Connect(t.Context(), fmt.Sprintf("postgres://weir:%s@%s/postgres?sslmode=disable", Password, addr))
		if err != nil {
			return err
		}
		return c.Close(context.WithoutCancel(t.Context()))
	})
	return addr
}
