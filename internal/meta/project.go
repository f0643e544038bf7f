package meta

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// NewProject is a project to make.
type NewProject struct {
	Name     string // 1 to 100 characters
	Timezone string // IANA name; "" is UTC
	StoreIP  bool
	AdminID  string // the user who becomes its admin, or ""

	RetentionDays int // 1 to weir.MaxRetentionDays; 0 is for ever
}

// CreateProject makes a project and its first write key, which is shown this
// once: the store keeps a hash. Errors: EINVALID, ENOTFOUND for the admin.
func (s *Store) CreateProject(ctx context.Context, n NewProject) (p *weir.Project, writeKey string, err error) {
	p = &weir.Project{Timezone: n.Timezone, StoreIP: n.StoreIP, RetentionDays: n.RetentionDays, CreatedAt: s.clock.Now()}
	if p.Limits, err = p.Limits.Normal(); err != nil {
		return nil, "", err
	}
	if p.Name, err = normalName(n.Name); err != nil {
		return nil, "", err
	}
	if err = p.Resolve(); err != nil {
		return nil, "", err
	}
	if err = weir.CheckRetention(n.RetentionDays); err != nil {
		return nil, "", err
	}
	p.ID = newID()
	salt := randomBytes(importSaltLen)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO projects (id, name, timezone, store_ip, import_salt, created_at, retention_days) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			p.ID, p.Name, p.Timezone, flag(p.StoreIP), base64.StdEncoding.EncodeToString(salt), micros(p.CreatedAt), p.RetentionDays)
		if err != nil {
			return err
		}
		if n.AdminID != "" {
			if err := setRole(ctx, tx, n.AdminID, p.ID, weir.RoleAdmin); err != nil {
				return err
			}
		}
		_, writeKey, err = s.addKey(ctx, tx, p.ID, nil)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("meta: create project: %w", err)
	}
	return p, writeKey, nil
}

// SetRetention changes for how many days a project's past is kept, 0 for ever.
// Errors: EINVALID, ENOTFOUND.
func (s *Store) SetRetention(ctx context.Context, id string, days int) error {
	if err := weir.CheckRetention(days); err != nil {
		return err
	}
	// In spite of its name, inserted says whether a row was changed.
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE projects SET retention_days = ? WHERE id = ?`, days, id))
	if err != nil {
		return fmt.Errorf("meta: set retention: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	s.changed()
	return nil
}

// Rename gives a project another name. Errors: EINVALID, ENOTFOUND.
func (s *Store) Rename(ctx context.Context, id, name string) error {
	name, err := normalName(name)
	if err != nil {
		return err
	}
	// In spite of its name, inserted says whether a row was changed.
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE projects SET name = ? WHERE id = ?`, name, id))
	if err != nil {
		return fmt.Errorf("meta: rename: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	s.changed()
	return nil
}

const projectColumns = `p.id, p.name, p.timezone, p.store_ip, p.created_at, p.retention_days,
	(SELECT string_agg(s.site, ',') FROM sites s WHERE s.project_id = p.id), p.url_rules, p.address_filters, p.bot_rules,
	(SELECT r.done FROM recounts r WHERE r.project_id = p.id), ` + limitColumns

// Project returns the project of an id, its timezone resolved. It is shared: do not
// change it. Errors: ENOTFOUND.
func (s *Store) Project(ctx context.Context, id string) (*weir.Project, error) {
	return s.projects.get(ctx, "id:"+id, func(ctx context.Context) (*weir.Project, error) {
		p, err := scanProject(s.read.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM projects p WHERE p.id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil, weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err != nil {
			return nil, fmt.Errorf("meta: project: %w", err)
		}
		return p, nil
	})
}

// Location returns a project's timezone: UTC for one that was deleted.
func (s *Store) Location(ctx context.Context, project string) (*time.Location, error) {
	p, err := s.Project(ctx, project)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return time.UTC, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Location(), nil
}

// Projects returns all projects by name.
func (s *Store) Projects(ctx context.Context) ([]*weir.Project, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+projectColumns+` FROM projects p ORDER BY p.name, p.id`)
	if err != nil {
		return nil, fmt.Errorf("meta: projects: %w", err)
	}
	defer rows.Close()
	var all []*weir.Project
	for rows.Next() {
		p, err := scanProject(rows)
		if err != nil {
			return nil, fmt.Errorf("meta: projects: %w", err)
		}
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: projects: %w", err)
	}
	return all, nil
}

// Membership is a project and a user's role in it.
type Membership struct {
	Project *weir.Project
	Role    weir.Role
}

// Memberships returns the projects that a user has a role in, by name.
func (s *Store) Memberships(ctx context.Context, userID string) ([]Membership, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+projectColumns+`, m.role
		FROM members m JOIN projects p ON p.id = m.project_id
		WHERE m.user_id = ? ORDER BY p.name, p.id`, userID)
	if err != nil {
		return nil, fmt.Errorf("meta: memberships: %w", err)
	}
	defer rows.Close()
	var all []Membership
	for rows.Next() {
		var role string
		p, err := scanProject(rows, &role)
		if err != nil {
			return nil, fmt.Errorf("meta: memberships: %w", err)
		}
		r, _ := weir.ParseRole(role)
		all = append(all, Membership{p, r})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: memberships: %w", err)
	}
	return all, nil
}

