package native_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestMalformedBodyIsRefusedWholeWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, body   string
		line, offset int
	}{
		{"empty", "", 1, 0},
		{"blank", " \r\n\t ", 2, 5},
		{"BOM only", "\ufeff", 1, 3},
		{"scalar", "123", 1, 0},
		{"null", "null", 1, 0},
		{"string", `"name"`, 1, 0},
		{"text", "name=a", 1, 0},
		{"truncated array", `[{"name":"a"},{"name":"b"}`, 1, 26},
		{"truncated pretty array", "[\n{\"name\":\"a\"},\n{\"name\":\"b\"}\n", 4, 29},
		{"truncated pretty envelope", "{\"events\":[\n{\"name\":\"a\"},\n{\"name\":\"b\"}\n", 4, 39},
		{"error inside a pretty array", "[\n{\"name\":\"a\"},\n{\"name\" \"b\"}\n]", 3, 24},
		{"error inside a pretty envelope", "{\"events\":[\n{\"name\":\"a\"}\n{\"name\":\"b\"}\n]}", 3, 25},
		{"array of lines", "[{\"name\":\"a\"}\n{\"name\":\"b\"}]", 2, 14},
		{"array and line", "[{\"name\":\"a\"}]\n{\"name\":\"b\"}", 2, 15},
		{"trailing garbage", `{"name":"a"} x`, 1, 13},
		{"trailing object", `{"name":"a"}{"name":"b"}`, 1, 12},
		{"trailing bracket", `[{"name":"a"}]]`, 1, 14},
		{"trailing comma in array", `[{"name":"a"},]`, 1, 14},
		{"trailing comma in object", `{"name":"a",}`, 1, 12},
		{"raw NUL", "[{\"name\":\"a\x00\"}]", 1, 11},
		{"raw newline in a string", "[{\"name\":\"a\n\"}]", 1, 11},
		{"raw NUL outside", "\x00", 1, 0},
		{"wrong escape", `[{"name":"\x"}]`, 1, 10},
		{"short escape", `[{"name":"\u12"}]`, 1, 10},
		{"leading zero", `[{"name":"a","revenue":01}]`, 1, 24},
		{"plus", `[{"name":"a","revenue":+1}]`, 1, 23},
		{"no fraction", `[{"name":"a","revenue":1.}]`, 1, 25},
		{"no exponent", `[{"name":"a","revenue":1e}]`, 1, 25},
		{"NaN", `[{"name":"a","revenue":NaN}]`, 1, 23},
		{"half a literal", `[{"name":nul}]`, 1, 9},
		{"unquoted key", `[{name:"a"}]`, 1, 2},
		{"no colon", `[{"name","a"}]`, 1, 8},
		{"mismatched", `[{"name":"a"]}`, 1, 12},
		{"mismatched in an unknown key", `[{"name":"a","x":[{]}]}`, 1, 19},
		{"events is no array", `{"events":{}}`, 1, 10},
		{"events is null", `{"events":null}`, 1, 10},
		{"events twice", `{"events":[],"events":[]}`, 1, 22},
		{"lines without an object", "1\n\"a\"\n[]\n", 1, 0},
		{"broken lines", "{\"name\":\"a\" x}\nnothing\n", 1, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, rejected, err := native.Decode([]byte(c.body), wiretest.Now, wire.DefaultLimits())
			if in != nil || rejected != nil || weir.ErrorCode(err) != weir.EINVALID {
				t.Fatalf("%v %v %v", in, rejected, err)
			}
			e, _ := errors.AsType[*weir.Error](err)
			if diff := cmp.Diff(item.Position{Line: c.line, Offset: c.offset}, e.Details); diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
}

func TestEmptyListIsFine(t *testing.T) {
	for _, body := range []string{"[]", " [ ] ", `{"events":[]}`, "\ufeff[]", `{"sent_at":1,"events":[],"x":{}}`} {
		in, rejected, err := native.Decode([]byte(body), wiretest.Now, wire.DefaultLimits())
		if len(in)+len(rejected) != 0 || err != nil {
			t.Errorf("%s: %v %v %v", body, in, rejected, err)
		}
	}
}

func TestLinesMayEndInCRLFAndBeBlankOrBroken(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"{\"name\":\"a\"}\r\n{\"name\":\"b\"}\r\n", "0:a 1:b"},
		{"\ufeff{\"name\":\"a\"}\n\n \t\r\n{\"name\":\"b\"}", "0:a 1:b"},
		{"{\"name\":\"a\"}\nnothing\n{\"name\":\"b\"}", "0:a 2:b 1!malformed_json"},
		{"nothing\n{\"name\":\"b\"}", "1:b 0!malformed_json"},
		{"{\"name\":\"a\"\n{\"name\":\"b\"}", "1:b 0!malformed_json"},
		{"{\"name\":\"a\n{\"name\":\"b\"}", "1:b 0!malformed_json"},
		{"{\"name\":\"a\"}\n{\"name\":\"b\"", "0:a 1!malformed_json"},
		{"{\"name\":\"a\"} {\"name\":\"c\"}\n{\"name\":\"b\"}", "1:b 0!malformed_json"},
		{"{\"name\":\"a\"}\n[{\"name\":\"b\"}]\n7", "0:a 1!not_an_object 2!not_an_object"},
		{"{\"name\":\"a\"}\n{\"events\":[{\"name\":\"b\"}]}", "0:a 1!name_missing"},
		{"{\"events\":[{\"name\":\"b\"}]}\n{\"name\":\"a\"}", "1:a 0!name_missing"},
		{"{\"events\":[\r\n{\"name\":\"a\"},\r\n{\"name\":\"b\"}\r\n]}\r\n", "0:a 1:b"},
		{"{\n\"name\":\"a\"\n}", "0:a"},
	} {
		in, rejected, err := native.Decode([]byte(c.body), wiretest.Now, wire.DefaultLimits())
		if err != nil {
			t.Errorf("%q: %v", c.body, err)
			continue
		}
		var got []string
		for _, i := range in {
			got = append(got, fmt.Sprintf("%d:%s", i.Index, i.Event.Name))
		}
		for _, r := range rejected {
			got = append(got, fmt.Sprintf("%d!%s", r.Index, r.Reason))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: %s, want %s", c.body, s, c.want)
		}
	}
}

