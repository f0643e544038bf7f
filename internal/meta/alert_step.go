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

const (
	// maxAlertHistory is how many entries an alert's history has at most.
	maxAlertHistory = 1000
	// maxChannelWaiting is how many messages wait for a channel at most. Who has been
	// away for so many has no use for the oldest.
	maxChannelWaiting = 100
	// maxDeliveryWait is longer than a message is ever put off or claimed for. One that is
	// due later became so while the clock was ahead: it is due now.
	maxDeliveryWait = 2 * time.Hour
)

// StepAlert stores what a check found: status, history and messages for all of
// the alert's channels. ok is false, and nothing stored, when the alert is no
// longer as the check read it: it was changed or silenced, or another node was first.
func (s *Store) StepAlert(ctx context.Context, step *weir.AlertStep) (ok bool, err error) {
	status, err := json.Marshal(step.Status)
	if err != nil {
		return false, fmt.Errorf("meta: step alert: %w", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		ok, err = inserted(tx.ExecContext(ctx, `UPDATE alerts SET checked_to = ?, told = ?, status = ? WHERE id = ? AND version = ? AND checked_to = ? AND silenced_until = ?`,
			micros(step.Status.CheckedTo), flag(step.Status.Told != 0), string(status), step.AlertID, step.Version, micros(step.Was), silence(step.Silence)))
		if err != nil || !ok {
			return err
		}
		if len(step.Entries) > 0 {
			if err := addEntries(ctx, tx, step.AlertID, step.Entries); err != nil {
				return err
			}
		}
		return s.enqueue(ctx, tx, step)
	})
	if err != nil {
		return false, fmt.Errorf("meta: step alert: %w", err)
	}
	return ok, nil
}

// takeSeqs gives an alert n more seqs and returns the first of them.
func reserveSeqs(ctx context.Context, tx *sql.Tx, alertID string, n int) (first int64, err error) {
	if _, err := tx.ExecContext(ctx, `UPDATE alerts SET last_seq = last_seq + ? WHERE id = ?`, n, alertID); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT last_seq FROM alerts WHERE id = ?`, alertID).Scan(&first); err != nil {
		return 0, err
	}
	return first - int64(n) + 1, nil
}

// addEntries adds to an alert's history, which keeps the newest.
func addEntries(ctx context.Context, tx *sql.Tx, alertID string, entries []weir.AlertEntry) error {
	seq, err := reserveSeqs(ctx, tx, alertID, len(entries))
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.Seq = seq
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO alert_history (alert_id, seq, at, entry) VALUES (?, ?, ?, ?)`, alertID, seq, micros(e.At), string(text)); err != nil {
			return err
		}
		seq++
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM alert_history WHERE alert_id = ? AND seq <= (
		SELECT seq FROM alert_history WHERE alert_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`, alertID, alertID, maxAlertHistory)
	return err
}

// enqueue puts messages on the way to each of the alert's channels.
func (s *Store) enqueue(ctx context.Context, tx *sql.Tx, step *weir.AlertStep) error {
	if len(step.Messages) == 0 {
		return nil
	}
	channels, err := channelsOf(ctx, tx, `WHERE c.alert_id = ?`, step.AlertID)
	if err != nil {
		return err
	}
	seq, err := reserveSeqs(ctx, tx, step.AlertID, len(step.Messages))
	if err != nil {
		return err
	}
	now := micros(s.clock.Now())
	for i, m := range step.Messages {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		for _, c := range channels[step.AlertID] {
			if _, err := tx.ExecContext(ctx, `INSERT INTO alert_outbox (id, alert_id, channel_id, seq, message, attempts, due_at, created_at)
				VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING`,
				m.ID+"."+c.ID, step.AlertID, c.ID, seq+int64(i), string(text), now, now); err != nil {
				return err
			}
		}
	}
	return dropOldest(ctx, tx, step, channels[step.AlertID], s.clock.Now())
}

// dropOldest keeps the newest of what waits for each channel, and says in the alert's
// history how many were given up.
func dropOldest(ctx context.Context, tx *sql.Tx, step *weir.AlertStep, channels []weir.AlertChannel, now time.Time) error {
	var dropped int64
	for _, c := range channels {
		res, err := tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE channel_id = ? AND seq <= (
			SELECT seq FROM alert_outbox WHERE channel_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`, c.ID, c.ID, maxChannelWaiting)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		dropped += n
	}
	if dropped == 0 {
		return nil
	}
	return addEntries(ctx, tx, step.AlertID, []weir.AlertEntry{{
		Kind: weir.AlertUndelivered, At: now, From: step.Status.State, To: step.Status.State, Incident: step.Messages[len(step.Messages)-1].Incident,
		Detail: fmt.Sprintf("the oldest of over %d messages that wait for one channel: %d given up", maxChannelWaiting, dropped),
	}})
}

