package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// SecretPrefix is that of webhooks' secrets.
const SecretPrefix = "whsec_"

var errAlertMoved = weir.Errorf(weir.ECONFLICT, "the alert changed meanwhile: look at it again")

// CreateAlert stores an alert of a project that has fewer than most, and returns
// it with its id, its channels' and, this once, their secrets. Errors: ENOTFOUND
// for the project, ECONFLICT when it has most.
func (s *Store) CreateAlert(ctx context.Context, a weir.Alert, most int) (*weir.Alert, error) {
	if _, err := s.Project(ctx, a.ProjectID); err != nil {
		return nil, fmt.Errorf("meta: create alert: %w", err)
	}
	var err error
	a.ID = newID()
	a.Version, a.CreatedAt = 1, s.clock.Now()
	a.UpdatedAt = a.CreatedAt
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE project_id = ?`, a.ProjectID).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return weir.Errorf(weir.ECONFLICT, "the project has %d alerts, and may not have more", n)
		}
		spec, status, err := alertJSON(&a)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO alerts (id, project_id, spec, enabled, silenced_until, version, checked_to, told, status, last_seq, created_at, updated_at)
			VALUES (?, ?, ?, ?, 0, 1, ?, ?, ?, 0, ?, ?)`, a.ID, a.ProjectID, spec, flag(a.Enabled),
			micros(a.Status.CheckedTo), flag(a.Status.Told != 0), status, micros(a.CreatedAt), micros(a.UpdatedAt)); err != nil {
			return err
		}
		a.Channels, err = s.storeChannels(ctx, tx, a.ID, a.Channels)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: create alert: %w", err)
	}
	return &a, nil
}

// ChangeAlert stores the spec and status of an alert, in place of those that were
// read as was, and entries of its history. New channels are returned with their
// secrets, this once; those that are left out are gone, and what was on the way
// to them. Errors: ENOTFOUND, ECONFLICT when it is no longer as it was read,
// EINVALID for a channel with an id that the alert has not.
func (s *Store) ChangeAlert(ctx context.Context, was *weir.Alert, a weir.Alert, entries []weir.AlertEntry) (*weir.Alert, error) {
	a.Version, a.UpdatedAt = was.Version+1, s.clock.Now()
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		spec, status, err := alertJSON(&a)
		if err != nil {
			return err
		}
		ok, err := inserted(tx.ExecContext(ctx, `UPDATE alerts SET spec = ?, enabled = ?, version = ?, checked_to = ?, told = ?, status = ?, updated_at = ?
			WHERE id = ? AND project_id = ? AND version = ? AND checked_to = ?`,
			spec, flag(a.Enabled), a.Version, micros(a.Status.CheckedTo), flag(a.Status.Told != 0), status, micros(a.UpdatedAt),
			a.ID, a.ProjectID, was.Version, micros(was.Status.CheckedTo)))
		if err != nil {
			return err
		}
		if !ok {
			return s.alertGone(ctx, tx, a.ProjectID, a.ID)
		}
		if a.Channels, err = s.storeChannels(ctx, tx, a.ID, a.Channels); err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		return addEntries(ctx, tx, a.ID, entries)
	})
	if err != nil {
		return nil, fmt.Errorf("meta: change alert: %w", err)
	}
	return &a, nil
}

