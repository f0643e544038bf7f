package coldtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func testWrite(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	tests := map[string]func(*testing.T, func(*testing.T, string) cold.Store){
		"every column comes back as it was written":                                  testRoundTrip,
		"a token that was written adds nothing":                                      testToken,
		"a token is known after a reopen":                                            testTokenReopen,
		"a token that many write at once is there once":                              testTokenRace,
		"a batch with a row that cannot be written is refused whole, naming the row": testRowError,
		"shards write at the same time without loss":                                 testShards,
		"a batch without rows is taken":                                              testEmptyBatch,
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) { f(t, open) })
	}
}

// begin opens a store that the test's end closes.
func begin(t *testing.T, open func(*testing.T, string) cold.Store) cold.Store {
	t.Helper()
	s := open(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func write(t *testing.T, s cold.Store, b *cold.Batch) {
	t.Helper()
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatalf("write %s: %v", b.Token, err)
	}
}

// again writes a batch that may be there.
func again(t *testing.T, s cold.Store, b *cold.Batch) {
	t.Helper()
	b.Again = true
	write(t, s, b)
}

// batch makes a batch of n plain events.
func batch(shard int, first uint64, n int) *cold.Batch {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := &cold.Batch{Token: fmt.Sprintf("log-%d-%d", shard, first), Log: "log", Shard: shard, First: first, Last: first + uint64(n) - 1, Now: now}
	for i := range n {
		b.Events = append(b.Events, weir.EventRow{
			Event: weir.Event{
				ID: fmt.Sprintf("e-%d-%d", shard, first+uint64(i)), ProjectID: "p", Name: "click",
				Time: now.Add(time.Duration(i) * time.Millisecond), ReceivedAt: now,
			},
			Shard: shard, Seq: first + uint64(i),
		})
	}
	return b
}

// asText compares JSON as one string, not byte by byte.
var asText = cmp.Transformer("text", func(m json.RawMessage) string { return string(m) })

func testRoundTrip(t *testing.T, open func(*testing.T, string) cold.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	b := &cold.Batch{
		Token: "log-0-1-3", First: 1, Last: 3, Now: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
		Events: []weir.EventRow{fullEvent(), emptyEvent(), largeEvent()},
		Visits: []weir.VisitRow{fullVisit(), emptyVisit()},
		Links:  []weir.Link{{ProjectID: "p", DeviceID: "Gerät", ProfileID: "用户", At: micro(1), ReceivedAt: micro(2)}},
		Dead: []weir.DeadLetter{{
			ProjectID: "p", Shard: 3, Seq: math.MaxUint64, Reason: "bad\x00\n", Event: []byte("{\"a\":\"\xff\xfe\"}"), At: micro(-1),
		}},
	}
	write(t, s, b)
	check := func(when string) {
		got := &cold.Batch{Token: b.Token, First: b.First, Last: b.Last, Now: b.Now}
		got.Events, got.Visits, got.Links, got.Dead = readEvents(t, s), readVisits(t, s), readLinks(t, s), readDead(t, s)
		want := *b
		want.Links = append(slices.Clone(b.Links), weir.Link{ // as the event says
			ProjectID: "p", DeviceID: "device", ProfileID: "profile", At: b.Events[0].Time, ReceivedAt: b.Events[0].ReceivedAt,
		})
		if diff := cmp.Diff(&want, got, asText); diff != "" {
			t.Fatalf("%s (-written +read):\n%s", when, diff)
		}
	}
	check("after the write")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	check("after a reopen")
}

// micro is a time n microseconds after 1970.
func micro(n int64) time.Time { return time.UnixMicro(n).UTC() }

func fullEvent() weir.EventRow {
	return weir.EventRow{
		Event: weir.Event{
			ID: "id-1", ProjectID: "p", Name: "Käufe 🛒", Time: micro(1_700_000_000_123_456), ReceivedAt: micro(1_700_000_001_654_321),
			ProfileID: "profile", DeviceID: "device", SessionID: "session",
			Path: "/a/'b\"; DROP TABLE events; --", Origin: "https://例え.jp:8443", Title: "tab\tnewline\nnul\x00end", Referrer: "t.co", Channel: weir.ChannelSocial,
			UTMSource: "s", UTMMedium: "m", UTMCampaign: "c", UTMTerm: "t", UTMContent: "o",
			Country: "DE", Region: "BY", City: "München",
			Browser: "Firefox", BrowserVersion: "131.0", OS: "Linux", OSVersion: "6", DeviceType: weir.DeviceTV, Bot: true,
			Language: "de-DE", Library: "web/1", ImportID: "spring-1", Revenue: weir.Known(-math.MaxFloat64), Currency: "EUR",
			Call:       &weir.Call{Method: "GET", Route: "/v1/{id}", Status: 599, LatencyMS: weir.Known(math.SmallestNonzeroFloat64), Consumer: "acme", RequestBytes: weir.Known(0), ResponseBytes: weir.Known(weir.MaxBytes), Error: "user 'ü' 7\x00: gone", TraceID: "4bf92f"},
			Properties: []byte(`{"ü":"\u00fc","n":1.50,"deep":{"a":[1,null,true]},"":"","pair":"\ud83d\uded2"}`),
		},
		Shard: math.MaxInt32, Seq: math.MaxUint64,
		InheritedFrom: "id-0", ClosesEventID: "id-0", ClosesPath: "/before", ClosesMS: math.MaxInt64, ReplacesMS: weir.Known(0.0), RestMS: weir.Known(7.0),
	}
}

// emptyEvent has nothing that it need not have; it is as early as times go.
func emptyEvent() weir.EventRow {
	return weir.EventRow{Event: weir.Event{
		Time:       cold.Earliest,
		ReceivedAt: cold.Latest.Add(-time.Microsecond),
		Name:       weir.NameCall,
		Call:       &weir.Call{},
	}}
}

// largeEvent has the greatest sizes that ingest lets through.
func largeEvent() weir.EventRow {
	e := weir.EventRow{Event: weir.Event{Time: micro(0), ReceivedAt: micro(0)}}
	e.Name = strings.Repeat("n", 255)
	e.Path = strings.Repeat("/ä", 4000)
	e.Title = strings.Repeat("t", 12) // the longest that DuckDB keeps inline
	e.Referrer = strings.Repeat("r", 13)
	e.Properties = []byte(`{"blob":"` + strings.Repeat("x", 1<<20) + `"}`)
	return e
}

func fullVisit() weir.VisitRow {
	return weir.VisitRow{
		ProjectID: "p", DeviceID: "d", SessionID: "s", Sign: -1, Version: math.MaxUint32, ProfileID: "u", Beside: "\na\nuv\n", Formerly: "a b", ReceivedAt: micro(5),
		Start: micro(1), End: micro(2), Entry: "/in", Exit: "/out", EntryAt: micro(3), ExitAt: micro(4),
		Events: math.MaxInt64, ScreenViews: 2, Interactive: 3, Calls: 4, Revenue: 5.5, Ended: true,
		Bot: true, Referrer: "r", Channel: "c", UTMSource: "us", UTMMedium: "um", UTMCampaign: "uc",
		Country: "DE", Region: "BY", City: "M", Browser: "b", OS: "o", DeviceType: "t", Language: "l",
	}
}

func emptyVisit() weir.VisitRow {
	return weir.VisitRow{ProjectID: "p", Sign: 1, Version: 1, Start: micro(5), End: micro(5)}
}

func testToken(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	b := batch(0, 1, 5)
	write(t, s, b)
	again(t, s, b)
	b.Again = false // who does not know adds nothing either
	write(t, s, b)
	if n := len(readEvents(t, s)); n != 5 {
		t.Errorf("%d events, want 5", n)
	}
	write(t, s, batch(0, 6, 5))
	if n := len(readEvents(t, s)); n != 10 {
		t.Errorf("%d events after another token, want 10", n)
	}
}

func testTokenReopen(t *testing.T, open func(*testing.T, string) cold.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, batch(0, 1, 5))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	again(t, s, batch(0, 1, 5))
	if n := len(readEvents(t, s)); n != 5 {
		t.Errorf("%d events, want 5", n)
	}
}

