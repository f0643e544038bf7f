package weir_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func identify(properties string) *weir.EventRow {
	r := &weir.EventRow{Shard: 2, Seq: 9}
	r.Name, r.ProfileID, r.ProjectID, r.ID, r.Time = weir.NameIdentify, "u", "p", "id", time.UnixMicro(5).UTC()
	r.Properties = json.RawMessage(properties)
	return r
}

// asks are an event's changes in short.
func asks(properties string) []string {
	var out []string
	for _, c := range weir.TraitChanges(identify(properties)) {
		out = append(out, fmt.Sprintf("%s %s %s", c.Op, c.Trait, c.Value()))
	}
	return out
}

func TestAnIdentifyEventAsksForChangesOfTraits(t *testing.T) {
	for properties, want := range map[string][]string{
		`{"b":"x","a":1}`:                            {"set a 1", `set b "x"`},
		`{"$set":{"a":true},"a":false}`:              {"set a false", "set a true"},
		`{"$set_once":{"a":1},"a":2}`:                {"once a 1", "set a 2"},
		`{"$add":{"n":1.50},"$unset":["n","x"]}`:     {"add n 1.5", "unset n ", "unset x "},
		`{"$unset":"x"}`:                             {"unset x "},
		`{"a":null,"$set_once":{"b":null}}`:          {"unset a "},
		`{"$lib":"web","$set":{"$os":"x"}}`:          {`set $os "x"`},
		`{"a":{"b": [1, 2]}}`:                        {`set a {"b":[1,2]}`},
		`{"a":3.140,"b":1e2,"c":0.1234567,"d":-0.0}`: {"set a 3.14", "set b 100", "set c 0.1234567", "set d 0"},
		`{"a":1e400000000,"b":1E-400000000}`:         {"set a 1e400000000", "set b 1E-400000000"},
		`{"a":""}`:                                   {`set a ""`},
		`{}`:                                         nil,
	} {
		if d := cmp.Diff(want, asks(properties)); d != "" {
			t.Errorf("%s (-want +got)\n%s", properties, d)
		}
	}
}

func TestWhatATraitMayNotBeIsKeptWithTheReason(t *testing.T) {
	long := strings.Repeat("ä", 65)
	for _, c := range []struct{ properties, reason string }{
		{`{"$set":3}`, "is not an object"},
		{`{"$add":{"n":"3"}}`, "not a number"},
		{`{"$add":{"n":null}}`, "not a number"},
		{`{"$add":{"n":1e13}}`, "not a number within"},
		{`{"$unset":{"a":1}}`, "not a list"},
		{`{"$unset":null}`, ""},
		{`{"$unset":[1]}`, "not a list"},
		{`{"":1}`, "1 to 128 bytes"},
		{`{"` + long + `":1}`, "1 to 128 bytes"},
		{`{"a":"` + long[:2] + `"}`, ""},
		{`{"a":"` + strings.Repeat("x", 8193) + `"}`, "8192 bytes"},
	} {
		var got []string
		for _, change := range weir.TraitChanges(identify(c.properties)) {
			if change.Op == weir.TraitRefused {
				got = append(got, change.Text)
			}
		}
		if c.reason == "" && len(got) > 0 || c.reason != "" && (len(got) != 1 || !strings.Contains(got[0], c.reason)) {
			t.Errorf("%.40s: refused %q, want %q", c.properties, got, c.reason)
		}
	}
}

func TestAnEventMakesSoManyChanges(t *testing.T) {
	values := map[string]int{}
	for i := range 230 {
		values[fmt.Sprintf("t%03d", i)] = i
	}
	b, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	got := weir.TraitChanges(identify(string(b)))
	if len(got) != weir.MaxTraitChanges+11 || got[199].Trait != "t199" {
		t.Fatalf("%d changes", len(got))
	}
	if last := got[len(got)-1]; last.Op != weir.TraitRefused || last.Text != "20 more changes of the event" {
		t.Errorf("the last one is %+v", last)
	}
}

func TestOnlyWhoIdentifiesAProfileChangesIt(t *testing.T) {
	r := identify(`{"a":1}`)
	r.ProfileID = ""
	if got := weir.TraitChanges(r); got != nil {
		t.Errorf("without a profile: %v", got)
	}
	r = identify(`{"a":1}`)
	r.Name = "buy"
	if got := weir.TraitChanges(r); got != nil {
		t.Errorf("of another event: %v", got)
	}
}

