package dump

import (
	_ "embed"
	"strings"
	"sync"
)

// countries are the countries' names in English, as CLDR has them, by code.
//
//go:embed countries.txt
var countries string

// otherCountries are names that exports have instead.
var otherCountries = map[string]string{
	"turkey": "TR", "hong kong": "HK", "macao": "MO", "macau": "MO", "cote d'ivoire": "CI", "côte d'ivoire": "CI", "ivory coast": "CI",
	"myanmar": "MM", "burma": "MM", "czech republic": "CZ", "swaziland": "SZ", "macedonia": "MK", "north macedonia": "MK", "macedonia (fyrom)": "MK",
	"palestine": "PS", "bosnia and herzegovina": "BA", "trinidad and tobago": "TT", "antigua and barbuda": "AG", "st. lucia": "LC", "st. kitts and nevis": "KN",
	"st. vincent and the grenadines": "VC", "st. vincent & the grenadines": "VC", "são tomé and príncipe": "ST", "turks and caicos islands": "TC", "isle of man": "IM", "congo (drc)": "CD",
	"democratic republic of the congo": "CD", "congo (republic)": "CG", "republic of the congo": "CG", "the bahamas": "BS", "the gambia": "GM", "russia": "RU",
	"usa": "US", "united states of america": "US", "uk": "GB", "south korea": "KR", "korea": "KR", "vatican city": "VA", "cape verde": "CV", "east timor": "TL",
	"caribbean netherlands": "BQ", "u.s. virgin islands": "VI", "british virgin islands": "VG", "curacao": "CW", "reunion": "RE", "st. martin": "MF", "sint maarten": "SX",
	"antigua & barbuda": "AG", "guernsey": "GG", "jersey": "JE", "svalbard and jan mayen": "SJ", "wallis and futuna": "WF", "st. pierre and miquelon": "PM", "åland": "AX",
}

var countryCodes = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(countries) {
		if code, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out[plainName(name)] = code
		}
	}
	for name, code := range otherCountries {
		out[plainName(name)] = code
	}
	return out
})

func plainName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "’", "'") }

// countryCode is the ISO 3166-1 code of a country's English name; "" when it is
// not known. A code is one already.
func countryCode(name string) string {
	if letters(name, 2) != "" {
		return name
	}
	return countryCodes()[plainName(name)]
}