func (s *Store) alertGone(ctx context.Context, tx *sql.Tx, project, id string) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE id = ? AND project_id = ?`, id, project).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return noAlert()
	}
	return errAlertMoved
}

func noAlert() error { return weir.Errorf(weir.ENOTFOUND, "no such alert") }

// alertJSON returns what of an alert is stored as JSON. Channels are rows.
func alertJSON(a *weir.Alert) (spec, status string, err error) {
	bare := a.AlertSpec
	bare.Channels = nil
	one, err := json.Marshal(bare)
	if err != nil {
		return "", "", err
	}
	two, err := json.Marshal(a.Status)
	return string(one), string(two), err
}

// channelTarget is where a channel leads, as it is stored.
type channelTarget struct {
	URL string `json:",omitempty"`
	To  string `json:",omitempty"`
}

// storeChannels makes channels those of the alert.
func (s *Store) storeChannels(ctx context.Context, tx *sql.Tx, alertID string, channels []weir.AlertChannel) ([]weir.AlertChannel, error) {
	stored := make([]weir.AlertChannel, len(channels))
	keep := map[string]bool{}
	for i, c := range channels {
		target, err := json.Marshal(channelTarget{c.URL, c.To})
		if err != nil {
			return nil, err
		}
		c.Secret = ""
		if c.ID != "" {
			ok, err := inserted(tx.ExecContext(ctx, `UPDATE alert_channels SET position = ?, target = ? WHERE id = ? AND alert_id = ? AND kind = ?`,
				i, string(target), c.ID, alertID, c.Kind))
			if err != nil {
				return nil, err
			}
			if !ok || keep[c.ID] {
				return nil, weir.Errorf(weir.EINVALID, "channels[%d]: the alert has no other %s channel of this id: leave the id out to add one", i, c.Kind)
			}
		} else {
			c.ID = newID()
			if c.Kind == weir.AlertByWebhook {
				c.Secret = newSecret(SecretPrefix)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO alert_channels (id, alert_id, position, kind, target, secret) VALUES (?, ?, ?, ?, ?, ?)`,
				c.ID, alertID, i, c.Kind, string(target), s.sealWebhook(c)); err != nil {
				return nil, err
			}
		}
		keep[c.ID] = true
		stored[i] = c
	}
	had, err := channelsOf(ctx, tx, `WHERE c.alert_id = ?`, alertID)
	if err != nil {
		return nil, err
	}
	for _, c := range had[alertID] {
		if keep[c.ID] {
			continue
		}
		for _, q := range []string{`DELETE FROM alert_outbox WHERE channel_id = ?`, `DELETE FROM alert_channels WHERE id = ?`} {
			if _, err := tx.ExecContext(ctx, q, c.ID); err != nil {
				return nil, err
			}
		}
	}
	return stored, nil
}

// DeleteAlert deletes an alert with all that belongs to it. Errors: ENOTFOUND.
func (s *Store) DeleteAlert(ctx context.Context, projectID, id string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE id = ? AND project_id = ?`, id, projectID).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return noAlert()
		}
		for _, q := range []string{
			`DELETE FROM alert_outbox WHERE alert_id = ?`, `DELETE FROM alert_history WHERE alert_id = ?`,
			`DELETE FROM alert_channels WHERE alert_id = ?`, `DELETE FROM alerts WHERE id = ?`,
		} {
			if _, err := tx.ExecContext(ctx, q, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("meta: delete alert: %w", err)
	}
	return nil
}

// SilenceAlert stores until when an alert sends no messages; the zero time ends the silence. Errors: ENOTFOUND.
func (s *Store) SilenceAlert(ctx context.Context, a *weir.Alert) error {
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE alerts SET silenced_until = ? WHERE id = ? AND project_id = ?`, silence(a.SilencedUntil), a.ID, a.ProjectID))
	if err != nil {
		return fmt.Errorf("meta: silence alert: %w", err)
	}
	if !ok {
		return noAlert()
	}
	return nil
}

// silence returns a silence's end as it is stored: 0 is none.
func silence(until time.Time) int64 {
	if until.IsZero() {
		return 0
	}
	return micros(until)
}

// Alert returns one alert of a project, without its channels' secrets. Errors: ENOTFOUND.
func (s *Store) Alert(ctx context.Context, projectID, id string) (*weir.Alert, error) {
	all, err := s.alerts(ctx, `WHERE a.project_id = ? AND a.id = ?`, projectID, id)
	if err != nil {
		return nil, fmt.Errorf("meta: alert: %w", err)
	}
	if len(all) == 0 {
		return nil, noAlert()
	}
	return all[0], nil
}

