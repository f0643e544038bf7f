package ingest

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"
	weir "github.com/weir-analytics/weir"
)

// mostSessions bounds the sessions of which sessionDevices keeps the device: at most about
// 15 MB, since a device id has at most 255 bytes.
const mostSessions = 32768

// sessionDevices keeps the devices of the last sessions of clients that name no device, or name one in
// only a part of their events. It is this process's own: after a restart, and on
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

// setNamed sets the device of an event that has none: that of its session, else its profile (see
// weir.Source.Named).
func (s sessionDevices) setNamed(project string, e *weir.Event) {
	if !s.set(project, e) {
		e.DeviceID = e.ProfileID
	}
	s.keep(project, e)
}

// set sets the device of an event that has none to that of its session, and reports whether the
// event has one then.
func (s sessionDevices) set(project string, e *weir.Event) bool {
	if e.DeviceID == "" && weir.LegalID(e.SessionID) {
		e.DeviceID, _ = s.devices.Get(sessionKey(project, e))
	}
	return e.DeviceID != ""
}

// keep keeps the device of the event's session, if the session has none.
func (s sessionDevices) keep(project string, e *weir.Event) {
	if e.DeviceID != "" && weir.LegalID(e.SessionID) {
		_, _, _ = s.devices.PeekOrAdd(sessionKey(project, e), e.DeviceID)
	}
}

func sessionKey(project string, e *weir.Event) [16]byte {
	sum := sha256.Sum256([]byte(project + "\x00" + e.SessionID))
	return [16]byte(sum[:])
}
