package drain

import (
	"context"
	"time"
)

// Look and TakeAt are what Run and Take do, at a time of the test's.
func (b *Brake) Look(ctx context.Context, now time.Time) { b.look(ctx, now) }
func (b *Brake) TakeAt(events int, now time.Time) bool   { return b.take(events, now) }

// What reads a note that comes from the hot tier, for the fuzz test.
type Note = note

var DecodeNote = decodeNote

func (n note) Encode() string { return n.encode() }

// Kept keeps states; see kept.
type Kept = kept

var NewKept = newKept

func (k *kept) Set(key, state string)         { k.set(key, state) }
func (k *kept) Get(key string) (string, bool) { return k.get(key) }
func (k *kept) Bytes() int64                  { return k.bytes.Load() }
