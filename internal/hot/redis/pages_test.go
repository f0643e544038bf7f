package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// history is a Redis whose counters of one minute can be set back to what they
// were, under a store that sees no error: as after a failover that lost the last
// writes.
type history struct {
	t      *testing.T
	server *redistest.Server
	store  *store
	minute time.Time
	events int
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, server: redistest.Start(t), minute: time.Now().Truncate(time.Minute)}
	h.store = storeOn(t, h.server.URL(), redis.Options{Shards: 1, Clock: func() time.Time { return h.minute }})
	return h
}

// call appends one call of each route, in this order, each alone.
func (h *history) call(routes ...string) {
	h.t.Helper()
	for _, route := range routes {
		h.events++
		it := item(fmt.Sprint(h.events), "d")
		it.Event.Name, it.Event.Time = weir.NameCall, h.minute
		it.Event.Call = &weir.Call{Method: "GET", Route: route, Status: 200}
		if _, err := h.store.Append(h.t.Context(), []hot.Item{it}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *history) key(kind string) string {
	return fmt.Sprintf("{w0}:%s:p:m:%d", kind, h.minute.Unix())
}

func (h *history) keep() {
	for _, kind := range []string{"num", "mem"} {
		h.server.Do("COPY", h.key(kind), "kept:"+kind, "REPLACE")
	}
}

func (h *history) setBack() {
	for _, kind := range []string{"num", "mem"} {
		h.server.Do("COPY", "kept:"+kind, h.key(kind), "REPLACE")
	}
}

// routes returns the calls by route as an inquiry has them.
func (h *history) routes(s hot.Counters) map[string]int64 {
	h.t.Helper()
	got, err := s.Inquire(context.Background(), "p", hot.Inquiry{Tables: []hot.Question{{Grain: hot.Minute, Dimension: hot.Route, Starts: []time.Time{h.minute}}}})
	if err != nil {
		h.t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, r := range got.Tables[0].Rows {
		sums[r.Member] = r.Sum
	}
	return sums
}

func TestASlotThatIsGivenAnewAfterAFailoverHasItsNewName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		had, kept, is []string // routes called before the look; before the state that comes back; after it
		want          map[string]int64
	}{
		{"the last member is the same", []string{"/a", "/b", "/z"}, []string{"/first"}, []string{"/c", "/z", "/z"}, map[string]int64{"/first": 1, "/c": 1, "/z": 2}},
		{"and so is the total", []string{"/a", "/b", "/z"}, []string{"/first"}, []string{"/c", "/b", "/z"}, map[string]int64{"/first": 1, "/c": 1, "/b": 1, "/z": 1}},
		{"the members are the same", []string{"/first", "/b", "/b"}, []string{"/first", "/b"}, []string{"/first", "/first", "/b"}, map[string]int64{"/first": 3, "/b": 2}},
		{"there are fewer", []string{"/a", "/b"}, []string{"/first"}, []string{"/c"}, map[string]int64{"/first": 1, "/c": 1}},
		{"there are more", []string{"/a", "/b"}, []string{"/first"}, []string{"/b", "/c", "/d", "/e"}, map[string]int64{"/first": 1, "/b": 1, "/c": 1, "/d": 1, "/e": 1}},
		{"nothing came after", []string{"/a"}, []string{"/first"}, nil, map[string]int64{"/first": 1}},
	} {
		for _, looks := range []int{1, 2} { // what was seen to change is read another way than what stands still
			t.Run(fmt.Sprint(c.name, ", seen ", looks), func(t *testing.T) {
				h := newHistory(t)
				h.call(c.kept...)
				h.keep()
				if looks == 2 {
					h.routes(h.store)
				}
				h.call(c.had...)
				h.routes(h.store)
				h.setBack()
				h.call(c.is...)
				for range 2 {
					if d := cmp.Diff(c.want, h.routes(h.store)); d != "" {
						t.Fatal(d)
					}
				}
			})
		}
	}
}

func TestBucketThatRedisLostIsNotAnsweredFromMemory(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.call("/a", "/b")
	h.routes(h.store)
	h.server.Do("DEL", h.key("num"), h.key("mem"))
	if d := cmp.Diff(map[string]int64{}, h.routes(h.store)); d != "" {
		t.Error(d)
	}
	h.call("/b", "/a", "/a")
	if d := cmp.Diff(map[string]int64{"/a": 2, "/b": 1}, h.routes(h.store)); d != "" {
		t.Error(d)
	}
}