// Role returns a user's role in a project, RoleNone when there is none.
func (s *Store) Role(ctx context.Context, userID, projectID string) (weir.Role, error) {
	r, err := readRole(ctx, s.read, userID, projectID)
	if err != nil {
		return weir.RoleNone, fmt.Errorf("meta: role: %w", err)
	}
	return r, nil
}

// SetRole gives a user a role in a project; RoleNone takes it away. Errors:
// ENOTFOUND for the user or the project.
func (s *Store) SetRole(ctx context.Context, userID, projectID string, role weir.Role) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error { return setRole(ctx, tx, userID, projectID, role) })
	if err != nil {
		return fmt.Errorf("meta: set role: %w", err)
	}
	s.changed()
	return nil
}

func setRole(ctx context.Context, tx *sql.Tx, userID, projectID string, role weir.Role) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM members WHERE user_id = ? AND project_id = ?`, userID, projectID); err != nil {
		return err
	}
	if role == weir.RoleNone {
		return nil
	}
	ok, err := inserted(tx.ExecContext(ctx, `INSERT INTO members (user_id, project_id, role)
		SELECT u.id, p.id, ? FROM users u CROSS JOIN projects p WHERE u.id = ? AND p.id = ?`,
		role.String(), userID, projectID))
	if err != nil {
		return err
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such user or project")
	}
	return nil
}

func scanProject(row scanner, more ...any) (*weir.Project, error) {
	var p weir.Project
	var storeIP, created int64
	var sites sql.NullString // with commas, which no site has
	var rules, filters, bots string
	var recounted sql.NullInt64 // days; NULL unless its timezone changed lately
	var limits limitScan
	fields := append([]any{&p.ID, &p.Name, &p.Timezone, &storeIP, &created, &p.RetentionDays, &sites, &rules, &filters, &bots, &recounted}, limits.into(&p.Limits)...)
	if err := row.Scan(append(fields, more...)...); err != nil {
		return nil, err
	}
	limits.done(&p.Limits)
	if sites.Valid {
		p.Sites = strings.Split(sites.String, ",")
		slices.Sort(p.Sites)
	}
	p.URLRules = readURLRules(rules)
	p.AddressFilters, p.BotRules = readAddressFilters(filters), readBotRules(bots)
	if recounted.Valid {
		p.Recounting = weir.RecountingOf(int(recounted.Int64))
	}
	p.StoreIP, p.CreatedAt = storeIP != 0, fromMicros(created)
	if err := p.Resolve(); err != nil {
		// The zone was known when the project was made: the machine's zone
		// database is missing or shrank. Location falls back to UTC.
		return &p, nil //nolint:nilerr // see above
	}
	return &p, nil
}
