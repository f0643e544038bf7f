package wire_test

import (
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

func TestWhoFindsNoMemoryWaitsAndIsThenRefusedForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wire.NewBudget(8 << 20)
		first := b.Open(t.Context())
		first.SetKnown()
		if err := first.Reserve(8 << 20); err != nil {
			t.Fatal(err)
		}
		second := b.Open(t.Context())
		second.SetKnown()
		if err := second.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
			t.Errorf("%v, %d counted", err, b.Refused(wire.BudgetBusy))
		}
		if err := second.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
			t.Errorf("a request that was refused goes on: %v", err)
		}
		second.Close()
		third := b.Open(t.Context())
		third.SetKnown()
		time.AfterFunc(time.Second/2, first.Close)
		if err := third.Reserve(8 << 20); err != nil {
			t.Errorf("what was given back is not there: %v", err)
		}
		third.Close()
		if b.Held() != 0 {
			t.Errorf("%d bytes are held", b.Held())
		}
	})
}

func TestARequestLargerThanTheBudgetIsTooLarge(t *testing.T) {
	b := wire.NewBudget(4 << 20)
	for _, known := range []bool{true, false} {
		h := b.Open(t.Context())
		n := int64(1<<20 + 1)
		if known {
			h.SetKnown()
			n = 4<<20 + 1
		}
		if err := h.Reserve(n); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("known %v: %v", known, err)
		}
		h.Close()
	}
	if n := b.Refused(wire.BudgetTooLarge); n != 2 {
		t.Errorf("%d counted", n)
	}
}

func TestStrangersLeaveThreeQuartersOfTheMemory(t *testing.T) {
	b := wire.NewBudget(16 << 20)
	b.SetWait(time.Millisecond)
	stranger, other := b.Open(t.Context()), b.Open(t.Context())
	defer other.Close()
	if err := stranger.Reserve(4 << 20); err != nil {
		t.Fatal(err)
	}
	if err := other.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetStrangers) != 1 {
		t.Errorf("%v, %d counted", err, b.Refused(wire.BudgetStrangers))
	}
	sender := b.Open(t.Context())
	defer sender.Close()
	sender.SetKnown()
	if err := sender.Reserve(12 << 20); err != nil {
		t.Error(err)
	}
	stranger.SetKnown() // and no stranger any more
	next := b.Open(t.Context())
	defer next.Close()
	if err := next.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
		t.Errorf("%v", err)
	}
	stranger.Close()
	late := b.Open(t.Context())
	defer late.Close()
	if err := late.Reserve(1); err != nil {
		t.Error(err)
	}
}

func TestRoomForEventsIsEmptyWhenAnotherRequestGetsIt(t *testing.T) {
	b := wire.NewBudget(1 << 20)
	for _, n := range []int{1, 3, 100, 128, 129, 300} {
		for range 3 {
			h := b.Open(t.Context())
			in, err := h.Grow(nil, n)
			if err != nil || len(in) != 0 || cap(in) < n {
				t.Fatalf("room for %d: len %d, cap %d, %v", n, len(in), cap(in), err)
			}
			if want := int64(cap(in)) * wire.IncomingSize; h.Reserved() != want {
				t.Errorf("room for %d: %d bytes are reserved, %d used", n, h.Reserved(), want)
			}
			in = in[:cap(in)]
			for i := range in {
				if in[i].Event.ID != "" || in[i].Source.IP != "" {
					t.Fatalf("room for %d has another request's event: %+v", n, in[i])
				}
				in[i].Event.ID, in[i].Source.IP = "secret", "secret"
			}
			h.Close()
			h.Close()
		}
	}
	if b.Held() != 0 {
		t.Errorf("%d bytes are held after the last request", b.Held())
	}
}
