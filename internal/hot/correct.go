package hot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Corrector takes events that were appended out of what Append keeps beside the log, when they
// are deleted from the cold tier. Events of the log stay: the caller first waits until they are
// in the cold tier. A deletion calls, in this order:
//
//  1. Subtract with the Amounts of the events, chunk by chunk. A chunk is deleted from the cold
//     tier once its step is done, so that after a crash the same step has the same events.
//  2. ClearUniques with the buckets that the events counted in.
//  3. The barrier. After it the cold tier has all events that were appended before step 2.
//  4. AddUniques with the devices of the events that remain in these buckets. Until all are
//     added, the buckets have fewer unique devices. Devices that are appended meanwhile add themselves.
//  5. DropIDs of the deleted events, so that they can be sent again.
//
// Presence stays as it is: a device of a deleted event is live for up to Window after that event.
//
// A recount counts the events of whole buckets again, for example when a project's days begin at
// other times: Empty, the barrier, then Refill with all events of the buckets up to the heads that
// Empty returned. If it fails in between, it begins again with Empty and another id.
//
// A project may have one correction at a time. Who corrects holds the fleet's lock
// CorrectionLock(project) meanwhile.
//
// One call takes at most MaxCorrection amounts, devices or rows. Appends wait for no more than
// one call. When a call returns without an error, it is durable.
type Corrector interface {
	// Subtract subtracts the amounts from the project's counters and notes the step, in one
	// atomic step per shard. Repeating a noted step changes nothing, so a step that failed can
	// be repeated. A counter does not fall below 0, and a bucket that is gone stays gone. What
	// a member lacks is subtracted from what its dimension counts beyond MaxMembers.
	//
	// The store remembers the last step of each project. So the steps of a correction come in
	// order.
	Subtract(ctx context.Context, project string, step Step, amounts []Amount) error
	// ClearUniques makes the sketches of the buckets empty, those of people and of bots.
	ClearUniques(ctx context.Context, project string, buckets []Bucket) error
	// AddUniques adds devices to sketches. A bucket without counters is skipped: it is past
	// its time.
	AddUniques(ctx context.Context, project string, unique []Unique) error
	// Empty deletes the counters and the sketches of at most MaxEmptied buckets, and notes the id, in one
	// atomic step per shard. It returns for each shard the seq of its last event at that moment. So
	// the buckets have none of the events up to these seqs, and all later ones.
	Empty(ctx context.Context, project, id string, buckets []Bucket) (heads []uint64, err error)
	// Refill adds amounts and devices to emptied buckets, and notes the step, in one atomic step per
	// shard. step.ID is the id of Empty. A noted step changes nothing. Buckets past their time are skipped.
	// Errors: ErrFenced if another id was noted meanwhile; ErrFull.
	Refill(ctx context.Context, project string, step Step, amounts []Amount, unique []Unique) error
	// DropIDs deletes the ids of events, so that Append takes events with these ids. The cold
	// tier does not store whether an event roams. So all names are deleted that the event may have.
	DropIDs(ctx context.Context, rows []weir.EventRow) error
}

// MaxCorrection is the most amounts, devices or rows in one call of a Corrector. Events have at
// most AmountsPerEvent amounts each.
const (
	MaxCorrection   = 10_000
	AmountsPerEvent = 21 // 7 facts in 3 buckets

	// MaxEmptied is the most buckets in one Empty.
	MaxEmptied = 1000
)

// CorrectionLock returns the name of the lock that a correction of the project holds.
func CorrectionLock(project string) string { return "correction of " + project }

// Step is one step of a correction.
type Step struct {
	ID     string // of the correction; no other has it
	Number uint64 // of the step, from 1
}

// Amount is a part of a counter.
type Amount struct {
	// Shard is where the events were counted, as their rows say. Rows of a former log may have
	// a shard that this store does not have. Then the remainder by the number of shards is taken.
	Shard int
	Bucket
	Fact
	N int64 // events, above 0
}

// Unique is a device in a bucket.
type Unique struct {
	Bucket
	Device string
	Bot    bool
}

// Amounts returns what Append has added to the counters for events of one project, also in
// buckets that may be gone by now. They are in the order of shards and buckets.
func Amounts(rows []weir.EventRow, loc *time.Location) []Amount {
	type key struct {
		shard int
		Bucket
		Fact
	}
	sums := map[key]int64{}
	var facts [8]Fact
	var buckets [len(Grains)]Bucket
	for i := range rows {
		e := &rows[i].Event
		for _, b := range Buckets(buckets[:0], e.Time, loc, e.ReceivedAt) {
			for _, f := range Facts(facts[:0], e) {
				sums[key{rows[i].Shard, b, f}]++
			}
		}
	}
	amounts := make([]Amount, 0, len(sums))
	for k, n := range sums {
		amounts = append(amounts, Amount{k.shard, k.Bucket, k.Fact, n})
	}
	slices.SortFunc(amounts, Amount.compare)
	return amounts
}

func (a Amount) compare(b Amount) int {
	return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Grain, b.Grain), cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.Dimension, b.Dimension), strings.Compare(a.Member, b.Member))
}

// CheckCorrection refuses a call of a Corrector with too many amounts, devices or rows.
func CheckCorrection(parts int) error {
	if parts > MaxCorrection {
		return fmt.Errorf("hot: a correction of %d parts in one call, at most %d are allowed", parts, MaxCorrection)
	}
	return nil
}

// Check refuses a step that cannot be noted, too many amounts and devices, and amounts below 1.
func (s Step) Check(amounts []Amount, unique []Unique) error {
	if s.ID == "" || s.Number == 0 {
		return fmt.Errorf("hot: step %d of correction %q has no name", s.Number, s.ID)
	}
	for i := range amounts {
		if a := &amounts[i]; a.N <= 0 || a.Shard < 0 {
			return fmt.Errorf("hot: a correction by %d events of shard %d", a.N, a.Shard)
		}
	}
	return CheckCorrection(len(amounts) + len(unique))
}

// CheckEmpty refuses an Empty without an id or with too many buckets.
func CheckEmpty(id string, buckets []Bucket) error {
	if id == "" || len(buckets) > MaxEmptied {
		return fmt.Errorf("hot: cannot empty %d buckets under the id %q, at most %d and an id are needed", len(buckets), id, MaxEmptied)
	}
	return nil
}

// DedupIDs returns the names that DedupID may have given the event, each once: Roams may be
// false or true.
func DedupIDs(e *weir.Event) [][16]byte {
	all := make([][16]byte, 0, 4)
	for _, v := range [...]weir.Event{
		{DeviceID: e.DeviceID, ProfileID: e.ProfileID},
		{Roams: true, ProfileID: e.ProfileID, SessionID: e.SessionID},
		{Roams: true, SessionID: e.SessionID},
		{Roams: true},
	} {
		v.ProjectID, v.ID = e.ProjectID, e.ID
		if id := DedupID(&v); !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}
