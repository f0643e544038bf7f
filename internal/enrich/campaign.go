package enrich

import (
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// campaign is what a page's query string says of how the visitor came.
type campaign struct {
	source, medium, name, term, content string
	// hint is the channel that a click identifier speaks for, or "". Ad
	// platforms add theirs to the clicks that were paid for; networks such as
	// Facebook add one to every link that leaves them.
	hint string
}

// readCampaign reads the utm_ parameters and known click identifiers of a
// query string. The first of a repeated parameter counts; an empty one does
// not.
func readCampaign(query string) (c campaign) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if value == "" {
			continue
		}
		switch key {
		case "utm_source":
			setParameter(&c.source, value)
		case "utm_medium":
			setParameter(&c.medium, value)
		case "utm_campaign":
			setParameter(&c.name, value)
		case "utm_term":
			setParameter(&c.term, value)
		case "utm_content":
			setParameter(&c.content, value)
		case "gclid", "gbraid", "wbraid", "dclid", "gad_source", // Google Ads
			"msclkid",   // Microsoft Advertising
			"yclid",     // Yandex Direct
			"ttclid",    // TikTok
			"twclid",    // X
			"li_fat_id", // LinkedIn
			"rdt_cid",   // Reddit
			"ScCid":     // Snapchat
			c.hint = weir.ChannelPaid
		case "fbclid", "igshid", "igsh":
			c.setHint(weir.ChannelSocial)
		case "mc_eid", "mc_cid", "_hsenc":
			c.setHint(weir.ChannelEmail)
		}
	}
	return c
}

// setHint notes a channel if nothing stronger spoke before.
func (c *campaign) setHint(channel string) {
	if c.hint == "" {
		c.hint = channel
	}
}

// setParameter decodes a query parameter into an empty dst. A wrong escape is
// left as it is written.
func setParameter(dst *string, value string) {
	if *dst != "" {
		return
	}
	if indexEither(value, '%', '+') >= 0 {
		if s, err := url.QueryUnescape(value); err == nil {
			value = s
		}
	}
	*dst = clean(value, maxValue)
}
