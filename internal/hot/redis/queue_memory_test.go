package redis_test

import (
	"strconv"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
	"github.com/weir-analytics/weir/internal/visit"
)

// mostPerByte bounds the memory of events that wait for the drain, in bytes for each byte of
// their encoded size. mostPerVisit bounds that of an open visit, in bytes. The visits of this
// test have some 24 views each. A state stores the last 8.
const (
	mostPerByte  = 1.3
	mostPerVisit = 600
)

func TestWhatWaitsTakesLittleMoreThanItsEncodedSize(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "no")
	s := storeOn(t, server.URL(), redis.Options{Shards: 1})
	now := time.Now()
	var encoded, events int
	var items []hot.Item
	send := func() {
		if _, err := s.Append(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		items = nil
	}
	for e := range bench.Mix(1, bench.Plan{Project: "p", From: now.Add(-time.Hour), To: now, Events: 20_000}) {
		encoded += len(hot.AppendRecord(nil, &e))
		events++
		if items = append(items, hot.Item{Event: &e, Location: time.UTC}); len(items) == 100 {
			send()
		}
	}
	per := float64(usage(t, server, "{w0}:log")) / float64(encoded)
	t.Logf("%d bytes an event encoded, %.2f times that in Redis", encoded/events, per)
	if per > mostPerByte || per < 0.1 {
		t.Errorf("what waits takes %.2f times its encoded size, want at most %v", per, mostPerByte)
	}

	// Half of the visits of an hour are open at its end.
	lease, err := s.Claim(t.Context(), 0, "me", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Read(t.Context(), 0, 0, hot.Limit{Events: 20_000, Bytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]weir.EventRow, len(records))
	for i, r := range records {
		rows[i] = weir.EventRow{Event: r.Event, Seq: r.Seq}
	}
	in := hot.Intent{First: 1, Last: uint64(len(rows)), Now: now}
	if err := s.Intend(t.Context(), lease, in); err != nil {
		t.Fatal(err)
	}
	var changes []hot.Change
	visits := 0
	for key, st := range (visit.Folder{LogID: s.ID()}).Fold(visit.Open{}, rows, now, nil).Changed {
		changes = append(changes, hot.Change{Key: key, Value: st.Encode()})
		visits += len(st)
	}
	if err := s.Commit(t.Context(), lease, in, changes); err != nil {
		t.Fatal(err)
	}
	perVisit := float64(usage(t, server, "{w0}:state")) / float64(visits)
	t.Logf("%d visits, %.0f bytes each", visits, perVisit)
	if perVisit > mostPerVisit || perVisit < 20 {
		t.Errorf("a visit takes %.0f bytes, want at most %d", perVisit, mostPerVisit)
	}
}

// usage returns the bytes that a key takes.
func usage(t *testing.T, server *redistest.Server, key string) int {
	t.Helper()
	n, err := strconv.Atoi(server.Do("MEMORY", "USAGE", key, "SAMPLES", "0"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
