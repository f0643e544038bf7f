package enrich

import (
	_ "embed"
	"maps"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// hostsText is made by gen_hosts.go. See NOTICE.md for its source.
//
//go:embed hosts.txt
var hostsText string

// hostChannels are the channels of hosts: those of hostsText, and those of ownHosts, which
// count first.
var hostChannels = loadHosts(hostsText)

func loadHosts(text string) map[string]string {
	hosts := make(map[string]string, 1024)
	for line := range strings.Lines(text) {
		channel, host, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		hosts[host] = channel
	}
	maps.Copy(hosts, ownHosts)
	return hosts
}

// channelOfHost returns the channel of a host, "" for one that is not listed. The host
// itself must be listed: accounts.google.com is no search engine. A label in front of it
// that only chooses a form or a language of the same site changes nothing: m.facebook.com,
// de-de.facebook.com.
func channelOfHost(host string) string {
	if c := hostChannels[host]; c != "" {
		return c
	}
	if isNationalSearch(host) {
		return weir.ChannelSearch
	}
	label, rest, ok := strings.Cut(host, ".")
	if !ok {
		return ""
	}
	switch c := hostChannels[rest]; c {
	case "":
	case weir.ChannelSocial:
		if forms[label] || isLanguage(label) {
			return c
		}
	default:
		if label == "www" || label == "m" || label == "mobile" {
			return c
		}
	}
	for name := rest; ok; _, name, ok = strings.Cut(name, ".") {
		if c := familyChannels[name]; c != "" {
			return c
		}
	}
	return ""
}

// forms are labels in front of a social network's host: its forms for telephones, and the
// hosts through which its links leave it.
var forms = map[string]bool{
	"www": true, "m": true, "mobile": true, "mbasic": true, "touch": true, "web": true, "amp": true, "l": true, "lm": true,
	"old": true, "new": true, "out": true, "np": true, "i": true, "away": true, "go": true, "link": true, "canary": true, "ptb": true,
}

// isLanguage says whether a label is written as a language or a country is: "de", "pt-br".
func isLanguage(label string) bool {
	return (len(label) == 2 || len(label) == 5 && label[2] == '-' && isLetter(label[3]) && isLetter(label[4])) && isLetter(label[0]) && isLetter(label[1])
}

// nationalSearch are search engines with a domain per country, and the labels that may
// stand in front of it.
var nationalSearch = map[string]map[string]bool{
	"google": {"www": true, "m": true, "images": true, "encrypted": true, "ipv4": true, "ipv6": true, "cse": true, "lens": true},
	"yandex": {"www": true, "m": true, "images": true},
	"yahoo":  {"www": true, "m": true},
}

// isNationalSearch says whether a host is that of a search engine in a country:
// google.de, google.co.uk, yandex.com.tr.
func isNationalSearch(host string) bool {
	brand, suffix, ok := strings.Cut(host, ".")
	if labels := nationalSearch[brand]; ok && labels != nil {
		return isNational(suffix)
	}
	label := brand
	brand, suffix, ok = strings.Cut(suffix, ".")
	return ok && nationalSearch[brand][label] && isNational(suffix)
}

// isNational says whether a suffix is "com" or that of a country: "de", "co.uk", "com.br".
func isNational(suffix string) bool {
	second, country, two := strings.Cut(suffix, ".")
	switch {
	case suffix == "com", suffix == "cat":
		return true
	case !two:
		return len(suffix) == 2
	}
	return len(country) == 2 && (second == "co" || second == "com" || second == "ne")
}
