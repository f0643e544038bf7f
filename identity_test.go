package weir_test

import (
	"encoding/json"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestWordsForNobodyAreNoIDs(t *testing.T) {
	for _, id := range []string{
		"", " ", "null", "NULL", "Nil", "none", "None", "undefined", "NaN", "nan", "true", "True", "false", "0", "-1", "-", "00", "0000-00",
		"anonymous", "Anonymous", "guest", "GUEST", "distinct_id", "distinctid", "distinctId", "id", "ID", "email", "not_authenticated",
		"[object Object]", "[object object]", "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000",
		`"null"`, "'undefined'", "`id`", ` "null" `, "\tanonymous\n", "'0'", `""`, "\u00a0null\u00a0", strings.Repeat(" ", 200), strings.Repeat("0", 200), strings.Repeat(" ", 100) + "'",
	} {
		if weir.LegalID(id) {
			t.Errorf("%q is taken for an id", id)
		}
	}
}

func TestAllElseIsAnID(t *testing.T) {
	for _, id := range []string{
		"u1", "1", "-2", "00000000-0000-0000-0000-000000000001", "unknown", "nobody", "nullable", "Anonymous User", "anonymous1", "guest@example.org",
		"id:7", "email@example.org", "ada", "用户", "ＮＵＬＬ", "no", "off", "object Object", "user null", "0x0", strings.Repeat("a", 10_000), " u1 ",
	} {
		if !weir.LegalID(id) {
			t.Errorf("%q is not taken for an id", id)
		}
	}
}

func TestToLookAtAnIDAllocatesNothing(t *testing.T) {
	ids := []string{"u1", ` "[Object Object]" `, "00000000-0000-0000-0000-000000000000", "018f3a52-7c1e-7abc-8def-0123456789ab", strings.Repeat("0", 500)}
	if n := testing.AllocsPerRun(100, func() {
		for _, id := range ids {
			weir.LegalID(id)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTheAliasOfAnIdentifyEvent(t *testing.T) {
	for properties, want := range map[string]struct {
		alias string
		left  string // of the properties once an illegal one is dropped
		drops bool
	}{
		``:                                 {"", ``, false},
		`{}`:                               {"", `{}`, false},
		`{"alias":"a"}`:                    {"", `{"alias":"a"}`, false},
		`{"$ALIAS":"a"}`:                   {"", `{"$ALIAS":"a"}`, false},
		`{"$alias":"a"}`:                   {"a", `{"$alias":"a"}`, false},
		`{"$alias":" a "}`:                 {" a ", `{"$alias":" a "}`, false},
		`{"$alias":"\u00fc"}`:              {"ü", `{"$alias":"\u00fc"}`, false},
		`{"$alias":123}`:                   {"123", `{"$alias":123}`, false},
		`{"$alias":1.50}`:                  {"1.50", `{"$alias":1.50}`, false},
		`{"$alias":0}`:                     {"", ``, true},
		`{"$alias":-1,"name":"Ada"}`:       {"", `{"name":"Ada"}`, true},
		`{"$alias":"NULL","$set":{"a":1}}`: {"", `{"$set":{"a":1}}`, true},
		`{"$alias":""}`:                    {"", ``, true},
		`{"$alias":null,"b":1}`:            {"", `{"b":1}`, false},
		`{"$alias":true}`:                  {"", ``, true},
		`{"$alias":{"id":"a"}}`:            {"", ``, true},
		`{"$alias":["a"]}`:                 {"", ``, true},
		`{"$alias":"` + strings.Repeat("a", weir.MaxAlias) + `"}`:   {strings.Repeat("a", weir.MaxAlias), `{"$alias":"` + strings.Repeat("a", weir.MaxAlias) + `"}`, false},
		`{"$alias":"` + strings.Repeat("a", weir.MaxAlias+1) + `"}`: {"", ``, true},
		`{"$alias":`: {"", `{"$alias":`, false},
	} {
		e := weir.Event{Name: weir.NameIdentify, Properties: []byte(properties)}
		if got := e.Alias(); got != want.alias {
			t.Errorf("%s: alias %q, want %q", properties, got, want.alias)
		}
		if got := e.DropIllegalAlias(); got != want.drops || string(e.Properties) != want.left {
			t.Errorf("%s: dropped %v, leaves %q; want %v, %q", properties, got, e.Properties, want.drops, want.left)
		}
	}
	other := weir.Event{Name: "signup", Properties: []byte(`{"$alias":"null"}`)}
	if other.Alias() != "" || other.DropIllegalAlias() || string(other.Properties) != `{"$alias":"null"}` {
		t.Error("the property of another event is taken for an alias")
	}
}

func FuzzAlias(f *testing.F) {
	for _, seed := range []string{`{"$alias":"a"}`, `{"$alias":0,"b":1}`, `{"$alias":"null","$alias":"a"}`, `{"\u0024alias":"null"}`, `{"$alias":1e999}`, `["$alias"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, properties string) {
		e := weir.Event{Name: weir.NameIdentify, Properties: []byte(properties)}
		before := e.Alias()
		if before != "" && (!weir.LegalID(before) || len(before) > weir.MaxAlias) {
			t.Fatalf("alias %q", before)
		}
		if e.DropIllegalAlias() && before != "" {
			t.Fatalf("the legal alias %q is dropped", before)
		}
		if after := e.Alias(); after != before {
			t.Fatalf("alias %q, then %q", before, after)
		}
		if e.DropIllegalAlias() {
			t.Fatal("what was dropped is there again")
		}
		if len(e.Properties) > 0 && json.Valid([]byte(properties)) && !json.Valid(e.Properties) {
			t.Fatalf("%s is left", e.Properties)
		}
	})
}
