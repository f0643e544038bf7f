package enrich

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// channelOf says by which channel a visitor came. The first of these that says
// something decides: the campaign's medium, the click identifier's hint, the
// referrer, the campaign's source. A campaign of unknown medium and source was
// still a link somewhere: a referral. With none of all this the visit is
// direct.
func channelOf(source, medium, hint, referrer string) string {
	medium, source = mediumWord(medium), strings.ToLower(source)
	if c := channelOfMedium(medium); c != "" {
		return c
	}
	if hint != "" {
		return hint
	}
	if referrer != "" {
		if c := channelOfHost(referrer); c != "" {
			return c
		}
	}
	if c := channelOfSource(source); c != "" {
		return c
	}
	if referrer != "" || medium != "" || source != "" && source != "direct" && source != "(direct)" {
		return weir.ChannelReferral
	}
	return weir.ChannelDirect
}

// mediumWord returns a medium in one spelling: lower case, words joined by "-". The
// words by which tools say that there is none are "".
func mediumWord(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToLower(s)
	if indexEither(s, '_', ' ') >= 0 {
		s = strings.NewReplacer("_", "-", " ", "-").Replace(s)
	}
	switch s {
	case "(none)", "none", "(not-set)", "not-set", "direct", "null", "undefined":
		return ""
	}
	return s
}

// channelOfMedium returns the channel of a medium as mediumWord writes it, "" for an
// unknown one.
func channelOfMedium(medium string) string {
	switch medium {
	case "":
		return ""
	case "ppc", "cpc", "cpm", "cpv", "cpa", "cpp", "cpl", "cps", "cpi",
		"ad", "ads", "sem", "display", "banner", "interstitial",
		"retargeting", "remarketing", "sponsored", "sponsorship", "programmatic":
		return weir.ChannelPaid
	case "email", "e-mail", "mail", "newsletter":
		return weir.ChannelEmail
	case "social", "social-media", "social-network", "organic-social", "socialmedia", "sm":
		return weir.ChannelSocial
	case "organic", "search", "organic-search", "seo":
		return weir.ChannelSearch
	case "ai", "llm", "ai-assistant", "ai-chat", "chatbot":
		return weir.ChannelAI
	case "referral", "affiliate", "partner", "link", "blog", "pr":
		return weir.ChannelReferral
	}
	if strings.HasPrefix(medium, "paid") { // paid-social, paidsearch, …
		return weir.ChannelPaid
	}
	return ""
}

// channelOfHost returns the channel of a known host or any host below it, "" for an
// unknown one. The longest name that is known decides: mail.google.com is mail
// though google.com is a search engine.
func channelOfHost(host string) string {
	for name := host; name != ""; {
		if c := hostChannels[name]; c != "" {
			return c
		}
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		if c := channelOfBrand(name); c != "" {
			return c
		}
		name = rest
	}
	return ""
}

// channelOfBrand returns the channel of a domain of a search engine that has one per
// country: brand.de, brand.co.uk, brand.com.br.
func channelOfBrand(domain string) string {
	brand, suffix, _ := strings.Cut(domain, ".")
	if !searchBrands[brand] {
		return ""
	}
	second, country, two := strings.Cut(suffix, ".")
	if !two {
		country = second
	} else if second != "co" && second != "com" && second != "ne" {
		return ""
	}
	if len(country) < 2 || len(country) > 3 {
		return ""
	}
	return weir.ChannelSearch
}

// channelOfSource returns the channel of a campaign's source, in lower case: a
// known host ("chatgpt.com") or a common name ("newsletter").
func channelOfSource(source string) string {
	if source == "" {
		return ""
	}
	if c := sourceChannels[source]; c != "" {
		return c
	}
	if searchBrands[source] {
		return weir.ChannelSearch
	}
	return channelOfHost(withoutWWW(source))
}