// Alerts returns a project's, oldest first, without their channels' secrets.
func (s *Store) Alerts(ctx context.Context, projectID string) ([]*weir.Alert, error) {
	all, err := s.alerts(ctx, `WHERE a.project_id = ?`, projectID)
	if err != nil {
		return nil, fmt.Errorf("meta: alerts: %w", err)
	}
	return all, nil
}

// ActiveAlerts returns the alerts of all projects that have to be checked: they are enabled, or
// a message was sent that they fire and none that it is over.
func (s *Store) ActiveAlerts(ctx context.Context) ([]*weir.Alert, error) {
	all, err := s.alerts(ctx, `WHERE (a.enabled = 1 OR a.told = 1)`)
	if err != nil {
		return nil, fmt.Errorf("meta: active alerts: %w", err)
	}
	return all, nil
}

func (s *Store) alerts(ctx context.Context, where string, args ...any) ([]*weir.Alert, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT a.id, a.project_id, a.spec, a.silenced_until, a.version, a.status, a.created_at, a.updated_at
		FROM alerts a `+where+` ORDER BY a.created_at, a.id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*weir.Alert
	for rows.Next() {
		var a weir.Alert
		var spec, status string
		var silenced, created, updated int64
		if err := rows.Scan(&a.ID, &a.ProjectID, &spec, &silenced, &a.Version, &status, &created, &updated); err != nil {
			return nil, err
		}
		if err := errors.Join(json.Unmarshal([]byte(spec), &a.AlertSpec), json.Unmarshal([]byte(status), &a.Status)); err != nil {
			return nil, fmt.Errorf("alert %s: %w", a.ID, err)
		}
		if silenced != 0 {
			a.SilencedUntil = fromMicros(silenced)
		}
		a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
		all = append(all, &a)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	channels, err := channelsOf(ctx, s.read, `JOIN alerts a ON a.id = c.alert_id `+where, args...)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		for _, c := range channels[a.ID] {
			c.Secret = ""
			a.Channels = append(a.Channels, c)
		}
	}
	return all, nil
}

// querier is a *sql.DB or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// channelsOf returns channels with their secrets as they are stored, by alert.
func channelsOf(ctx context.Context, db querier, where string, args ...any) (map[string][]weir.AlertChannel, error) {
	rows, err := db.QueryContext(ctx, `SELECT c.id, c.alert_id, c.kind, c.target, c.secret FROM alert_channels c `+where+` ORDER BY c.alert_id, c.position`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string][]weir.AlertChannel{}
	for rows.Next() {
		var c weir.AlertChannel
		var alert, target string
		if err := rows.Scan(&c.ID, &alert, &c.Kind, &target, &c.Secret); err != nil {
			return nil, err
		}
		if err := setTarget(&c, target); err != nil {
			return nil, err
		}
		all[alert] = append(all[alert], c)
	}
	return all, rows.Err()
}

func setTarget(c *weir.AlertChannel, stored string) error {
	var t channelTarget
	if err := json.Unmarshal([]byte(stored), &t); err != nil {
		return fmt.Errorf("channel %s: %w", c.ID, err)
	}
	c.URL, c.To = t.URL, t.To
	return nil
}

// AlertTargets returns an alert's channels with their secrets, to send to.
func (s *Store) AlertTargets(ctx context.Context, alertID string) ([]weir.AlertChannel, error) {
	all, err := channelsOf(ctx, s.read, `WHERE c.alert_id = ?`, alertID)
	if err != nil {
		return nil, fmt.Errorf("meta: alert targets: %w", err)
	}
	channels := all[alertID]
	for i, c := range channels {
		if channels[i].Secret, err = s.unseal(c.Secret, useWebhook+c.ID); err != nil {
			return nil, fmt.Errorf("meta: the secret of the channel %s: %w: add the channel anew", c.ID, err)
		}
	}
	return channels, nil
}

// sealWebhook returns how a channel's secret is stored; that of a mail channel is empty.
func (s *Store) sealWebhook(c weir.AlertChannel) string {
	if c.Secret == "" {
		return ""
	}
	return s.seal(c.Secret, useWebhook+c.ID)
}
