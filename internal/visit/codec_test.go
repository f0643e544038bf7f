package visit_test

import (
	"encoding/hex"
	"errors"
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
			Events: 300, ScreenViews: 2, Interactive: 3, Calls: 4, Revenue: -5.25, Ended: true, Bot: true, Formerly: "ab12 cd34",
			Referrer: "t.co", Channel: weir.ChannelAI, UTMSource: "s", UTMMedium: "m", UTMCampaign: "c",
			Country: "DE", Region: "BY", City: "München", Browser: "Lynx", OS: "Linux", DeviceType: weir.DeviceTV, Language: "de-DE",
		},
		Named: true, Touched: t0.Add(90 * minute),
	}
	s.Trail = []visit.Step{
		{EventID: "first", Path: "/in", Origin: "https://x", At: s.EntryAt, Closed: true, ClosedAt: s.ExitAt},
		{EventID: uuid, Path: "/out", Origin: "https://x", At: s.ExitAt},
		{Path: "/out", At: s.End},
	}
	return s
}

func TestEveryFieldOfAStateComesBack(t *testing.T) {
	another := whole() // whose parts have nothing in common
	another.SessionID, another.Formerly, another.Trail = "0123456789ABCDEF", "", []visit.Step{{EventID: uuid[:35] + "G", At: t0.Add(-time.Hour)}}
	another.Final, another.Human, another.HumanView, another.Over = true, true, true, true
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

// As servers of these versions stored them: of a visit with the session id s, an event, and a
// bot's view of /b that was left after a minute; version 4 also of an ended visit with a view of /a.
func TestStatesOfVersions3And4AreRead(t *testing.T) {
	s := visit.Sitting{
		VisitRow: weir.VisitRow{
			SessionID: "s", Version: 1, Start: t0.Add(minute), End: t0.Add(3 * minute), Entry: "/b", Exit: "/b", EntryAt: t0.Add(2 * minute), ExitAt: t0.Add(2 * minute),
			Events: 3, ScreenViews: 1, Interactive: 1, Bot: true,
		},
		Named: true, Touched: t0,
		Trail: []visit.Step{{EventID: "e3", Path: "/b", Origin: "https://x", At: t0.Add(2 * minute), Closed: true, ClosedAt: t0.Add(2 * minute)}},
	}
	ended := visit.Sitting{
		VisitRow: weir.VisitRow{
			SessionID: "f138a7e8bfb88e8324ab", Version: 1, Start: t0, End: t0, Entry: "/a", Exit: "/a", EntryAt: t0, ExitAt: t0,
			Events: 1, ScreenViews: 1, Ended: true,
		},
		Touched: t0, Human: true, HumanView: true,
		Trail: []visit.Step{{EventID: "e1", Path: "/a", Origin: "https://x", At: t0}},
	}
	for stored, want := range map[string]visit.State{
		"0301ed00017380bcd980a2bea60680b8b872ffd3d4ab01ffbbb7f381be86e301000000010301010000026533022f620968747470733a2f2f78809c9c39809c9c39010101010000000000000000": {s},
		"0402ed0000017380bcd980a2bea60680b8b872ffd3d4ab01ffbbb7f381be86e301000000010301010000026533022f620968747470733a2f2f78809c9c39809c9c39010101010000000000000000" +
			"e200010af138a7e8bfb88e8324ab80a0bdc7a1bea6060000ff9f9bba81be86e301000000010101000000026531022f610968747470733a2f2f780000010101010000000000000000": {s, ended},
	} {
		b, err := hex.DecodeString(stored)
		if err != nil {
			t.Fatal(err)
		}
		got, err := visit.DecodeState(string(b))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("version %d: %v\n%s", b[0], err, d)
		}
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
	if v := s.total()["d/visit"]; len(s.visits) != 2 || v.Events != 1 || v.Ended {
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
		if err != nil || !cmp.Equal(st, again) {
			t.Fatal(err, st, again)
		}
	})
}
