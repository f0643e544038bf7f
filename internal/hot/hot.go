// Package hot is the hot tier's contract: a durable, sharded log of events with
// deduplication, counters and presence kept in the same atomic step. Package
// hottest proves a backend against it.
package hot

import (
	"context"
	"errors"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Errors of a backend. Any other error of Append is temporary: the caller may append the
// same events again.
var (
	// ErrHeld is returned by Claim when another owner's lease has not expired.
	ErrHeld = errors.New("hot: shard is held by another owner")
	// ErrFenced is returned when another owner has claimed the shard. The former owner
	// must stop and drop its state.
	ErrFenced = errors.New("hot: lease is fenced off")
	// ErrFull is returned by Append when the store has no room.
	ErrFull = errors.New("hot: store is full")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("hot: store is closed")
	// ErrBusy is returned when another process owns the store.
	ErrBusy = errors.New("hot: store is in use by another process")
	// ErrNewer is returned by a backend's Open when a newer version of Weir
	// wrote the store.
	ErrNewer = errors.New("hot: store was written by a newer version of Weir")
)

// Store is a complete backend. All methods are safe for concurrent use.
type Store interface {
	Log
	Counters
	Presence
	Eraser
	Corrector
	Close() error
}

// Item is one event to append. The store does not use the event after Append returns.
type Item struct {
	Event    *weir.Event
	Location *time.Location // the project's timezone, for day and hour counters
}

// Record is an event in a shard's log: Event, Shard and Seq are set. It is the row that the drain
// completes and writes, so that it is copied nowhere on the way: it is a large struct.
type Record = weir.EventRow

// Intent describes a batch before its rows are written. After a crash the drain repeats
// the batch from the intent: same range, same Now, same Note, and so the same rows.
type Intent struct {
	First, Last uint64 // inclusive; Last = First-1 is an empty range
	Now         time.Time
	Note        string // other decisions of the drain for this batch, in a form of its own
}

// Limit bounds a Read. A zero field means that of MaxRead.
type Limit struct {
	Events int
	Bytes  int // of the stored records; the first record is returned even if it is larger
}

// MaxRead is the most that a Read returns.
var MaxRead = Limit{Events: 10_000, Bytes: 16 << 20}

// WithDefaults returns the limit with zero fields replaced by those of MaxRead.
func (l Limit) WithDefaults() Limit {
	if l.Events <= 0 {
		l.Events = MaxRead.Events
	}
	if l.Bytes <= 0 {
		l.Bytes = MaxRead.Bytes
	}
	return l
}

// Lease is the right to drain one shard. Epoch grows with each Claim.
type Lease struct {
	Shard int
	Owner string
	Epoch uint64
}

// Progress says how far a shard is drained. Head and Committed are read at one moment. So
// a log that was restored to an older state shows it in both.
type Progress struct {
	Head      uint64  // as Log.Head
	Committed uint64  // last seq that is in the cold tier; 0 is none
	Intent    *Intent // the batch that has begun and is not committed, or nil
}

// Change is a new value of one entry of a shard's drain state; nil deletes it.
type Change struct {
	Key   string
	Value []byte
}

// Log is the durable queue of each shard, and the drain's state.
type Log interface {
	// ID returns the log's id, a random text made with the store. Batch tokens and
	// derived ids contain it, so that a new hot tier is not confused with the one that
	// the cold tier had before.
	ID() string
	// Shards is the number of shards, fixed when the store was made.
	Shards() int

	// Append makes the events durable, in order within their shard. It returns the
	// indexes of duplicates, which it left out: the same sender (see DedupID) sent the same id within
	// the window, or earlier in items. An event that roams is looked for under all devices. In each shard, the log, the
	// ids, counters and presence change together or not at all. After an error some events may be stored; to append
	// them again is safe if the caller gave them ids.
	Append(ctx context.Context, items []Item) (duplicates []int, err error)

	// Head returns the seq of the shard's last durable event, 0 if there never was one.
	Head(ctx context.Context, shard int) (uint64, error)
	// Read returns the durable records after the seq, in order and without gaps, as many
	// as the limit allows.
	Read(ctx context.Context, shard int, after uint64, limit Limit) ([]Record, error)

	// Claim takes the shard's lease for ttl; the same owner may claim again,
	// which fences its former lease. Error: ErrHeld.
	Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (Lease, error)
	// Renew extends a lease. Error: ErrFenced.
	Renew(ctx context.Context, l Lease, ttl time.Duration) error
	// Release ends a lease. Releasing a fenced lease does nothing.
	Release(ctx context.Context, l Lease) error

	Progress(ctx context.Context, shard int) (Progress, error)
	// States returns the values of the entries of the shard's drain state as of the
	// last commit, in the order of keys; nil where there is no such entry.
	States(ctx context.Context, shard int, keys []string) ([][]byte, error)
	// ScanState returns about limit entries of the shard's drain state, and the cursor of
	// the next call. The cursor "" starts a pass, and is returned at its end. An entry may
	// be returned twice. A pass returns every entry that exists during all of it, unless
	// the store moves to another server meanwhile.
	ScanState(ctx context.Context, shard int, cursor string, limit int) (entries []Change, next string, err error)
	// Intend records the intent durably. Errors: ErrFenced.
	Intend(ctx context.Context, l Lease, in Intent) error
	// Commit, in one durable step, applies the changes, moves Committed to
	// in.Last, trims the log up to it and drops the intent. Errors: ErrFenced.
	Commit(ctx context.Context, l Lease, in Intent, changes []Change) error
}

// Presence says which visitors are here now.
type Presence interface {
	// Live returns the number of distinct devices with an event in the Window before now,
	// without bots. Those of BotsOf(project) are the bots.
	Live(ctx context.Context, project string, now time.Time) (int, error)
	// Seen says of each sighting what the store has of it.
	Seen(ctx context.Context, project string, asked []SeenQuery, now time.Time) ([]SeenResult, error)
}

// Eraser takes persons and projects out of what Append keeps beside the log.
type Eraser interface {
	// Erase makes the devices unseen and no longer live, until their next events, and
	// takes the consumers out of all buckets: their calls go on counting under
	// everything else. Events of the log are not erased: what is not committed yet may
	// make a device live again when the store is opened. It is done in steps, and appends
	// wait for no more than one of them; after an error a part may be done, and to do it
	// again does the rest. When it returns without an error, it is durable.
	Erase(ctx context.Context, project string, devices, consumers []string) error
	// DropProject deletes all that Append keeps beside the log of a project that nobody appends
	// to any more: counters, sketches, the last step of a correction. Events of the log stay
	// until they are drained, ids and devices until their time is over. After an error a
	// part may be done, and to do it again does the rest. When it returns without an error, it is durable.
	DropProject(ctx context.Context, project string) error
}

// SeenQuery is a device, and the id of an event that it may have sent; "" is none.
type SeenQuery struct{ Device, ID string }

// SeenResult is what a store has of a SeenQuery.
type SeenResult uint8

// What a store may have of a SeenQuery, the more the greater.
const (
	Unseen     SeenResult = iota
	SeenDevice            // the device had an event within DeviceKept
	SeenEvent             // the id was accepted of that device, within the window, or is just being stored
)

const (
	// Window is how long after its last event a device counts as live.
	Window = 5 * time.Minute
	// DeviceKept is how long after its last event Seen returns SeenDevice.
	DeviceKept = 30 * time.Minute
)
