package meta

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Shown is what a shared link shows.
type Shown string

// What there is to share.
const (
	ShowsOverview Shown = "overview" // a project's page
	ShowsLive     Shown = "live"     // the part of it that says what happens now
)

// showsItem says for each Shown whether there are several in a project, so that a link names one.
var showsItem = map[Shown]bool{ShowsOverview: false, ShowsLive: false}

// Share is a shared link: who has it sees one thing of a project, without an account.
type Share struct {
	ID        string
	ProjectID string
	Shows     Shown
	Item      string   // id of the thing, "" where a project has one only
	Origins   []string // hosts of pages that may embed it, as those of a write key
	Maker     string   // id of the user who made it; "" if a token did that is nobody's
	MakerName string   // address of that user
	CreatedAt time.Time
	EndsAt    time.Time // zero: it does not end
	UsedAt    time.Time // to the minute; zero: never

	// Secret is the end of the link. It is "" if the key ring that encrypted it is lost: the link
	// works still, but cannot be shown again.
	Secret   string
	password string // its hash, "" for none
}

// SharePrefix is that of a link's secret.
const SharePrefix = "wl_"

const (
	maxShares       = 200 // of a project
	maxShareOrigins = 20
	useShare        = "shares/"
)

// HasPassword reports whether the link takes a password too.
func (x *Share) HasPassword() bool { return x.password != "" }

// Lock is a text that is another one after each change of the link's password; it is "" without
// one.
func (x *Share) Lock() string {
	if x.password == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(x.password))
	return hex.EncodeToString(sum[:])
}

// Ended reports whether the link's time is over.
func (x *Share) Ended(now time.Time) bool { return !x.EndsAt.IsZero() && !now.Before(x.EndsAt) }

// NewShare is a shared link to make.
type NewShare struct {
	ProjectID, UserID string // who makes it; "" for a token that is nobody's
	Shows             Shown
	Item              string
	Password          string // "" for none
	EndsAt            time.Time
	Origins           []string
}

// ShareChange says what of a shared link changes; what is nil stays.
type ShareChange struct {
	Password *string    // "" takes it off
	EndsAt   *time.Time // zero: it does not end
	Origins  *[]string
}

// embedder is the host of a page, as a source of Content-Security-Policy has it.
var embedder = regexp.MustCompile(`^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?$`)

// embedders returns the hosts of pages that may embed a link. Error: EINVALID.
func embedders(origins []string) ([]string, error) {
	all, err := normalOrigins(origins)
	if err != nil {
		return nil, err
	}
	for _, host := range all {
		if !embedder.MatchString(host) {
			return nil, weir.Errorf(weir.EINVALID, "origin %q: want the host of a page, such as shop.example, *.shop.example or localhost:3000", host)
		}
	}
	if len(all) > maxShareOrigins {
		return nil, weir.Errorf(weir.EINVALID, "origins: a shared link has at most %d", maxShareOrigins)
	}
	return all, nil
}

func (s *Store) shareEnd(at time.Time) (time.Time, error) {
	if at.IsZero() {
		return at, nil
	}
	if !at.After(s.clock.Now()) {
		return at, weir.Errorf(weir.EINVALID, "ends_at: a time that is still to come")
	}
	return at.UTC().Truncate(time.Microsecond), nil
}

func (s *Store) sharePassword(ctx context.Context, text string) (hash string, err error) {
	if text == "" {
		return "", nil
	}
	return s.hashPassword(ctx, text, "")
}

// CreateShare makes a shared link. Errors: EINVALID, ENOTFOUND for the project.
func (s *Store) CreateShare(ctx context.Context, n NewShare) (*Share, error) {
	x := &Share{ID: newID(), ProjectID: n.ProjectID, Shows: n.Shows, Item: n.Item, Maker: n.UserID, CreatedAt: s.clock.Now(), Secret: newSecret(SharePrefix)}
	items, known := showsItem[n.Shows]
	if !known || items != (n.Item != "") {
		return nil, weir.Errorf(weir.EINVALID, "what: %s or %s", ShowsOverview, ShowsLive)
	}
	var err error
	if x.Origins, err = embedders(n.Origins); err != nil {
		return nil, err
	}
	if x.EndsAt, err = s.shareEnd(n.EndsAt); err != nil {
		return nil, err
	}
	if x.password, err = s.sharePassword(ctx, n.Password); err != nil {
		return nil, err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var projects, shares int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM projects WHERE id = ?`, x.ProjectID).Scan(&projects); err != nil {
			return err
		}
		if projects == 0 {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM shares WHERE project_id = ?`, x.ProjectID).Scan(&shares); err != nil {
			return err
		}
		if shares >= maxShares {
			return weir.Errorf(weir.EINVALID, "a project has at most %d shared links: end those that nobody uses", maxShares)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO shares (id, project_id, hash, sealed, shows, item, password, origins, created_by, created_at, ends_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			x.ID, x.ProjectID, hashSecret(x.Secret), s.seal(x.Secret, useShare+x.ID), string(x.Shows), x.Item, x.password, joined(x.Origins), x.Maker, micros(x.CreatedAt), microsOrNull(x.EndsAt))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: create shared link: %w", err)
	}
	return s.projectShare(ctx, x.ProjectID, x.ID)
}

func microsOrNull(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: micros(t), Valid: !t.IsZero()}
}

// ChangeShare changes a shared link of a project. Errors: EINVALID, ENOTFOUND.
func (s *Store) ChangeShare(ctx context.Context, projectID, id string, c ShareChange) (*Share, error) {
	var hash string
	var ends time.Time
	var origins []string
	var err error
	if c.Password != nil {
		if hash, err = s.sharePassword(ctx, *c.Password); err != nil {
			return nil, err
		}
	}
	if c.EndsAt != nil {
		if ends, err = s.shareEnd(*c.EndsAt); err != nil {
			return nil, err
		}
	}
	if c.Origins != nil {
		if origins, err = embedders(*c.Origins); err != nil {
			return nil, err
		}
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, column := range []struct {
			changes bool
			write   string
			value   any
		}{
			{c.Password != nil, `UPDATE shares SET password = ? WHERE id = ? AND project_id = ?`, hash},
			{c.EndsAt != nil, `UPDATE shares SET ends_at = ? WHERE id = ? AND project_id = ?`, microsOrNull(ends)},
			{c.Origins != nil, `UPDATE shares SET origins = ? WHERE id = ? AND project_id = ?`, joined(origins)},
		} {
			if !column.changes {
				continue
			}
			if _, err := tx.ExecContext(ctx, column.write, column.value, id, projectID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("meta: change shared link: %w", err)
	}
	s.changed()
	return s.projectShare(ctx, projectID, id)
}

// EndShare deletes a shared link of a project: it shows nothing any more. Error: ENOTFOUND.
func (s *Store) EndShare(ctx context.Context, projectID, id string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM shares WHERE id = ? AND project_id = ?`, id, projectID))
	if err != nil {
		return fmt.Errorf("meta: end shared link: %w", err)
	}
	if !ok {
		return errNoShare
	}
	s.changed()
	return nil
}
