package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Salts are the secrets that device ids are derived under.
type Salts interface {
	// Salts are those of the day, in UTC, and of the day before; nil if that
	// had none.
	Salts(ctx context.Context, day time.Time) (today, yesterday []byte, err error)
	// ImportSalt is the project's own, which does not rotate.
	ImportSalt(ctx context.Context, projectID string) ([]byte, error)
}

// devices names the device of events whose sender names none.
type devices struct {
	salts Salts
	log   interface {
		Seen(ctx context.Context, project, device string, now time.Time) (bool, error)
	}
}

// derive sets the event's device to a hash of salt, project, address and user
// agent. The salt changes at midnight UTC; a device that was here under
// yesterday's in the last half hour keeps that name, so that midnight tears no
// visit in two.
//
// A server that reports calls, or what an identified user did, is not that
// user's device: such events get none. A page in that user's browser is.
func (d devices) derive(ctx context.Context, e *weir.Event, s weir.Source, r Remote, now time.Time) error {
	if s.Reported || s.IP == "" && s.UserAgent == "" {
		return nil
	}
	if s.Remote && (e.Call != nil || e.ProfileID != "" && !r.Page) {
		return nil
	}
	if r.Historical {
		salt, err := d.salts.ImportSalt(ctx, e.ProjectID)
		if err != nil {
			return fmt.Errorf("import salt: %w", err)
		}
		e.DeviceID = deviceID(salt, e.ProjectID, s)
		return nil
	}
	today, yesterday, err := d.salts.Salts(ctx, now)
	if err != nil {
		return fmt.Errorf("salts: %w", err)
	}
	if yesterday != nil {
		old := deviceID(yesterday, e.ProjectID, s)
		seen, err := d.log.Seen(ctx, e.ProjectID, old, now)
		if err != nil {
			return fmt.Errorf("look for yesterday's device: %w", err)
		}
		if seen {
			e.DeviceID = old
			return nil
		}
	}
	e.DeviceID = deviceID(today, e.ProjectID, s)
	return nil
}

// deviceID is 128 bits of SHA-256, as 22 characters. A zero byte stands between
// the parts, which hold none.
func deviceID(salt []byte, project string, s weir.Source) string {
	var buf [512]byte
	b := append(buf[:0], salt...)
	for _, part := range [...]string{project, s.IP, s.UserAgent} {
		b = append(b, 0)
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// withIP adds the address to properties, for projects that ask for it.
func withIP(properties json.RawMessage, ip string) json.RawMessage {
	quoted, err := json.Marshal(ip)
	if err != nil {
		return properties
	}
	if len(properties) <= 2 {
		return fmt.Appendf(nil, `{"ip":%s}`, quoted)
	}
	var has map[string]json.RawMessage // a struct's field would take "IP" for it too
	if json.Unmarshal(properties, &has) == nil && has["ip"] != nil {
		return properties // the sender's own word
	}
	return fmt.Appendf(nil, `{"ip":%s,%s`, quoted, properties[1:])
}

// Device is the one that an event of a client gets now, if it names none itself. Error:
// EUNAVAILABLE.
func (g *Ingester) Device(ctx context.Context, p *weir.Project, r Remote) (string, error) {
	e := weir.Event{ProjectID: p.ID}
	if err := g.devices.derive(ctx, &e, weir.Source{IP: r.IP, UserAgent: r.UserAgent, Client: true}, r, g.Clock.Now()); err != nil {
		return "", unavailable(err)
	}
	return e.DeviceID, nil
}