func TestPlacesSortAsChangesApply(t *testing.T) {
	var places []string
	for _, at := range []int64{-1 << 50, -1, 0, 5, 1 << 50} {
		for _, shard := range []int{0, 3, 100} {
			for _, seq := range []uint64{1, 15, 16, 1 << 40} {
				r := identify(`{"a":1,"b":1}`)
				r.Time, r.Shard, r.Seq = time.UnixMicro(at), shard, seq
				for _, c := range weir.TraitChanges(r) {
					places = append(places, c.Place)
				}
			}
		}
	}
	if !slices.IsSorted(places) || len(slices.Compact(slices.Clone(places))) != len(places) {
		t.Errorf("places %q", places)
	}
}

func TestATraitIsWhatItsChangesMakeOfIt(t *testing.T) {
	set := func(text string) weir.TraitChange {
		return weir.TraitChanges(identify(`{"a":` + text + `}`))[0]
	}
	once := func(text string) weir.TraitChange {
		return weir.TraitChanges(identify(`{"$set_once":{"a":` + text + `}}`))[0]
	}
	add := func(text string) weir.TraitChange {
		return weir.TraitChanges(identify(`{"$add":{"a":` + text + `}}`))[0]
	}
	unset := weir.TraitChange{Op: weir.TraitUnset}
	for _, tt := range []struct {
		changes []weir.TraitChange
		want    string
	}{
		{nil, ""},
		{[]weir.TraitChange{set("1"), set(`"x"`)}, `"x"`},
		{[]weir.TraitChange{once("1"), once("2")}, "1"},
		{[]weir.TraitChange{set("1"), once("2")}, "1"},
		{[]weir.TraitChange{set("1"), unset, once("2")}, "2"},
		{[]weir.TraitChange{set("1"), unset}, ""},
		{[]weir.TraitChange{set("1.5"), add("2"), add("-0.25")}, "3.25"},
		{[]weir.TraitChange{add("2"), once("7")}, "2"},
		{[]weir.TraitChange{once("7"), add("2")}, "9"},
		{[]weir.TraitChange{set(`"pro"`), add("2")}, "2"},
		{[]weir.TraitChange{set("1"), add("0.1"), add("0.2"), add("-1.3")}, "0"},
		{[]weir.TraitChange{add("9e12"), add("9e12")}, "9000000000000"},
		{[]weir.TraitChange{add("9e12"), add("9e12"), add("-9e12"), add("-9e12")}, "0"},
		{[]weir.TraitChange{add("-9e12"), add("-9e12")}, "-9000000000000"},
		{[]weir.TraitChange{set("5"), {Op: weir.TraitRefused, Text: "no"}}, "5"},
	} {
		var tr weir.Trait
		for i := range tt.changes {
			tr.Apply(&tt.changes[i])
		}
		v, ok := tr.Value()
		if string(v) != tt.want || ok != (tt.want != "") {
			t.Errorf("%+v: %s, %v, want %q", tt.changes, v, ok, tt.want)
		}
	}
}

func TestMillionthsAreWrittenAsDecimals(t *testing.T) {
	for m, want := range map[int64]string{
		0: "0", 1: "0.000001", -1: "-0.000001", 1_500_000: "1.5", -20_000_000: "-20", weir.MaxTraitNumber: "9000000000000", -1 << 63: "-9223372036854.775808",
	} {
		if got := weir.DecimalOf(m); got != want {
			t.Errorf("%d: %s, want %s", m, got, want)
		}
	}
}

func FuzzTraitChanges(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, `{"$set":{"a":"x"},"$set_once":{"b":null},"$add":{"n":1e300},"$unset":["a",""]}`, `{"$set":[],"$add":1,"$unset":3}`,
		`{"a":-0,"b":1E-7,"c":{"d":[null]},"":0}`, `{"a":"\u0000\ud83d\ude00"}`, `[1]`, `{"$unset":"x"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, properties string) {
		if !json.Valid([]byte(properties)) || !utf8.ValidString(properties) {
			t.Skip()
		}
		changes := weir.TraitChanges(identify(properties))
		if d := cmp.Diff(changes, weir.TraitChanges(identify(properties))); d != "" {
			t.Fatalf("read twice:\n%s", d)
		}
		var tr weir.Trait
		for i, c := range changes {
			if len(c.Trait) > weir.MaxTraitName || len(c.Text) > weir.MaxTraitValue || !utf8.ValidString(c.Trait) {
				t.Fatalf("change %+v is too large", c)
			}
			if i > 0 && changes[i-1].Place >= c.Place {
				t.Fatalf("place %q after %q", c.Place, changes[i-1].Place)
			}
			if c.Op != weir.TraitUnset && !json.Valid(c.Value()) {
				t.Fatalf("value %q of %+v is not JSON", c.Value(), c)
			}
			tr.Apply(&changes[i])
			if v, ok := tr.Value(); ok && !json.Valid(v) {
				t.Fatalf("value %q is not JSON", v)
			}
		}
		if len(changes) > weir.MaxTraitChanges+11 {
			t.Fatalf("%d changes", len(changes))
		}
	})
}
