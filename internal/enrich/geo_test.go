package enrich_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

// where returns the place that an event gets of an address.
func where(e *enrich.Enricher, ip string) [3]string {
	in := weir.Incoming{Source: weir.Source{IP: ip}}
	e.Apply(&in, nil)
	return [3]string{in.Event.Country, in.Event.Region, in.Event.City}
}

func TestEmbeddedDatabaseKnowsCountries(t *testing.T) {
	e := open(t, enrich.Options{})
	for ip, want := range map[string]string{
		"8.8.8.8":                   "US",
		"2001:4860:4860::8888":      "US",
		"91.0.0.1":                  "DE", // Deutsche Telekom
		"2003::1":                   "DE",
		"193.99.144.80":             "DE", // heise.de
		"212.27.48.10":              "FR", // Free
		"133.11.0.1":                "JP", // University of Tokyo
		"::ffff:8.8.8.8":            "US",
		"8.8.8.8:443":               "US",
		"[2001:4860:4860::8888]:53": "US",
		"2001:4860:4860::8888%eth0": "US",
	} {
		if got := where(e, ip); got != [3]string{want} {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}
}

func TestPrivateOrInvalidAddressHasNoCountry(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, ip := range []string{
		"", "10.0.0.1", "192.168.1.1", "172.16.0.1", "127.0.0.1", "::1", "fe80::1", "fd00::1", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255",
		"100.64.0.1", "::ffff:10.0.0.1", "10.0.0.1:80",
		"not an address", "8.8.8", "8.8.8.8.8", "08.8.8.8", "host.example, unknown", "\xff\x00", strings.Repeat("8", 100),
	} {
		if got := where(e, ip); got != [3]string{} {
			t.Errorf("%q: %q", ip, got)
		}
	}
}

func TestCountryDatabaseOfTheUserReplacesTheEmbeddedOne(t *testing.T) {
	for layout, record := range map[string]any{
		"nested":     map[string]any{"country": map[string]any{"iso_code": "AT"}},
		"flat":       map[string]any{"country_code": "at"},
		"plain":      map[string]any{"country": "AT"},
		"registered": map[string]any{"registered_country": map[string]any{"iso_code": "AT"}},
	} {
		e := open(t, enrich.Options{Country: writeMMDB(t, map[string]any{"8.8.8.0/24": record, "2001:db8::/32": record})})
		for ip, want := range map[string]string{"8.8.8.8": "AT", "2001:db8::1": "AT", "8.8.4.4": ""} {
			if got := where(e, ip); got != [3]string{want} {
				t.Errorf("%s: %s: %q, want %q", layout, ip, got, want)
			}
		}
	}
}

func TestCityDatabaseAddsRegionAndCity(t *testing.T) {
	names := func(s string) map[string]any {
		return map[string]any{"names": map[string]any{"en": s, "de": s + "-de"}}
	}
	nested := map[string]any{
		"country":      map[string]any{"iso_code": "AT"},
		"subdivisions": []any{names("Tyrol"), names("Inner")},
		"city":         names("Innsbruck"),
	}
	e := open(t, enrich.Options{City: writeMMDB(t, map[string]any{
		"8.8.8.0/24": nested,
		"8.8.4.0/24": map[string]any{"country": map[string]any{"iso_code": "CH"}},
		"9.9.9.0/24": map[string]any{"city": names("Nowhere")},
	})})
	for ip, want := range map[string][3]string{
		"8.8.8.8":  {"AT", "Tyrol", "Innsbruck"},
		"8.8.4.4":  {"CH"},
		"9.9.9.9":  {"US"}, // no country in the city database: the other answers
		"91.0.0.1": {"DE"},
		"10.0.0.1": {},
	} {
		if got := where(e, ip); got != want {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}

	flat := map[string]any{"country_code": "AT", "state1": "Tirol", "city": "Innsbruck"}
	e = open(t, enrich.Options{City: writeMMDB(t, map[string]any{"8.8.8.0/24": flat})})
	if got, want := where(e, "8.8.8.8"), [3]string{"AT", "Tirol", "Innsbruck"}; got != want {
		t.Errorf("flat records: %q, want %q", got, want)
	}
}

func TestRegionAndCityGoOnlyWithTheirOwnCountry(t *testing.T) {
	e := open(t, enrich.Options{City: writeMMDB(t, map[string]any{
		"8.8.8.0/24": map[string]any{"country_code": "AT", "state1": "Tirol", "city": "Innsbruck"},
	})})
	for _, c := range []struct{ set, want weir.Event }{
		{weir.Event{Country: "AT"}, weir.Event{Country: "AT", Region: "Tirol", City: "Innsbruck"}},
		{weir.Event{Country: "CH"}, weir.Event{Country: "CH"}},
		{weir.Event{Region: "Wien"}, weir.Event{Country: "AT", Region: "Wien"}},
	} {
		in := weir.Incoming{Event: c.set, Source: weir.Source{IP: "8.8.8.8"}}
		e.Apply(&in, nil)
		if got := in.Event; got.Country != c.want.Country || got.Region != c.want.Region || got.City != c.want.City {
			t.Errorf("%+v: %q, %q, %q", c.set, got.Country, got.Region, got.City)
		}
	}
}

func TestWrongDatabaseIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good, err := os.ReadFile(writeMMDB(t, map[string]any{"8.8.8.0/24": map[string]any{"country_code": "AT"}}))
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(strings.Replace(string(good), "country_code", "country_cod\xff", 1))
	treeless := append([]byte(nil), good...)
	for i := range 64 {
		treeless[i] = 0xff
	}
	for file, says := range map[string]string{
		filepath.Join(dir, "absent.mmdb"):            "no such file",
		write("empty.mmdb", nil):                     "not a MaxMind DB",
		write("text.mmdb", []byte("country,code\n")): "not a MaxMind DB",
		write("cut.mmdb", good[len(good)/2:]):        "not a MaxMind DB",
		write("treeless.mmdb", treeless):             "damaged",
		write("other.mmdb", damaged):                 "no country",
		writeMMDB(t, map[string]any{"8.8.8.0/24": map[string]any{"autonomous_system_number": uint32(15169)}}): "no country",
	} {
		for _, o := range []enrich.Options{{Country: file}, {City: file}} {
			e, err := enrich.New(o)
			if err == nil {
				t.Errorf("%s: opened", filepath.Base(file))
				_ = e.Close()
				continue
			}
			if code := weir.ErrorCode(err); code != weir.EINVALID {
				t.Errorf("%s: code %q, want %q", filepath.Base(file), code, weir.EINVALID)
			}
			if m := weir.ErrorMessage(err); !strings.Contains(m, file) || !strings.Contains(m, says) {
				t.Errorf("%s: %q does not name the file, or not say %q", filepath.Base(file), m, says)
			}
		}
	}
}