func TestTooManyEventsAreRefusedWhole(t *testing.T) {
	l := wire.DefaultLimits()
	l.Events = 3
	for _, c := range []struct{ first, item, last string }{
		{"[", `{"name":"a"},`, `{"name":"a"}]`},
		{`{"events":[`, `{"name":"a"},`, `{"name":"a"}]}`},
		{"", "{\"name\":\"a\"}\n", "{\"name\":\"a\"}"},
		{"[", "1,", "1]"},
	} {
		for n, code := range map[int]string{3: "", 4: weir.ETOOLARGE} {
			body := c.first + strings.Repeat(c.item, n-1) + c.last
			in, rejected, err := native.Decode([]byte(body), wiretest.Now, l)
			if got := weir.ErrorCode(err); got != code || code == "" && len(in)+len(rejected) != n {
				t.Errorf("%s: %d, %d, %v", body, len(in), len(rejected), err)
			}
			if err != nil && (in != nil || rejected != nil) {
				t.Errorf("%s: events with an error", body)
			}
		}
	}
}

// A hundred thousand brackets, closed or not, in every place.
func TestDeepNestingIsAnError(t *testing.T) {
	for _, open := range []string{"[", `{"a":`, `[{"name":"a","x":[`, `{"name":"a","properties":{"x":[`, `{"a":[`} {
		for _, closed := range []string{"", strings.Repeat("]", 100_000)} {
			body := open + strings.Repeat("[", 100_000) + closed
			if _, _, err := native.Decode([]byte(body), wiretest.Now, wire.DefaultLimits()); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%.30s…: %v", body, err)
			}
		}
	}
	body := strings.Repeat(`{"name":`, 100_000)
	if _, _, err := native.Decode([]byte(body), wiretest.Now, wire.DefaultLimits()); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("%.30s…: %v", body, err)
	}
}
