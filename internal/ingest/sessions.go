package ingest

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"
	weir "github.com/weir-analytics/weir"
)

// mostSessions bounds the sessions of which sessionDevices keeps the device: at most about
// 15 MB, since a device id has at most 255 bytes.
const mostSessions = 32768

// sessionDevices keeps the devices of the last sessions of clients that name a device in only
// a part of their events (see weir.Source.Named). It is this process's own: after a restart, and on
// another node, a session has the device of its next event.
type sessionDevices struct {
	devices *lru.Cache[[16]byte, string]
}

func newSessionDevices() sessionDevices {
	devices, err := lru.New[[16]byte, string](mostSessions)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return sessionDevices{devices}
}

// set sets the device of an event that has none, and keeps the device of its session.
func (s sessionDevices) set(project string, e *weir.Event) {
	var session [16]byte
	if e.SessionID != "" {
		sum := sha256.Sum256([]byte(project + "\x00" + e.SessionID))
		session = [16]byte(sum[:])
	}
	if e.DeviceID == "" && e.SessionID != "" {
		e.DeviceID, _ = s.devices.Get(session)
	}
	if e.DeviceID == "" {
		e.DeviceID = e.ProfileID
	}
	if e.DeviceID != "" && e.SessionID != "" {
		_, _, _ = s.devices.PeekOrAdd(session, e.DeviceID)
	}
}
