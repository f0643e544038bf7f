package visit_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/visit"
)

const uuid = "01987a3c-6d2e-7c41-9f00-2b1d8e5a4c77"

// whole is a visit of which everything is known.
func whole() visit.Sitting {
	s := visit.Sitting{
		VisitRow: weir.VisitRow{
			SessionID: "0123456789abcdef0123", Version: 70_000, ProfileID: "用户", Start: t0, End: t0.Add(time.Hour), ReceivedAt: t0.Add(time.Minute), Beside: "\na\nuu1\nuu2\n",
			Entry: "/in", Exit: "/out", EntryAt: t0.Add(time.Second), ExitAt: t0.Add(minute),
			Events: 300, ScreenViews: 2, Interactive: 3, Calls: 4, Revenue: -5.25, Ended: true, Bot: true,
			Referrer: "t.co", Channel: weir.ChannelAI, UTMSource: "s", UTMMedium: "m", UTMCampaign: "c",
			Country: "DE", Region: "BY", City: "München", Browser: "Lynx", OS: "Linux", DeviceType: weir.DeviceTV, Language: "de-DE",
		},
		Named: true, Touched: t0.Add(90 * minute),
	}
	s.View = visit.View{EventID: uuid, Path: "/out", Origin: "https://x", At: s.ExitAt, Closed: true}
	return s
}

func TestEveryFieldOfAStateComesBack(t *testing.T) {
	another := whole() // whose parts have nothing in common
	another.SessionID, another.View = "0123456789ABCDEF", visit.View{EventID: uuid[:35] + "G", At: t0.Add(-time.Hour)}
	same := whole()
	same.Entry, same.EntryAt = same.Exit, same.ExitAt
	for name, st := range map[string]visit.State{
		"whole": {whole()}, "apart": {another}, "one screen view": {same}, "empty": {{}}, "two": {whole(), {Named: true}}, "none": {},
	} {
		got, err := visit.DecodeState(string(st.Encode()))
		if d := cmp.Diff(st, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}

func TestAStateOfVersion3IsRead(t *testing.T) {
	want := whole()
	want.ProfileID, want.ProfileAt, want.Ended, want.Final = "", time.Time{}, true, false
	b := visit.State{want}.Encode()
	b[0] = 3
	b = slices.Delete(b, 3, 4) // whether the end is final
	want.Final = true          // version 3 does not say, so the visit is not made longer
	got, err := visit.DecodeState(string(b))
	if d := cmp.Diff(visit.State{want}, got); err != nil || d != "" {
		t.Fatalf("%v\n%s", err, d)
	}
}

// stateOfVersion1 is a device's visit as the version before stored it.
func stateOfVersion1() []byte {
	b := []byte{1, 1, 0}
	b = codec.AppendString(b, "visit")
	b = codec.AppendTime(b, t0)
	b = codec.AppendTime(b, t0.Add(5*minute))
	b = codec.AppendTime(b, t0.Add(6*minute))
	b = codec.AppendString(b, "me")
	b = codec.AppendString(b, "v")
	b = codec.AppendString(b, "/a")
	b = codec.AppendString(b, "https://x")
	return codec.AppendTime(b, t0.Add(minute))
}

func stateFromVersion1(t *testing.T) *shard {
	t.Helper()
	st, err := visit.DecodeState(string(stateOfVersion1()))
	if err != nil {
		t.Fatal(err)
	}
	s := newShard()
	s.open[visit.Key("p", "d")], s.now = st, t0.Add(6*minute)
	return s
}

func TestAVisitOfVersion1GoesOnAndCountsFromNowOn(t *testing.T) {
	s := stateFromVersion1(t)
	rows := s.fold(at(10*minute, "click"), view(11*minute, "/b"))
	if r := rows[0]; r.SessionID != "visit" || r.Path != "/a" || rows[1].ClosesMS != 600_000 {
		t.Errorf("%+v", rows)
	}
	s.fold(at(12*minute, "click"))
	want := weir.VisitRow{
		ProjectID: "p", DeviceID: "d", SessionID: "visit", ProfileID: "me", Sign: 1, Version: 3, Beside: "\na\nc\n", Start: t0, End: t0.Add(12 * minute),
		Entry: "/b", Exit: "/b", EntryAt: t0.Add(11 * minute), ExitAt: t0.Add(11 * minute), Events: 3, ScreenViews: 1, Interactive: 2,
	}
	if d := cmp.Diff(want, s.total()["d/visit"]); d != "" || len(s.visits) != 3 {
		t.Errorf("%d rows\n%s", len(s.visits), d)
	}
}

func TestAVisitOfVersion1ThatOnlyEndsIsNotWritten(t *testing.T) {
	s := stateFromVersion1(t)
	s.expire(time.Hour)
	if len(s.visits) != 0 || len(s.open) != 0 {
		t.Errorf("%d open, wrote %+v", len(s.open), s.visits)
	}
	s = stateFromVersion1(t)
	s.fold(view(time.Hour, "/b")) // another visit, which ends it
	s.fold(at(2*minute, "late"))
	if v := s.total()["d/visit"]; len(s.visits) != 2 || v.Events != 1 || !v.Ended {
		t.Errorf("wrote %+v", s.visits)
	}
}

func TestAStateThatIsCutOrOfALaterVersionIsCorrupt(t *testing.T) {
	b := visit.State{whole()}.Encode()
	for n := range b {
		if _, err := visit.DecodeState(string(b[:n])); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	b[0]++
	if _, err := visit.DecodeState(string(b)); !errors.Is(err, codec.ErrCorrupt) {
		t.Error(err)
	}
}

func FuzzDecodeState(f *testing.F) {
	s := newShard()
	s.fold(view(0, "/a"), at(minute, "x", session("s")))
	for _, st := range s.open {
		f.Add(st.Encode())
	}
	f.Add(visit.State{whole()}.Encode())
	f.Add(stateOfVersion1())
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := visit.DecodeState(string(b))
		if err != nil {
			return
		}
		again, err := visit.DecodeState(string(st.Encode()))
		if err != nil || !slices.Equal(st, again) {
			t.Fatal(err, st, again)
		}
	})
}
