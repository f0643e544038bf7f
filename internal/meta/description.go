package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

const (
	maxDescriptions    = 2000 // of a project, of each kind
	maxDescription     = 1000 // characters
	maxDescribedLength = 512  // bytes of a name
)

// DescribedKind says what a description is about.
type DescribedKind string

// The kinds.
const (
	DescribedEvent  DescribedKind = "event"  // the events of a name
	DescribedColumn DescribedKind = "column" // a column, properties.NAME or traits.NAME
)

// Description is what people wrote about an event's name or a column.
type Description struct {
	Name   string
	Text   string // "" is none
	Hidden bool   // left out of lists
}

// Descriptions returns the descriptions of a kind that a project has, by name: at most 2,000.
func (s *Store) Descriptions(ctx context.Context, projectID string, kind DescribedKind) ([]Description, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, text, hidden FROM descriptions WHERE project_id = ? AND kind = ? ORDER BY name`, projectID, string(kind))
	if err != nil {
		return nil, fmt.Errorf("meta: descriptions: %w", err)
	}
	defer rows.Close()
	var all []Description
	for rows.Next() {
		var d Description
		if err := rows.Scan(&d.Name, &d.Text, &d.Hidden); err != nil {
			return nil, fmt.Errorf("meta: descriptions: %w", err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: descriptions: %w", err)
	}
	return all, nil
}

// Describe changes the description of a name, and returns it as it is then. Nobody else
// changes it in between. Errors: EINVALID for a name or a text that is too long, or if there
// are too many; ENOTFOUND.
func (s *Store) Describe(ctx context.Context, projectID string, kind DescribedKind, name string, change func(*Description)) (d Description, err error) {
	if name == "" || len(name) > maxDescribedLength || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return d, weir.Errorf(weir.EINVALID, "a name to describe has 1 to %d bytes of UTF-8", maxDescribedLength)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var described int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM descriptions d WHERE d.project_id = p.id AND d.kind = ? AND d.name <> ?)
			FROM projects p WHERE p.id = ?`, string(kind), name, projectID).Scan(&described)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err != nil {
			return err
		}
		d = Description{Name: name}
		err = tx.QueryRowContext(ctx, `SELECT text, hidden FROM descriptions WHERE project_id = ? AND kind = ? AND name = ?`,
			projectID, string(kind), name).Scan(&d.Text, &d.Hidden)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		change(&d)
		d.Text = strings.TrimSpace(d.Text)
		if !utf8.ValidString(d.Text) || utf8.RuneCountInString(d.Text) > maxDescription {
			return weir.Errorf(weir.EINVALID, "a description has at most %d characters", maxDescription)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM descriptions WHERE project_id = ? AND kind = ? AND name = ?`, projectID, string(kind), name); err != nil {
			return err
		}
		if d.Text == "" && !d.Hidden {
			return nil
		}
		if described >= maxDescriptions {
			return weir.Errorf(weir.EINVALID, "a project describes at most %d events and as many columns", maxDescriptions)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO descriptions (project_id, kind, name, text, hidden, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
			projectID, string(kind), name, d.Text, flag(d.Hidden), micros(s.clock.Now()))
		return err
	})
	if err != nil {
		return Description{}, fmt.Errorf("meta: describe: %w", err)
	}
	return d, nil
}
