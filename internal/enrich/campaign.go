package enrich

import (
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// campaign is what a page's query string says of how the visitor came.
type campaign struct {
	source, medium, name, term, content string
	// hint is the channel of a click identifier, or "". Only identifiers that stand on
	// nothing but paid links mean paid.
	hint string
}

// field is a part of a campaign that a query parameter sets.
type field uint8

const (
	noField field = iota
	sourceField
	mediumField
	nameField
	termField
	contentField
	clickField // the click identifier of a platform
)

// parameter says what a query parameter means. Of two parameters for one field the one of
// the lower rank counts: utm_source before mtm_source before ref.
type parameter struct {
	field field
	rank  uint8
}

// Ranks of parameters: Google's names, Matomo's newer and older ones, names that any site
// may use for something else.
const (
	rankUTM uint8 = iota
	rankMatomo
	rankPiwik
	rankPlain
)

// parameters are the known query parameters, in lower case.
var parameters = map[string]parameter{
	"utm_source": {sourceField, rankUTM}, "utm_medium": {mediumField, rankUTM}, "utm_campaign": {nameField, rankUTM}, "utm_term": {termField, rankUTM}, "utm_content": {contentField, rankUTM},
	"mtm_source": {sourceField, rankMatomo}, "mtm_medium": {mediumField, rankMatomo}, "mtm_campaign": {nameField, rankMatomo}, "mtm_content": {contentField, rankMatomo},
	"mtm_keyword": {termField, rankMatomo}, "mtm_kwd": {termField, rankMatomo}, "matomo_campaign": {nameField, rankMatomo}, "matomo_kwd": {termField, rankMatomo}, "matomo_keyword": {termField, rankMatomo},
	"pk_source": {sourceField, rankPiwik}, "pk_medium": {mediumField, rankPiwik}, "pk_campaign": {nameField, rankPiwik}, "pk_cpn": {nameField, rankPiwik}, "pk_content": {contentField, rankPiwik},
	"pk_keyword": {termField, rankPiwik}, "pk_kwd": {termField, rankPiwik}, "piwik_campaign": {nameField, rankPiwik}, "piwik_kwd": {termField, rankPiwik}, "piwik_keyword": {termField, rankPiwik},
	"ref": {sourceField, rankPlain}, "source": {sourceField, rankPlain + 1}, "via": {sourceField, rankPlain + 2},
}

// click says what a click identifier means: the source that it stands for where the link
// names none, and the channel.
type click struct{ source, channel string }

// clicks are the identifiers that platforms add to links, in lower case. Those of Google
// Ads and Microsoft Advertising stand on ads only. Others, such as fbclid, stand on links
// that nobody paid for, too: they are their source's channel.
var clicks = map[string]click{
	"gclid": {"google", weir.ChannelPaid}, "gbraid": {"google", weir.ChannelPaid}, "wbraid": {"google", weir.ChannelPaid}, "msclkid": {"bing", weir.ChannelPaid},
	"fbclid": {"facebook", weir.ChannelSocial}, "igshid": {"instagram", weir.ChannelSocial}, "igsh": {"instagram", weir.ChannelSocial},
	"ttclid": {"tiktok", weir.ChannelSocial}, "twclid": {"twitter", weir.ChannelSocial}, "li_fat_id": {"linkedin", weir.ChannelSocial},
	"rdt_cid": {"reddit", weir.ChannelSocial}, "sccid": {"snapchat", weir.ChannelSocial}, "epik": {"pinterest", weir.ChannelSocial},
	"yclid": {"yandex", weir.ChannelSearch}, "dclid": {"doubleclick", weir.ChannelReferral},
	"mc_eid": {"", weir.ChannelEmail}, "mc_cid": {"", weir.ChannelEmail}, "_hsenc": {"", weir.ChannelEmail},
}

// maxParameter is the length of the longest name of a known parameter.
const maxParameter = len("matomo_campaign")

// readCampaign reads the parameters of campaigns and the click identifiers of query
// strings. Names count in any case and with "amp;" before them, which links in HTML that
// was escaped twice have; a second "?" separates as "&" does. The first of a repeated
// parameter counts; an empty one does not.
func readCampaign(queries ...string) (c campaign) {
	var ranks [clickField]uint8
	clickSource := ""
	for _, query := range queries {
		eachParameter(query, func(name, value string) {
			if k, ok := clicks[name]; ok {
				if c.hint == "" || k.channel == weir.ChannelPaid && c.hint != weir.ChannelPaid {
					c.hint, clickSource = k.channel, k.source
				}
				return
			}
			p, ok := parameters[name]
			if !ok {
				return
			}
			if dst := c.at(p.field); *dst == "" || p.rank < ranks[p.field] {
				if v := decodeParameter(value); v != "" {
					*dst, ranks[p.field] = v, p.rank
				}
			}
		})
	}
	fill(&c.source, clickSource)
	return c
}

// at returns the campaign's field.
func (c *campaign) at(f field) *string {
	switch f {
	case sourceField:
		return &c.source
	case mediumField:
		return &c.medium
	case nameField:
		return &c.name
	case termField:
		return &c.term
	}
	return &c.content
}

// eachParameter calls f for each parameter of a query that may be a campaign's and is not
// empty, with its name in lower case and its value as it is written.
func eachParameter(query string, f func(name, value string)) {
	for query != "" {
		pair := query
		if i := indexEither(query, '&', '?'); i >= 0 {
			pair, query = query[:i], query[i+1:]
		} else {
			query = ""
		}
		name, value, _ := strings.Cut(pair, "=")
		for strings.HasPrefix(name, "amp;") {
			name = name[len("amp;"):]
		}
		if value == "" || name == "" || len(name) > 3*maxParameter {
			continue
		}
		if strings.IndexByte(name, '%') >= 0 {
			if s, err := url.QueryUnescape(name); err == nil {
				name = s
			}
		}
		if len(name) <= maxParameter {
			f(strings.ToLower(name), value)
		}
	}
}

// decodeParameter decodes the value of a query parameter. A wrong escape stays as it is
// written.
func decodeParameter(value string) string {
	if indexEither(value, '%', '+') >= 0 {
		if s, err := url.QueryUnescape(value); err == nil {
			value = s
		}
	}
	return clean(value, maxValue)
}

// CampaignQuery returns the parameters of a query string that name a campaign or are click
// identifiers, as a query string of at most 1 KiB; "" if there are none.
func CampaignQuery(query string) string {
	var b strings.Builder
	eachParameter(query[:min(len(query), maxQuery)], func(name, value string) {
		_, is := clicks[name]
		if _, ok := parameters[name]; !is && !ok || b.Len()+len(name)+len(value)+2 > 1024 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(value)
	})
	return b.String()
}
