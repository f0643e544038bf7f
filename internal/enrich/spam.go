package enrich

import (
	_ "embed"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// spamText lists the hosts of referrer spam, one a line, sorted. See NOTICE.md for its source.
//
//go:embed referrer_spam.txt
var spamText string

// spamHosts are the hosts of spamText. spamLabels is the largest number of labels that one of
// them has.
var spamHosts, spamLabels = loadSpam(spamText)

func loadSpam(text string) (map[string]bool, int) {
	hosts, labels := make(map[string]bool, strings.Count(text, "\n")), 0
	for line := range strings.Lines(text) {
		host := strings.TrimSuffix(line, "\n")
		hosts[host] = true
		labels = max(labels, 1+strings.Count(host, "."))
	}
	return hosts, labels
}

// applySpam flags an event whose referrer is spam as a bot's. Its channel says why. A channel
// that the sender set stays.
func applySpam(ev *weir.Event) {
	if isSpam(ev.Referrer) {
		ev.Bot = true
		fill(&ev.Channel, weir.ChannelSpam)
	}
}

// isSpam says whether a host, or a domain that it belongs to, is listed as referrer spam. It
// looks at the last labels only: a host may have a hundred.
func isSpam(host string) bool {
	at := len(host)
	for range spamLabels {
		if at = strings.LastIndexByte(host[:at], '.'); at < 0 {
			return host != "" && spamHosts[host]
		}
		if spamHosts[host[at+1:]] {
			return true
		}
	}
	return false
}
