package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// Limits of what people type, in characters; an address is counted in bytes.
const (
	maxName  = 100
	maxEmail = 254 // RFC 5321
)

// Account is a user with what a whole server, rather than a project, grants.
type Account struct {
	weir.User
	// Admin may make projects, and has every role in every project.
	Admin bool
	// Inactive accounts may not sign in, and have no sessions.
	Inactive bool
	// HasPassword is false for an account that signs in with a provider only.
	HasPassword bool
	// SecondFactor says that signing in with the password takes a code too.
	SecondFactor bool
}

// SetupRequired says whether nobody has an account yet.
func (s *Store) SetupRequired(ctx context.Context) (bool, error) {
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM setup`).Scan(&n); err != nil {
		return false, fmt.Errorf("meta: setup required: %w", err)
	}
	return n == 0, nil
}

// Setup makes the first account, which is the server's admin. Errors: ECONFLICT
// when there is an account already, EINVALID. Of several at once, one wins.
func (s *Store) Setup(ctx context.Context, email, name, password string) (*Account, error) {
	return s.addUser(ctx, email, name, password, true, true)
}

// CreateUser makes an account. Errors: ECONFLICT when the address has one,
// EINVALID.
func (s *Store) CreateUser(ctx context.Context, email, name, password string, admin bool) (*Account, error) {
	return s.addUser(ctx, email, name, password, admin, false)
}

func (s *Store) addUser(ctx context.Context, email, name, password string, admin, first bool) (*Account, error) {
	a, hash, err := s.newAccount(ctx, email, name, password)
	if err != nil {
		return nil, err
	}
	a.Admin = admin
	err = s.inTx(ctx, func(tx *sql.Tx) error { return insertUser(ctx, tx, a, hash, first) })
	if err != nil {
		return nil, fmt.Errorf("meta: create user: %w", err)
	}
	return a, nil
}

// newAccount checks what an account is made of, and hashes its password.
func (s *Store) newAccount(ctx context.Context, email, name, password string) (a *Account, hash string, err error) {
	if email, err = normalEmail(email); err != nil {
		return nil, "", err
	}
	if name, err = normalName(name); err != nil {
		return nil, "", err
	}
	if hash, err = s.hashPassword(ctx, password, email); err != nil {
		return nil, "", err
	}
	return &Account{User: weir.User{ID: newID(), Email: email, Name: name, CreatedAt: s.clock.Now()}, HasPassword: true}, hash, nil
}

// insertUser stores an account. With first it must be the first one. Errors: ECONFLICT.
func insertUser(ctx context.Context, tx *sql.Tx, a *Account, hash string, first bool) error {
	// Every first account adds this one row, so a conflict means that there
	// is an account, also in a database that lets several write at once.
	ok, err := inserted(tx.ExecContext(ctx,
		`INSERT INTO setup (only_row, done_at) VALUES (1, ?) ON CONFLICT DO NOTHING`, micros(a.CreatedAt)))
	if err != nil {
		return err
	}
	if first && !ok {
		return weir.Errorf(weir.ECONFLICT, "this server has been set up already: sign in")
	}
	ok, err = inserted(tx.ExecContext(ctx,
		`INSERT INTO users (id, email, name, password, admin, inactive, created_at) VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`,
		a.ID, a.Email, a.Name, hash, flag(a.Admin), micros(a.CreatedAt)))
	if err != nil {
		return err
	}
	if !ok {
		return weir.Errorf(weir.ECONFLICT, "there is an account for %s already", a.Email)
	}
	if a.Admin {
		return makeAdmin(ctx, tx, a.ID)
	}
	return nil
}

// accountColumns are what scanAccount reads.
const accountColumns = `u.id, u.email, u.name, u.admin, u.inactive, u.password <> '',
	EXISTS (SELECT 1 FROM totp WHERE totp.user_id = u.id AND totp.confirmed = 1), u.created_at`

// User returns the account of an id. Errors: ENOTFOUND.
func (s *Store) User(ctx context.Context, id string) (*Account, error) {
	a, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users u WHERE u.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such user")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: user: %w", err)
	}
	return a, nil
}

// UserByEmail returns the account of an address. Errors: ENOTFOUND.
func (s *Store) UserByEmail(ctx context.Context, email string) (*Account, error) {
	a, err := scanAccount(s.read.QueryRowContext(ctx,
		`SELECT `+accountColumns+` FROM users u WHERE u.email = ?`, strings.ToLower(strings.TrimSpace(email))))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such user")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: user by email: %w", err)
	}
	return a, nil
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query, and closes them. err is that of the query; what names the
// query in errors.
func collect[T any](rows *sql.Rows, err error, what string, scan func(scanner) (*T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("meta: %s: %w", what, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("meta: %s: %w", what, err)
		}
		all = append(all, *one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: %s: %w", what, err)
	}
	return all, nil
}

func scanAccount(row scanner, more ...any) (*Account, error) {
	var a Account
	var admin, inactive, created int64
	if err := row.Scan(append([]any{&a.ID, &a.Email, &a.Name, &admin, &inactive, &a.HasPassword, &a.SecondFactor, &created}, more...)...); err != nil {
		return nil, err
	}
	a.Admin, a.Inactive, a.CreatedAt = admin != 0, inactive != 0, fromMicros(created)
	return &a, nil
}

func normalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > maxEmail {
		return "", weir.Errorf(weir.EINVALID, "email: not an address such as ada@example.org")
	}
	return s, nil
}

// normalName trims a person's or a project's name and checks it.
func normalName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < 1 || n > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", weir.Errorf(weir.EINVALID, "name: 1 to %d characters, none of them a control character", maxName)
	}
	return s, nil
}