func testTokenRace(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := batch(0, 1, 50)
			b.Again = i%2 == 1
			if err := s.Write(t.Context(), b); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := len(readEvents(t, s)); n != 50 {
		t.Errorf("%d events, want 50", n)
	}
}

func testRowError(t *testing.T, open func(*testing.T, string) cold.Store) {
	bad := map[string]func(*weir.EventRow){
		"text that is not UTF-8":       func(r *weir.EventRow) { r.Title = "a\xffb" },
		"properties that are not JSON": func(r *weir.EventRow) { r.Properties = []byte(`{"a":`) },
		"properties that are no object": func(r *weir.EventRow) {
			r.Properties = []byte(`[1]`)
		},
		"properties with half a surrogate pair": func(r *weir.EventRow) { r.Properties = []byte(`{"a":"\ud800"}`) },
		"a time too early":                      func(r *weir.EventRow) { r.Time = cold.Earliest.Add(-time.Microsecond) },
		"a time too late":                       func(r *weir.EventRow) { r.Time = cold.Latest },
		"a latency that is not a number":        func(r *weir.EventRow) { r.Call = &weir.Call{LatencyMS: weir.Known(math.NaN())} },
		"a size that is not whole":              func(r *weir.EventRow) { r.Call = &weir.Call{RequestBytes: weir.Known(0.5)} },
		"a size that is too large":              func(r *weir.EventRow) { r.Call = &weir.Call{ResponseBytes: weir.Known(1 << 62)} },
		"an error that is not UTF-8":            func(r *weir.EventRow) { r.Call = &weir.Call{Error: "\xff"} },
		"an infinite revenue":                   func(r *weir.EventRow) { r.Revenue = weir.Known(math.Inf(1)) },
	}
	s := begin(t, open)
	shard := 0
	for name, spoil := range bad {
		t.Run(name, func(t *testing.T) {
			shard++ // each has a log of its own
			before := len(readEvents(t, s))
			b := batch(shard, 1, 5)
			b.Links = []weir.Link{{ProjectID: "p", DeviceID: "d", ProfileID: "u", At: b.Now}}
			spoil(&b.Events[3])
			err := s.Write(t.Context(), b)
			var re *cold.RowError
			if !errors.As(err, &re) || re.Index != 3 || re.Reason == "" {
				t.Errorf("error %v, want a RowError of index 3 with a reason", err)
			}
			if n := len(readEvents(t, s)) - before; n != 0 {
				t.Fatalf("%d events are there, want none", n)
			}
			if n := len(readLinks(t, s)); n != 0 {
				t.Fatalf("%d links are there, want none", n)
			}
			b.Links = nil
			// Without the row the same token can be written.
			b.Events = append(b.Events[:3:3], b.Events[4])
			write(t, s, b)
			if n := len(readEvents(t, s)) - before; n != 4 {
				t.Errorf("%d events without the row, want 4", n)
			}
		})
	}
}

func testShards(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	const shards, batches, size = 6, 5, 300
	var wg sync.WaitGroup
	for shard := range shards {
		wg.Go(func() {
			for i := range batches {
				if err := s.Write(t.Context(), batch(shard, uint64(i*size+1), size)); err != nil {
					t.Errorf("shard %d: %v", shard, err)
				}
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, e := range readEvents(t, s) {
		if seen[e.ID] {
			t.Errorf("%s is there twice", e.ID)
		}
		seen[e.ID] = true
	}
	if len(seen) != shards*batches*size {
		t.Errorf("%d events, want %d", len(seen), shards*batches*size)
	}
}

func testEmptyBatch(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	b := batch(0, 1, 0)
	write(t, s, b)
	again(t, s, b)
	if n := len(readEvents(t, s)); n != 0 {
		t.Errorf("%d events, want none", n)
	}
}
