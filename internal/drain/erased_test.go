package drain_test

import (
	"context"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
)

// on is an event on the device d, in a visit.
func (r *rig) on(profile, name, path string) {
	r.t.Helper()
	now := weir.Clock(nil).Now()
	e := weir.Event{ProjectID: "p", ID: profile + path + name, Name: name, ProfileID: profile, DeviceID: "d", Path: path, Time: now, ReceivedAt: now}
	if _, err := r.log.Append(context.Background(), []hot.Item{{Event: &e, Location: time.UTC}}); err != nil {
		r.t.Fatal(err)
	}
}

// erase marks that u8 is erased now.
func (r *rig) erase() {
	e := cold.Erasure{ProjectID: "p", ProfileID: "u8", Devices: []string{"d"}, At: weir.Clock(nil).Now().Add(time.Microsecond)}
	r.mark(e.Marks()...)
}

// last is what the last batch with events wrote.
func (r *rig) last() *cold.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range slices.Backward(r.order) {
		if len(b.Events) > 0 {
			return b
		}
	}
	return nil
}

func TestEventTakesNoPageFromTheOpenVisitOfAnErasedPerson(t *testing.T) {
	r := newRig(t)
	d, _ := r.run(r.log, quick)
	r.on("u8", weir.NameScreenView, "/diagnosis")
	r.flush(d)
	first := r.last()
	r.erase()
	r.on("u7", "click", "")
	r.flush(d)
	b := r.last()
	if e := b.Events[0]; e.Path != "" || e.InheritedFrom != "" || e.SessionID == first.Events[0].SessionID {
		t.Errorf("%+v", e)
	}
	if v := b.Visits; len(v) != 1 || v[0].Sign != 1 || v[0].Version != 1 || v[0].Entry != "" || v[0].Beside != "" {
		t.Errorf("visits %+v", v)
	}
	// Another who was in the visit before is no hindrance.
	r.on("u7", weir.NameScreenView, "/own")
	r.on("u7", "click", "")
	r.flush(d)
	if e := r.last().Events; e[len(e)-1].Path != "/own" {
		t.Errorf("%+v", e)
	}
}

func TestABatchThatIsDoneAgainIsTheSameThoughSomebodyWasErasedMeanwhile(t *testing.T) {
	r := newRig(t)
	d, stop := r.run(r.log, quick)
	r.on("u8", weir.NameScreenView, "/diagnosis")
	r.flush(d)
	wrote := make(chan struct{}, 100)
	r.setFail(func(*cold.Batch) (bool, error) {
		wrote <- struct{}{}
		return true, errDown // nobody knows that it was written
	})
	r.on("u8", "click", "")
	r.on("u7", "click", "")
	<-wrote
	stop()
	r.erase()
	r.setFail(nil)
	d, _ = r.run(r.log, quick)
	r.flush(d)
	if len(r.twice) > 0 {
		t.Errorf("%v came out differently", r.twice)
	}
	r.on("u7", "view", "")
	r.flush(d)
	if e := r.last().Events[0]; e.Path != "" {
		t.Errorf("the batch after it has %q of who was erased", e.Path)
	}
}

func TestTheOpenVisitOfWhoWasErasedIsDroppedByTheNextSweepAndNotWritten(t *testing.T) {
	r := newRig(t)
	d, stop := r.run(r.log, quick)
	r.on("u8", weir.NameScreenView, "/diagnosis")
	r.flush(d)
	stop()
	r.erase()
	r.setFail(func(b *cold.Batch) (bool, error) {
		if len(b.Visits) > 0 {
			t.Errorf("%+v is written", b.Visits)
		}
		return true, nil
	})
	o := quick
	o.SweepEvery = time.Millisecond
	r.run(r.log, o)
	for shard := 0; ; {
		entries, _, err := r.log.ScanState(t.Context(), shard, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > 0 {
			continue // until it is dropped
		}
		if shard++; shard == r.log.Shards() {
			return
		}
	}
}

// An erasure waits at the barrier for what was begun before its mark.
func TestABarrierWaitsForABatchWithoutEvents(t *testing.T) {
	r := newRig(t)
	d, stop := r.run(r.log, quick)
	r.on("u8", weir.NameScreenView, "/diagnosis")
	r.flush(d)
	stop()
	goOn, begun := make(chan struct{}), make(chan struct{}, 100)
	o := quick
	o.SweepEvery = time.Millisecond
	o.Clock = func() time.Time { return time.Now().Add(time.Hour) }
	d, _ = r.run(slow{r.log, begun, goOn}, o)
	<-begun
	flushed := make(chan error)
	go func() {
		_, err := d.Flush(context.Background())
		flushed <- err
	}()
	select {
	case err := <-flushed:
		t.Errorf("the barrier was passed while visits of before were in the state: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(goOn)
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

// slow is a log that commits no batch without events until it may.
type slow struct {
	hot.Store
	begun chan<- struct{}
	goOn  <-chan struct{}
}

func (s slow) Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	if in.Last < in.First {
		s.begun <- struct{}{}
		<-s.goOn
	}
	return s.Store.Commit(ctx, l, in, changes)
}

func TestDecodedNoteSaysWhetherItHasErasures(t *testing.T) {
	for note, want := range map[string]bool{
		"": false, "\x01\x00\x00": false, drain.Note{}.Encode(): true,
		"\x02\x00\x00\x00\x00\x00\x00":         true,  // it had no erasures
		"\x02\x00\x00\x01\x05\x00\x00\x00":     false, // the sixth event is of somebody who was erased
		"\x02\x00\x00\x00\x00\x01\x00\x01\x00": false, // an open visit is
	} {
		n, err := drain.DecodeNote(note)
		if err != nil || n.HasErasures != want {
			t.Errorf("%q: %+v, %v", note, n, err)
		}
	}
}
