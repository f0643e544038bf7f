package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// AuditEntry is one administrative act, done or refused.
type AuditEntry struct {
	ID        string
	At        time.Time
	Act       string            // what was done, such as key.revoke
	Refused   bool              // it was not done
	UserID    string            // who did it; of a refused sign-in, whose account it was for
	TokenID   string            // the token by which they did it
	Name      string            // of the user or, without one, of the token, at the time
	Via       string            // cli, page or api
	ProjectID string            // to which project it was done
	Target    string            // to what in it: an id
	Detail    map[string]string // more about it
	Address   string            // from where, as far as it is kept
	RequestID string
}

// AuditQuery says which entries are asked for. Empty fields say nothing.
type AuditQuery struct {
	From, To  time.Time // from is inclusive, to exclusive
	ProjectID string
	UserID    string
	Act       string // all of it, or what it begins with up to a point: key is key.create and key.revoke
	Refused   *bool
	Limit     int // 1 to 1,000
	Cursor    string
}

// Bounds of the audit log, in entries. The oldest ones go.
const (
	maxAudit        = 500_000
	maxAuditRefused = 10_000 // of refused acts, since strangers can make any number of them
)

const maxDetail = 2000 // bytes

// AddAudit stores an entry, whose ID it makes.
func (s *Store) AddAudit(ctx context.Context, e AuditEntry) error {
	detail := ""
	if len(e.Detail) > 0 {
		text, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("meta: audit: %w", err)
		}
		if detail = string(text); len(detail) > maxDetail {
			detail = ""
		}
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO audit (id, at, act, refused, user_id, token_id, name, via, project_id, target, detail, address, request_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		newID(), micros(e.At), e.Act, flag(e.Refused), e.UserID, e.TokenID, e.Name, e.Via, e.ProjectID, e.Target, detail, e.Address, e.RequestID)
	if err != nil {
		return fmt.Errorf("meta: audit: %w", err)
	}
	return nil
}

// Audit returns entries, newest first, and where the next page begins, "" at the end. Error:
// EINVALID for a cursor that is none.
func (s *Store) Audit(ctx context.Context, q AuditQuery) (entries []AuditEntry, next string, err error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if !q.To.IsZero() {
		add("at < ?", micros(q.To))
	}
	if !q.From.IsZero() {
		add("at >= ?", micros(q.From))
	}
	if q.ProjectID != "" {
		add("project_id = ?", q.ProjectID)
	}
	if q.UserID != "" {
		add("user_id = ?", q.UserID)
	}
	if q.Act != "" {
		add("(act = ? OR (act >= ? AND act < ?))", q.Act, q.Act+".", q.Act+"/") // "/" follows "."
	}
	if q.Refused != nil {
		add("refused = ?", flag(*q.Refused))
	}
	if q.Cursor != "" {
		text, id, _ := strings.Cut(q.Cursor, ".")
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, "", weir.Errorf(weir.EINVALID, "cursor: use next_cursor of the page before")
		}
		add("(at < ? OR (at = ? AND id < ?))", at, at, id)
	}
	query := `SELECT id, at, act, refused, user_id, token_id, name, via, project_id, target, detail, address, request_id FROM audit`
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	rows, err := s.read.QueryContext(ctx, query+" ORDER BY at DESC, id DESC LIMIT ?", append(args, q.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("meta: audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanAudit(rows)
		if err != nil {
			return nil, "", fmt.Errorf("meta: audit: %w", err)
		}
		entries = append(entries, *e)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("meta: audit: %w", err)
	}
	if len(entries) > q.Limit {
		entries = entries[:q.Limit]
		last := entries[q.Limit-1]
		next = fmt.Sprintf("%d.%s", micros(last.At), last.ID)
	}
	return entries, next, nil
}

func scanAudit(row scanner) (*AuditEntry, error) {
	var e AuditEntry
	var at, refused int64
	var detail string
	err := row.Scan(&e.ID, &at, &e.Act, &refused, &e.UserID, &e.TokenID, &e.Name, &e.Via, &e.ProjectID, &e.Target, &detail, &e.Address, &e.RequestID)
	if err != nil {
		return nil, err
	}
	e.At, e.Refused = fromMicros(at), refused != 0
	if detail != "" {
		err = json.Unmarshal([]byte(detail), &e.Detail)
	}
	return &e, err
}

// TrimAudit deletes the entries before a time, unless that is zero, and the oldest ones of
// those that are too many. It returns how many it deleted.
func (s *Store) TrimAudit(ctx context.Context, before time.Time) (int64, error) {
	return s.trimAudit(ctx, before, maxAudit, maxAuditRefused)
}

func (s *Store) trimAudit(ctx context.Context, before time.Time, most, mostRefused int) (deleted int64, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		del := func(query string, arg any) error {
			res, err := tx.ExecContext(ctx, query, arg)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			deleted += n
			return err
		}
		if err := del(`DELETE FROM audit WHERE at < ?`, micros(before)); err != nil {
			return err
		}
		for _, of := range []struct {
			where string
			most  int
		}{{"WHERE refused = 1", mostRefused}, {"", most}} {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM audit `+of.where).Scan(&n); err != nil {
				return err
			}
			if n <= of.most {
				continue
			}
			if err := del(`DELETE FROM audit WHERE id IN (SELECT id FROM audit `+of.where+` ORDER BY at, id LIMIT ?)`, n-of.most); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("meta: trim audit: %w", err)
	}
	return deleted, nil
}
