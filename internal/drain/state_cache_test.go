package drain_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/visit"
)

// ofVisitor is the stored state of a visitor of a site, three views long.
func ofVisitor(i int, now time.Time) (key, state string) {
	device := fmt.Sprintf("%08x-0b5e-4d7c-9f00-%012x", i*2654435761, i)
	rows := make([]weir.EventRow, 3)
	for v := range rows {
		rows[v] = weir.EventRow{Seq: uint64(v), Event: weir.Event{
			ID: fmt.Sprintf("0192f0c1-7e1a-7%03x-8000-%012x", v, i), ProjectID: "01JDEMOPROJECT", Name: weir.NameScreenView, DeviceID: device,
			Time: now.Add(time.Duration(v) * time.Minute), Path: fmt.Sprintf("/products/category-%d/item-%d", i%50, (i+v)%1000), Origin: "https://shop.example",
			Referrer: "www.google.com", Channel: weir.ChannelSearch, Country: "DE", Browser: "Chrome", OS: "Windows", DeviceType: weir.DeviceDesktop, Language: "de-DE",
		}}
	}
	key = visit.Key("01JDEMOPROJECT", device)
	r := visit.Folder{LogID: "log"}.Fold(visit.Open{}, rows, now, nil)
	return key, string(r.Changed[key].Encode())
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestKeptVisitTakesAtMost300BytesOfHeap(t *testing.T) {
	const n = 100_000
	k, now := drain.NewStateCache(1<<40), time.Now()
	before := heap()
	for i := range n {
		k.Set(ofVisitor(i, now))
	}
	each := (heap() - before) / n
	t.Logf("%d bytes of heap a visit, %d by its own account", each, k.Bytes()/n)
	if each > 300 {
		t.Fatalf("%d bytes of heap a visit", each)
	}
	runtime.KeepAlive(k)
}

func TestKeptVisitsStayWithinTheirBytes(t *testing.T) {
	const most = 1 << 20
	k, now := drain.NewStateCache(most), time.Now()
	hot, hotState := ofVisitor(-1, now)
	k.Set(hot, hotState)
	before := heap()
	for i := range 50_000 {
		k.Set(ofVisitor(i, now))
		if k.Bytes() > most {
			t.Fatalf("%d bytes, limit %d", k.Bytes(), most)
		}
		if got, ok := k.Get(hot); i%100 == 0 && (!ok || got != hotState) {
			t.Fatalf("what is used all the time is gone after %d others", i)
		}
	}
	if got := heap() - before; got > 2*most {
		t.Fatalf("%d bytes of heap, limit %d", got, most)
	}
	runtime.KeepAlive(k)
}
