package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Salts are the secrets from which device ids are derived.
type Salts interface {
	// Salts returns the salt of the day, in UTC, and those of other days under which a
	// device may be stored, the day before first.
	Salts(ctx context.Context, day time.Time) (today []byte, others [][]byte, err error)
	// ImportSalt returns the salt of the project, which never changes.
	ImportSalt(ctx context.Context, projectID string) ([]byte, error)
}

// devices derives the devices of events whose sender gives none.
type devices struct {
	salts    Salts
	sessions sessionDevices
	log      interface {
		Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error)
	}
}

// setDevices sets the device of events that have none: that of the session that they name, else a
// hash of salt, project, address and user agent.
func (d devices) setDevices(ctx context.Context, project string, in []weir.Incoming, r Remote, now time.Time) error {
	var unnamed []*weir.Incoming
	for i := range in {
		x := &in[i]
		e, s := &x.Event, &x.Source
		if e.DeviceID == "" && e.ID != "" {
			// The device of a log, or of an address that the event names, is the same in a retry.
			e.Roams = s.Named || (s.Remote || s.Client) && ofDevice(x, r)
		}
		switch {
		case s.Named:
			d.sessions.setNamed(project, e)
		case e.DeviceID == "" && ofDevice(x, r) && (r.Historical || !d.sessions.set(project, e)):
			unnamed = append(unnamed, x)
		}
	}
	if err := d.derive(ctx, project, unnamed, r, now); err != nil {
		return err
	}
	if !r.Historical {
		for _, x := range unnamed {
			d.sessions.keep(project, &x.Event)
		}
	}
	return nil
}

// derive sets the devices of events. The salt changes at midnight UTC. In two cases an event keeps the device
// of another day. First, that device was active in the last half hour: so midnight does not split a
// visit. Second, the event is stored under that device: the hot tier recognizes a retry by id and
// device together, unless the event roams. The hot tier is asked once per request.
func (d devices) derive(ctx context.Context, project string, unnamed []*weir.Incoming, r Remote, now time.Time) error {
	if len(unnamed) == 0 {
		return nil
	}
	if r.Historical {
		salt, err := d.salts.ImportSalt(ctx, project)
		if err != nil {
			return fmt.Errorf("import salt: %w", err)
		}
		name(unnamed, salt, project)
		return nil
	}
	today, others, err := d.salts.Salts(ctx, now)
	if err != nil {
		return fmt.Errorf("salts: %w", err)
	}
	name(unnamed, today, project)
	if len(others) == 0 {
		return nil
	}
	names := make([][]hot.SeenQuery, len(unnamed)) // today's, then the others
	var asked []hot.SeenQuery
	place := map[hot.SeenQuery]int{} // in asked
	for i, x := range unnamed {
		if x.Event.ID != "" {
			names[i] = append(names[i], hot.SeenQuery{Device: x.Event.DeviceID, ID: x.Event.ID})
		}
		for _, salt := range others {
			names[i] = append(names[i], hot.SeenQuery{Device: deviceID(salt, project, x.Source), ID: x.Event.ID})
		}
		for _, n := range names[i] {
			if _, ok := place[n]; !ok {
				place[n] = len(asked)
				asked = append(asked, n)
			}
		}
	}
	seen, err := d.log.Seen(ctx, project, asked, now)
	if err != nil {
		return fmt.Errorf("look for other days' devices: %w", err)
	}
	for i, x := range unnamed {
		today, best := x.Event.DeviceID, hot.Unseen
		for _, n := range names[i] {
			s := seen[place[n]]
			if s > best && (s == hot.SeenEvent || n.Device != today) {
				best, x.Event.DeviceID = s, n.Device
			}
			if s == hot.SeenEvent { // a version before stored it under the device
				x.Event.Roams = false
			}
		}
	}
	return nil
}

// ofDevice reports whether the event gets a device, from the address and user agent that it
// has or that the request has. A server that reports calls, or what an identified user did,
// is not that user's device: such events get none. A page in the user's browser is.
func ofDevice(x *weir.Incoming, r Remote) bool {
	e, s := &x.Event, x.Source
	if s.Reported || s.IP == "" && s.UserAgent == "" {
		return false
	}
	return !s.Remote || e.Call == nil && (e.ProfileID == "" || r.Page)
}

func name(in []*weir.Incoming, salt []byte, project string) {
	for _, x := range in {
		x.Event.DeviceID = deviceID(salt, project, x.Source)
	}
}

// deviceID returns 128 bits of SHA-256, as 22 characters. A zero byte separates the parts,
// which contain none.
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
		return properties // the sender's own value
	}
	return fmt.Appendf(nil, `{"ip":%s,%s`, quoted, properties[1:])
}

// Device returns the device that an event of a client gets now if it has none itself. Error:
// EUNAVAILABLE.
func (g *Ingester) Device(ctx context.Context, p *weir.Project, r Remote) (string, error) {
	in := []weir.Incoming{{Source: weir.Source{IP: weir.Address(r.IP), UserAgent: r.UserAgent, Client: true}}}
	if err := g.devices.setDevices(ctx, p.ID, in, r, g.Clock.Now()); err != nil {
		return "", unavailable(err)
	}
	return in[0].Event.DeviceID, nil
}