// AlertHistory returns what happened to an alert, newest first, before a seq or, if
// that is 0, up to now. Errors: ENOTFOUND.
func (s *Store) AlertHistory(ctx context.Context, projectID, id string, before int64, limit int) ([]weir.AlertEntry, error) {
	if _, err := s.Alert(ctx, projectID, id); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT seq, entry FROM alert_history WHERE alert_id = ? AND (seq < ? OR ? = 0) ORDER BY seq DESC LIMIT ?`,
		id, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("meta: alert history: %w", err)
	}
	defer rows.Close()
	var all []weir.AlertEntry
	for rows.Next() {
		var e weir.AlertEntry
		var seq int64
		var text string
		if err := rows.Scan(&seq, &text); err != nil {
			return nil, fmt.Errorf("meta: alert history: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return nil, fmt.Errorf("meta: alert history: %w", err)
		}
		e.Seq = seq
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: alert history: %w", err)
	}
	return all, nil
}

// TrimAlertHistory deletes the entries before a time.
func (s *Store) TrimAlertHistory(ctx context.Context, before time.Time) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM alert_history WHERE at < ?`, micros(before)); err != nil {
		return fmt.Errorf("meta: trim alert history: %w", err)
	}
	return nil
}

// ClaimAlertDeliveries returns up to limit messages that are due. No other caller gets them
// until the lease has ended; after it, unless they were delivered, the next caller does. A
// channel gets its messages one after the other, so a message waits for the one
// before it; projects take turns, so that one with many messages holds up no other.
// A claim counts as an attempt. A message that cannot be read is given up.
func (s *Store) ClaimAlertDeliveries(ctx context.Context, lease time.Duration, limit int) ([]weir.AlertDelivery, error) {
	var all []weir.AlertDelivery
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		now := s.clock.Now()
		var err error
		var unread []weir.AlertDelivery
		if all, unread, err = s.dueDeliveries(ctx, tx, now, limit); err != nil {
			return err
		}
		for _, d := range unread {
			if _, err := tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE id = ?`, d.Key); err != nil {
				return err
			}
			entry := weir.AlertEntry{Kind: weir.AlertUndelivered, At: now, Detail: "a message, or where it was to go, cannot be read"}
			if err := addEntries(ctx, tx, d.AlertID, []weir.AlertEntry{entry}); err != nil {
				return err
			}
		}
		for _, d := range all {
			if _, err := tx.ExecContext(ctx, `UPDATE alert_outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?`, micros(now.Add(lease)), d.Key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("meta: claim alert deliveries: %w", err)
	}
	return all, nil
}

// dueDeliveries returns those that are due, and those among them that cannot be read.
func (s *Store) dueDeliveries(ctx context.Context, tx *sql.Tx, now time.Time, limit int) (due, unread []weir.AlertDelivery, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, project_id, alert_id, message, attempts, created_at, channel, kind, target, secret FROM (
		SELECT o.id, a.project_id, o.alert_id, o.message, o.attempts, o.created_at, o.due_at, c.id AS channel, c.kind, c.target, c.secret,
			ROW_NUMBER() OVER (PARTITION BY a.project_id ORDER BY o.due_at, o.id) AS turn
		FROM alert_outbox o JOIN alert_channels c ON c.id = o.channel_id JOIN alerts a ON a.id = o.alert_id
		WHERE (o.due_at <= ? OR o.due_at > ?) AND NOT EXISTS (SELECT 1 FROM alert_outbox b WHERE b.channel_id = o.channel_id AND b.seq < o.seq)
		) AS waiting ORDER BY turn, due_at, id LIMIT ?`, micros(now), micros(now.Add(maxDeliveryWait)), limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d weir.AlertDelivery
		var message, target string
		var created int64
		if err := rows.Scan(&d.Key, &d.ProjectID, &d.AlertID, &message, &d.Attempts, &created,
			&d.Channel.ID, &d.Channel.Kind, &target, &d.Channel.Secret); err != nil {
			return nil, nil, err
		}
		sealed := d.Channel.Secret
		d.Channel.Secret, err = s.unseal(sealed, useWebhook+d.Channel.ID)
		if errors.Join(err, json.Unmarshal([]byte(message), &d.Message), setTarget(&d.Channel, target)) != nil {
			unread = append(unread, d)
			continue
		}
		d.CreatedAt = fromMicros(created)
		due = append(due, d)
	}
	return due, unread, rows.Err()
}

// DropAlertDelivery takes a message off: it was delivered, or given up, and then
// entry, which may be nil, says so in the alert's history.
func (s *Store) DropAlertDelivery(ctx context.Context, d *weir.AlertDelivery, entry *weir.AlertEntry) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		ok, err := inserted(tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE id = ?`, d.Key))
		if err != nil || !ok || entry == nil {
			return err // it was deleted with its alert or channel
		}
		return addEntries(ctx, tx, d.AlertID, []weir.AlertEntry{*entry})
	})
	if err != nil {
		return fmt.Errorf("meta: drop alert delivery: %w", err)
	}
	return nil
}

// PutOffAlertDelivery makes a message due at a later time, and stores the number of attempts.
func (s *Store) PutOffAlertDelivery(ctx context.Context, key string, due time.Time, attempts int) error {
	if _, err := s.write.ExecContext(ctx, `UPDATE alert_outbox SET due_at = ?, attempts = ? WHERE id = ?`, micros(due), attempts, key); err != nil {
		return fmt.Errorf("meta: put off alert delivery: %w", err)
	}
	return nil
}

// AlertBacklog returns how many messages are on their way, and since when the oldest
// of them is; zero without any.
func (s *Store) AlertBacklog(ctx context.Context) (n int, oldest time.Time, err error) {
	var at int64
	if err := s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(min(created_at), 0) FROM alert_outbox`).Scan(&n, &at); err != nil {
		return 0, time.Time{}, fmt.Errorf("meta: alert backlog: %w", err)
	}
	if n > 0 {
		oldest = fromMicros(at)
	}
	return n, oldest, nil
}
