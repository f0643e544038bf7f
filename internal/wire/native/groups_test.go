package native_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
)

// Groups are stored as the property that the SDKs of vendors make of theirs.
func TestGroupsOfAnEventAreAProperty(t *testing.T) {
	for members, want := range map[string]string{
		`"groups":{"company":"acme"}`:                                                   `{"$groups":{"company":"acme"}}`,
		`"groups":{"company":"acme","te\"am":7},"properties":{"plan":"pro"}`:            `{"$groups":{"company":"acme","te\"am":7},"plan":"pro"}`,
		`"properties":{"plan":"pro"},"groups":{"company":null}`:                         `{"$groups":{"company":null},"plan":"pro"}`,
		`"groups":{},"properties":{"plan":"pro"}`:                                       `{"plan":"pro"}`,
		`"groups":null,"properties":{"$groups":{"team":"t"}}`:                           `{"$groups":{"team":"t"}}`,
		`"groups":{"company":"acme"},"properties":{"$groups":{"team":"t"}}`:             `{"$groups":{"company":"acme"}}`,
		`"groups":{"company":"acme"},"properties":{"b":1,"$groups":{"team":"t"},"a":2}`: `{"$groups":{"company":"acme"},"a":2,"b":1}`,
		`"groups":{"company":"acme"},"properties":{"text":"\"$groups\""}`:               `{"$groups":{"company":"acme"},"text":"\"$groups\""}`,
		`"groups":{"company":"acme"},"properties":{}`:                                   `{"$groups":{"company":"acme"}}`,
	} {
		in, reason := one(t, `{"name":"a",`+members+`}`)
		if got := string(in.Event.Properties); reason != "" || got != want {
			t.Errorf("%s: %s (%s), want %s", members, got, reason, want)
		}
	}
	for members, want := range map[string]string{
		`"groups":"acme"`:                        wire.ReasonWrongType,
		`"groups":["acme"]`:                      wire.ReasonWrongType,
		`"groups":{"company":true}`:              wire.ReasonWrongType,
		`"groups":{"company":{"id":"acme"}}`:     wire.ReasonWrongType,
		`"groups":{"company":["acme"]}`:          wire.ReasonWrongType,
		`"groups":{"company":"a","company":"b"}`: wire.ReasonDuplicateKey,
		`"groups":{"a":"b"},"groups":{"a":"b"}`:  wire.ReasonDuplicateKey,
		`"groups":{"company":"\u0000"}`:          wire.ReasonNUL,
		`"groups":{"company":"` + "\xff" + `"}`:  wire.ReasonInvalidUTF8,
		`"groups":{"company":1e999}`:             wire.ReasonNumber,
		`"groups":{"` + "\xff" + `":"a"}`:        wire.ReasonInvalidUTF8,
	} {
		if _, reason := one(t, `{"name":"a",`+members+`}`); reason != want {
			t.Errorf("%s: %q, want %q", members, reason, want)
		}
	}
}
