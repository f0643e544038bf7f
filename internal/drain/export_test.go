package drain

import (
	"context"
	"time"
)

// Look and TakeAt are what Run and Take do, at a time of the test's.
func (b *Brake) Look(ctx context.Context, now time.Time) { b.measure(ctx, now) }
func (b *Brake) TakeAt(events int, now time.Time) bool   { return b.allow(events, now) }

// What reads a note that comes from the hot tier, for the fuzz test.
type Note = note

var DecodeNote = decodeNote

func (n note) Encode() string { return n.encode() }

// StateCache is stateCache, for its tests.
type StateCache = stateCache

var NewStateCache = newStateCache

func (k *stateCache) Set(key, state string)         { k.set(key, state) }
func (k *stateCache) Get(key string) (string, bool) { return k.get(key) }
func (k *stateCache) Bytes() int64                  { return k.bytes.Load() }

// CompleteBefore is completeBefore in times from now, which is start: complete is when
// the shard was last complete, by the wall clock and before how long, setBack before how
// long the clock was set back to least; nil is never.
func CompleteBefore(start time.Time, came time.Duration, complete, setBack *At) time.Time {
	now := moment{start, time.Now()}
	var was moment
	if complete != nil {
		was = moment{start.Add(complete.Wall), now.mono.Add(-complete.Ago)}
	}
	var at, least time.Time
	if setBack != nil {
		at, least = now.mono.Add(-setBack.Ago), start.Add(setBack.Wall)
	}
	return completeBefore(start.Add(came), now, was, at, least)
}

// At is a time: by the wall clock from now, and how long ago it was.
type At struct{ Wall, Ago time.Duration }

// Bounds are how many batches are under way at most, and the most events of one.
func (d *Drain) Bounds() (batches, events int) { return cap(d.slots), d.batchLimit().Events }
