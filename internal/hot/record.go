package hot

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
)

// Versions of records. A record is written in the first version that has all of the event, so
// that a node of an earlier version can read it.
const (
	version1 = 1 // has the first texts1 of weir.Event.Texts
	version2 = 2 // says before the texts how many there are
	version3 = 3 // as version2, and its call has sizes, an error and a trace

	texts1 = 27
)

const (
	flagBot = 1 << iota
	flagCall
	flagRevenue     // the revenue is known
	flagZeroLatency // the call's latency of 0 is known; without the flag, 0 is unknown
	flagRoams       // weir.Event.Roams
	flagRequestBytes
	flagResponseBytes
)

// AppendRecord appends the event's stored form to b.
func AppendRecord(b []byte, e *weir.Event) []byte {
	var flags byte
	if e.Bot {
		flags |= flagBot
	}
	if e.Call != nil {
		flags |= flagCall
	}
	version := byte(version1)
	if c := e.Call; c != nil {
		if c.LatencyMS == weir.Known(0) {
			flags |= flagZeroLatency
		}
		if c.RequestBytes.Known {
			flags |= flagRequestBytes
		}
		if c.ResponseBytes.Known {
			flags |= flagResponseBytes
		}
		if c.RequestBytes.Known || c.ResponseBytes.Known || c.Error != "" || c.TraceID != "" {
			version = version3
		}
	}
	if e.Revenue.Known {
		flags |= flagRevenue
	}
	if e.Roams {
		flags |= flagRoams
	}
	texts := e.Texts()
	n := len(texts)
	for n > texts1 && *texts[n-1] == "" {
		n--
	}
	if n > texts1 {
		version = max(version, version2)
	}
	b = append(b, version, flags)
	b = codec.AppendTime(b, e.Time)
	b = codec.AppendTime(b, e.ReceivedAt)
	if version >= version2 {
		b = append(b, byte(n))
	}
	for _, s := range texts[:n] {
		b = codec.AppendString(b, *s)
	}
	b = codec.AppendUint(b, uint64(len(e.Properties)))
	b = append(b, e.Properties...)
	if e.Revenue.Known {
		b = codec.AppendFloat(b, e.Revenue.Value)
	}
	if c := e.Call; c != nil {
		b = codec.AppendString(b, c.Method)
		b = codec.AppendString(b, c.Route)
		b = codec.AppendInt(b, int64(c.Status))
		b = codec.AppendFloat(b, c.LatencyMS.Value)
		b = codec.AppendString(b, c.Consumer)
		if version >= version3 {
			if c.RequestBytes.Known {
				b = codec.AppendUint(b, uint64(c.RequestBytes.Value))
			}
			if c.ResponseBytes.Known {
				b = codec.AppendUint(b, uint64(c.ResponseBytes.Value))
			}
			b = codec.AppendString(codec.AppendString(b, c.Error), c.TraceID)
		}
	}
	return b
}

// MaxRecord bounds the RecordSize of an event that is taken in, in bytes: 1 MiB of
// its own text, and what the request and the enrichment add to it. Whoever reads
// or writes the log by bytes has to have room for one record of that size.
// Package ingest rejects what is larger.
const MaxRecord = 1<<20 + 64<<10

// RecordSize returns at least the length of the event's stored form, in bytes, and
// at most some hundred more.
func RecordSize(e *weir.Event) int {
	const length = 5 // of a length or a small number, at most
	n := 3 + 2*10 + len(e.Properties) + length + 8
	for _, s := range e.Texts() {
		n += len(*s) + length
	}
	if c := e.Call; c != nil {
		n += len(c.Method) + len(c.Route) + len(c.Consumer) + len(c.Error) + len(c.TraceID) + 5*length + 3*10 + 8
	}
	return n
}

// DecodeRecord decodes what AppendRecord made into e, which has to be zero. The event does not alias b.
func DecodeRecord(b []byte, e *weir.Event) error {
	r := codec.NewReader(b)
	version := r.Byte()
	if version < version1 || version > version3 {
		return fmt.Errorf("hot: record of version %d: %w", version, codec.ErrCorrupt)
	}
	flags := r.Byte()
	e.Bot, e.Roams = flags&flagBot != 0, flags&flagRoams != 0
	e.Time = r.Time()
	e.ReceivedAt = r.Time()
	texts, n := e.Texts(), texts1
	if version >= version2 {
		if n = int(r.Byte()); n > len(texts) {
			return fmt.Errorf("hot: record with %d texts, this version of Weir reads %d: %w", n, len(texts), codec.ErrCorrupt)
		}
	}
	for _, s := range texts[:n] {
		*s = r.String()
	}
	if p := r.String(); p != "" {
		e.Properties = json.RawMessage(p)
	}
	if flags&flagRevenue != 0 {
		e.Revenue = weir.Known(r.Float())
	}
	if flags&flagCall != 0 {
		e.Call = &weir.Call{Method: r.String(), Route: r.String()}
		e.Call.Status = int(r.Int())
		if ms := r.Float(); ms != 0 || flags&flagZeroLatency != 0 {
			e.Call.LatencyMS = weir.Known(ms)
		}
		e.Call.Consumer = r.String()
		if version >= version3 {
			if flags&flagRequestBytes != 0 {
				e.Call.RequestBytes = weir.Known(float64(r.Uint()))
			}
			if flags&flagResponseBytes != 0 {
				e.Call.ResponseBytes = weir.Known(float64(r.Uint()))
			}
			e.Call.Error, e.Call.TraceID = r.String(), r.String()
		}
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("hot: record: %w", err)
	}
	return nil
}

// DedupID names an event for deduplication: 128 bits of SHA-256 over project,
// sender and id, so that nobody can make two ids collide. The sender is whom the client
// names: the same id of two devices is two events, however many shards there are. If an event
// roams, the client named no device: the sender is then its profile, else its session, else nobody.
func DedupID(e *weir.Event) (key [16]byte) {
	var buf [256]byte
	b := append(buf[:0], e.ProjectID...)
	b = append(b, 0)
	switch {
	case !e.Roams:
		b = append(b, sender(e)...)
	case e.ProfileID != "":
		b = append(b, e.ProfileID...)
	default:
		b = append(b, e.SessionID...)
	}
	b = append(b, 0)
	b = append(b, e.ID...)
	sum := sha256.Sum256(b)
	copy(key[:], sum[:])
	return key
}

// sender returns who an event belongs to in the log: its device, without one its
// profile, without that nobody.
func sender(e *weir.Event) string {
	if e.DeviceID != "" {
		return e.DeviceID
	}
	return e.ProfileID
}

// ShardOf returns the shard of an event's sender in the project. Events of nobody go
// by their own id, so that they spread.
func ShardOf(e *weir.Event, shards int) int {
	who := sender(e)
	if who == "" {
		who = e.ID
	}
	return int(Hash(e.ProjectID, who) % uint64(shards))
}

// Hash returns a 64-bit hash of two texts: FNV-1a, then the finalizer of MurmurHash3
// so that all bits depend on all input. It is part of the stored format (shard,
// uniques): it never changes.
func Hash(a, b string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(a) {
		h = (h ^ uint64(a[i])) * prime
	}
	h *= prime // a zero byte between
	for i := range len(b) {
		h = (h ^ uint64(b[i])) * prime
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
