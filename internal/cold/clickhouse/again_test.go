package clickhouse_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

// A batch that comes again when its token, and the row that says it is whole, are
// long forgotten.
func TestABatchOfLongAgoIsNotWrittenTwice(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	b := batchOf(1, 50)
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"events", "visits", "tallies", "dead_letters"} {
		server.Do("ALTER TABLE weir." + table + " MODIFY SETTING non_replicated_deduplication_window = 1")
	}
	other := batchOf(1001, 50)
	other.Shard = 1
	for i := range other.Visits {
		other.Visits[i].SessionID += "other"
		other.Events[i].DeviceID += "other"
		other.Events[i].Shard = 1
	}
	if err := s.Write(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	server.Do("TRUNCATE TABLE weir.batches")
	b.Again = true
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]int64{"SELECT COUNT(*) FROM events": 100, "SELECT toInt64(SUM(sign)) FROM visits": 100, "SELECT toInt64(SUM(events)) FROM tallies": 100, "SELECT COUNT(*) FROM dead_letters": 2} {
		if n := count(t, s, q); n != want {
			t.Errorf("%s: %d, want %d", q, n, want)
		}
	}
}

// A visit that its SDK names and that comes back begins again at version 1.
func TestNamedVisitThatBeginsAgainIsWritten(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	if err := s.Write(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	back := batchOf(11, 10)
	back.Dead = nil
	for i := range back.Visits {
		v := &back.Visits[i]
		v.Start, v.End = v.Start.Add(3*time.Hour), v.End.Add(3*time.Hour)
	}
	// The span of the batch's visits holds the first ones too.
	back.Visits[0].Start, back.Visits[0].DeviceID = noon.Add(-time.Hour), "other"
	back.Again = true
	for range 2 {
		if err := s.Write(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		server.Do("TRUNCATE TABLE weir.batches")
		if n := count(t, s, "SELECT toInt64(SUM(sign)) FROM visits"); n != 20 {
			t.Errorf("%d visits, want 20", n)
		}
	}
}

// After a failover that lost its last events Redis gives their seqs to others.
func TestAnotherEventOfTheSameSeqIsNotTakenForTheFirst(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	first.Visits, first.Dead = nil, nil
	if err := s.Write(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	other := batchOf(1, 12)
	other.Token, other.Again, other.Visits, other.Dead = "log/0/other", true, nil, nil
	for i := range other.Events[:10] {
		other.Events[i].ID += "-other"
	}
	for range 2 {
		if err := s.Write(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		server.Do("TRUNCATE TABLE weir.batches")
		if n := count(t, s, "SELECT COUNT(DISTINCT id) FROM events"); n != 22 {
			t.Errorf("%d events, want 22", n)
		}
	}
}

// loss is what happens to the rows of visits before a batch comes again.
type loss struct {
	lost  string // a condition for the rows that are lost
	merge string // a statement that merges what is left; "" is none
}

// comesAgain writes two batches to empty tables, loses rows, and writes the second batch twice
// more, as one whose token is not there. check looks at the store each time.
func (c loss) comesAgain(t *testing.T, server *clickhousetest.Server, name string, first, second *cold.Batch, check func(s *clickhouse.Store)) {
	t.Helper()
	for _, table := range []string{"events", "visits", "sightings", "tallies", "identities", "dead_letters", "batches"} {
		server.Do("TRUNCATE TABLE weir." + table)
	}
	s := openAt(t, server.URL("weir")) // one that remembers no sightings
	for _, b := range []*cold.Batch{first, second} {
		b.Token, b.Again = b.Token+name, false
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	server.Do("DELETE FROM weir.visits WHERE " + c.lost)
	if c.merge != "" {
		server.Do(c.merge)
	}
	for range 2 {
		server.Do("TRUNCATE TABLE weir.batches")
		second.Again = true
		if err := s.Write(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		check(s)
	}
}

// A late event may move a visit's start over a month's end. What takes its former
// state back is then in another partition than the new state.
func TestFormerVisitStateIsCancelledAcrossAMonthsEnd(t *testing.T) {
	server := clickhousetest.Start(t)
	openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	second := nextStates(first)
	for i := 1; i < len(second.Visits); i += 2 {
		v := &second.Visits[i]
		v.Start = v.Start.AddDate(0, -1, 0)
	}
	for name, c := range map[string]loss{
		"what takes back is lost":           {lost: "sign = -1"},
		"the new states are lost":           {lost: "version = 2"},
		"all is lost":                       {lost: "version = 2 OR sign = -1"},
		"nothing is lost":                   {lost: "0"},
		"nothing is lost, and it is merged": {lost: "0", merge: "OPTIMIZE TABLE weir.visits FINAL"},
		"the new states are lost, and what takes back is merged": {lost: "version = 2", merge: "OPTIMIZE TABLE weir.visits FINAL"},
	} {
		t.Run(name, func(t *testing.T) {
			c.comesAgain(t, server, name, first, second, func(s *clickhouse.Store) { whole(t, s, 20, 20, 10) })
		})
	}
}

// A late event merges two visits that are stored: their two cancellations stand before one new
// state.
func TestABatchThatMergesVisitsIsWrittenOnce(t *testing.T) {
	server := clickhousetest.Start(t)
	openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	for i := range first.Visits {
		v := &first.Visits[i]
		if v.SessionID = "first"; i%2 == 1 {
			v.SessionID, v.DeviceID, v.Start, v.End = "second", first.Visits[i-1].DeviceID, v.Start.Add(time.Hour), v.End.Add(time.Hour)
			first.Events[i].DeviceID = v.DeviceID
		}
	}
	second := batchOf(11, 10)
	second.Visits = nil
	for i := 0; i < 10; i += 2 {
		second.Events[i].DeviceID, second.Events[i+1].DeviceID = first.Visits[i].DeviceID, first.Visits[i].DeviceID
		a, b := first.Visits[i], first.Visits[i+1]
		both := a
		a.Sign, b.Sign = -1, -1
		both.Version, both.End, both.Events, both.Formerly = 2, b.End, 4, "second"
		second.Visits = append(second.Visits, a, b, both)
	}
	for name, c := range map[string]loss{
		"all is lost":                       {lost: "version = 2 OR sign = -1"},
		"nothing is lost, and it is merged": {lost: "0", merge: "OPTIMIZE TABLE weir.visits FINAL"},
	} {
		t.Run(name, func(t *testing.T) {
			c.comesAgain(t, server, name, first, second, func(s *clickhouse.Store) {
				for q, want := range map[string]int64{
					"SELECT toInt64(SUM(sign)) FROM visits":                                       5,
					"SELECT toInt64(SUM(sign * events)) FROM visits":                              20,
					"SELECT COUNT(*) FROM visits FINAL WHERE formerly <> 'second' OR events <> 4": 0,
				} {
					if n := count(t, s, q); n != want {
						t.Errorf("%s: %d, want %d", q, n, want)
					}
				}
			})
		})
	}
}

// A Redis that lost its tail goes on from an earlier seq, with other events and from
// earlier states of visits. What it lost may be in already.
func TestBatchIsWrittenAlthoughRedisLostAnotherWithTheSameSeqs(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	lost := nextStates(first)
	other := nextStates(first)
	other.Token += "/other"
	for i := range other.Events {
		other.Events[i].ID += "-other"
	}
	for i := 1; i < len(other.Visits); i += 2 {
		other.Visits[i].Events = 3
	}
	other.Dead[0].At, other.Now = noon.Add(time.Second), noon.Add(time.Second)
	for _, b := range []*cold.Batch{first, lost} {
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, merge := range []bool{false, true} {
		other.Again = true
		for range 2 {
			if err := s.Write(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			server.Do("TRUNCATE TABLE weir.batches")
			for q, want := range map[string]int64{
				"SELECT COUNT(DISTINCT id) FROM events":        30,
				"SELECT toInt64(SUM(events)) FROM tallies":     30,
				"SELECT toInt64(SUM(sign)) FROM visits":        10,
				"SELECT toInt64(SUM(sign*events)) FROM visits": 10 * (2 + 3 - 1), // both timelines, from what they have in common
				"SELECT COUNT(*) FROM dead_letters":            3,
			} {
				if n := count(t, s, q); n != want {
					t.Errorf("merged %v: %s: %d, want %d", merge, q, n, want)
				}
			}
		}
		for _, table := range []string{"visits", "tallies"} {
			server.Do("OPTIMIZE TABLE weir." + table + " FINAL")
		}
	}
}

// Rows of the version before do not say which batch they are of.
func TestRowsOfTheVersionBeforeAreNotWrittenTwice(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	first := batchOf(1, 10)
	second := nextStates(first)
	for _, b := range []*cold.Batch{first, second} {
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"visits", "tallies"} {
		server.Do("ALTER TABLE weir." + table + " UPDATE batch = 0 WHERE 1 SETTINGS mutations_sync = 2")
	}
	server.Do("TRUNCATE TABLE weir.batches")
	second.Again = true
	if err := s.Write(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	whole(t, s, 20, 20, 10)
	if n := count(t, s, "SELECT toInt64(SUM(events)) FROM tallies"); n != 20 {
		t.Errorf("%d events are tallied, want 20", n)
	}
}
