package redis_test

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
)

// FuzzChunk checks that what is read of any chunk lies within it, and that a
// chunk that can be read whole packs to one that reads the same.
func FuzzChunk(f *testing.F) {
	e := item("1", "d").Event
	one := redis.AppendRecord(nil, e)
	var many []byte
	for range 20 {
		many = redis.AppendRecord(many, e)
	}
	f.Add(redis.AppendChunk(nil, one))
	f.Add(redis.AppendChunk(nil, many))
	f.Add([]byte{1})
	f.Add([]byte{2})
	f.Add([]byte("\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"))
	f.Add([]byte("\x02\x80\x80\x80\x20\xff"))
	f.Fuzz(func(t *testing.T, chunk []byte) {
		var got [][]byte
		var size int
		err := redis.Records(chunk, func(record []byte) bool {
			got = append(got, append([]byte(nil), record...))
			size += len(record) + 1 // its length
			return true
		})
		if size > redis.MaxChunk {
			t.Fatalf("%d bytes of a chunk of %d", size, len(chunk))
		}
		if err != nil {
			return
		}
		var packed []byte
		for _, r := range got {
			packed = append(binary.AppendUvarint(packed, uint64(len(r))), r...)
		}
		var again [][]byte
		if err := redis.Records(redis.AppendChunk(nil, packed), func(record []byte) bool {
			again = append(again, append([]byte(nil), record...))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(got, again); d != "" {
			t.Fatal(d)
		}
	})
}

func TestAChunkThatPromisesMuchTakesNoMemory(t *testing.T) {
	for _, declared := range []uint64{redis.MaxChunk + 1, 1 << 30, 1<<32 - 1, 1 << 40, 1<<64 - 1} {
		chunk := append(binary.AppendUvarint([]byte{2}, declared), "some bytes"...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := redis.Records(chunk, func([]byte) bool { return true })
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("a chunk of %d bytes in %d was read", declared, len(chunk))
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("a chunk of %d bytes in %d took %d bytes", declared, len(chunk), took)
		}
	}
	if err := redis.Records(append([]byte{2}, s2.Encode(nil, make([]byte, redis.MaxChunk+1))...), func([]byte) bool { return true }); err == nil {
		t.Error("a chunk larger than the largest was read")
	}
}

// FuzzEntry checks that any entry of a stream gives records without a gap, from
// the one asked for to at most its last, or an error.
func FuzzEntry(f *testing.F) {
	var chunk []byte
	for range 5 {
		chunk = redis.AppendRecord(chunk, item("1", "d").Event)
	}
	chunk = redis.AppendChunk(nil, chunk)
	f.Add("5-5", chunk, uint64(1), 10)
	f.Add("5-5", chunk, uint64(4), 10)
	f.Add("5-5", chunk, uint64(2), 1)
	f.Add("9-5", chunk, uint64(5), 10)
	f.Add("5-4", chunk, uint64(1), 10)
	f.Add("18446744073709551615-5", chunk, uint64(1<<63), 10)
	f.Add("18446744073709551615-18446744073709551615", chunk, uint64(1), 10)
	f.Add("5-6", chunk, uint64(1), 10)
	f.Add("-", []byte{}, uint64(0), 0)
	f.Fuzz(func(t *testing.T, id string, chunk []byte, next uint64, limit int) {
		first, last, err := redis.ChunkID(id)
		if err == nil && (first < 1 || first > last) {
			t.Fatalf("%q is %d to %d", id, first, last)
		}
		if limit < 1 || next < 1 {
			return // nobody asks so
		}
		records, err := redis.Unpack(id, chunk, next, limit)
		if err != nil {
			return
		}
		if len(records) > limit {
			t.Fatalf("%q from %d, at most %d: %d records", id, next, limit, len(records))
		}
		for i, r := range records {
			if r.Seq != next+uint64(i) || r.Seq < first || r.Seq > last {
				t.Fatalf("%q from %d: record %d has seq %d", id, next, i, r.Seq)
			}
		}
		if next <= last && len(records) < limit && len(chunk) < hot.MaxRead.Bytes/100 && uint64(len(records)) != last-next+1 {
			t.Fatalf("%q from %d, at most %d: %d records and no error", id, next, limit, len(records))
		}
	})
}

func FuzzParseIntent(f *testing.F) {
	f.Add("1 2 3")
	f.Add(redis.FormatIntent(hot.Intent{First: 1, Last: 0, Now: time.Unix(1_800_000_000, 0)}))
	f.Add("18446744073709551615 18446744073709551615 -9223372036854775808")
	f.Add("1 2")
	f.Add("a b c")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := redis.ParseIntent(text)
		if err != nil {
			return
		}
		again, err := redis.ParseIntent(redis.FormatIntent(*in))
		if d := cmp.Diff(in, again); d != "" || err != nil {
			t.Fatal(d, err)
		}
	})
}
