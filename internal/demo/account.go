package demo

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

const (
	email = "demo@example.com"
	// knownPassword is the one that the demo's account had in earlier versions.
	knownPassword = "weir-demo"
)

// ResetAccount makes the demo's account, or gives it a new password, so that whoever can
// read the output can sign in. It returns what to sign in with.
func ResetAccount(ctx context.Context, m *meta.Store) (login string, err error) {
	password := strings.ToLower(rand.Text()[:16]) // 80 bits
	login = email + " / " + password
	_, err = m.Setup(ctx, email, "Demo", password)
	if weir.ErrorCode(err) != weir.ECONFLICT {
		return login, err
	}
	u, err := m.UserByEmail(ctx, email)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return "your own account", nil
	}
	if err != nil {
		return "", err
	}
	return login, m.SetPassword(ctx, u.ID, password)
}

// RetireAccount replaces the well-known password of an account that an earlier version
// made. A server that is no demo calls it.
func RetireAccount(ctx context.Context, m *meta.Store, log *slog.Logger) error {
	u, err := m.UserByEmail(ctx, email)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := m.Authenticate(ctx, email, knownPassword); err != nil {
		if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
			return nil
		}
		return err
	}
	log.Warn("the demo's account had a password that everybody knows: it has a random one now, and --demo prints a new one", "email", email)
	return m.SetPassword(ctx, u.ID, rand.Text())
}
