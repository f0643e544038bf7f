package enrich

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// channelOf says by which channel a visitor came. The first of these that says
// something decides: the campaign's medium, the click identifier's hint, the
// referrer, the campaign's source. A campaign of unknown or no medium and source
// was still a link somewhere: a referral. campaign says that there is one. With none
// of all this the visit is direct.
func channelOf(source, medium, hint, referrer string, campaign bool) string {
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
	if referrer != "" || medium != "" || campaign || source != "" && source != "direct" && source != "(direct)" {
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
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("_ /|+.:,", r) {
			return '-'
		}
		return r
	}, s)
	switch s {
	case "(none)", "none", "(not-set)", "not-set", "direct", "null", "undefined":
		return ""
	}
	return s
}

// mediumWords are the words of a medium by channel. Words of two parts stand for
// themselves; words of one part also count as a part of a longer medium (banner-cpc).
var mediumWords = places(map[string][]string{
	weir.ChannelPaid: {
		"paid", "ppc", "cpc", "cpm", "cpv", "cpa", "cpp", "cpl", "cps", "cpi", "ad", "ads", "sem", "display", "banner", "interstitial",
		"retargeting", "remarketing", "sponsored", "sponsorship", "programmatic",
	},
	weir.ChannelEmail:    {"email", "e-mail", "mail", "newsletter"},
	weir.ChannelSocial:   {"social", "social-media", "social-network", "organic-social", "socialmedia", "sm"},
	weir.ChannelSearch:   {"organic", "search", "organic-search", "seo"},
	weir.ChannelAI:       {"ai", "llm", "ai-assistant", "ai-chat", "chatbot"},
	weir.ChannelReferral: {"referral", "affiliate", "partner", "link", "blog", "pr"},
})

// channelOfMedium returns the channel of a medium as mediumWord writes it, "" for an
// unknown one. Of a medium of several parts, such as social-paid, a part that means paid
// decides, or else mail, social network, search.
func channelOfMedium(medium string) string {
	if medium == "" {
		return ""
	}
	if c := mediumWords[medium]; c != "" {
		return c
	}
	var found [3]bool
	paid, negated := false, false
	for part := range strings.SplitSeq(medium, "-") {
		switch part {
		case "non", "not", "no":
			negated = true
		case "unpaid", "nonpaid":
			continue
		}
		paid = paid || mediumWords[part] == weir.ChannelPaid || strings.HasPrefix(part, "paid") || strings.HasSuffix(part, "paid")
		for i, c := range partChannels {
			found[i] = found[i] || mediumWords[part] == c
		}
	}
	if paid && !negated {
		return weir.ChannelPaid
	}
	for i, c := range partChannels {
		if found[i] {
			return c
		}
	}
	return ""
}

// partChannels are the channels, beside paid, that a part of a medium may mean, the
// strongest first.
var partChannels = [3]string{weir.ChannelEmail, weir.ChannelSocial, weir.ChannelSearch}

// channelOfSource returns the channel of a campaign's source, in lower case: a
// known host ("chatgpt.com") or a common name ("newsletter").
func channelOfSource(source string) string {
	if source == "" {
		return ""
	}
	if c := sourceChannels[source]; c != "" {
		return c
	}
	return channelOfHost(withoutWWW(source))
}
