package enrich

import (
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// Options say where the databases are. The zero value is ready for use.
type Options struct {
	// Country is the path of a country database in MMDB form, as of MaxMind,
	// DB-IP or IPinfo; "" is the one that Weir brings.
	Country string
	// City is the path of a city database in MMDB form; "" is none. Where it
	// knows an address it also decides the country.
	City string
	// CacheSize is how many distinct user agents, and how many addresses, are
	// remembered. 0 is 8192, a negative number none.
	CacheSize int
}

// defaultCacheSize takes about 3 MB when full of user agents of usual length.
const defaultCacheSize = 8192

// Enricher derives what an event does not say itself. It is safe for
// concurrent use.
type Enricher struct {
	geo    geo
	agents *cache[agent]
	places *cache[place]
}

// New opens the databases. A database that is absent, damaged or without
// countries is an EINVALID error whose message names the file. The caller
// closes the Enricher.
func New(o Options) (*Enricher, error) {
	g, err := openGeo(o)
	if err != nil {
		return nil, err
	}
	size := o.CacheSize
	if size == 0 {
		size = defaultCacheSize
	}
	known := loadCrawlers()
	return &Enricher{
		geo:    g,
		agents: newCache(size, func(ua string) agent { return readAgent(ua, known) }),
		places: newCache(size, g.locate),
	}, nil
}

// Close releases the databases. Apply must not be running, nor be called
// after.
func (e *Enricher) Close() error { return e.geo.close() }

// Apply fills what the event does not say itself; the package comment says from
// what. A field that the sender set stays, but for the query string of a path,
// which is taken off, the escapes of a path and a route, and the spelling of a language. It never fails: what
// cannot be read is left empty.
//
// p is the event's project, or nil: a referrer whose host is one of its sites is none, and its
// rules say which user agents are bots.
//
// Strings that it sets may share memory with those of in.
func (e *Enricher) Apply(in *weir.Incoming, p *weir.Project) {
	if p == nil {
		p = &noProject
	}
	ev, src := &in.Event, &in.Source
	host, hint := applyPage(ev, src.URL)
	if ev.Call != nil {
		ev.Call.Route = weir.NormalPath(ev.Call.Route)
	}
	applyReferrer(ev, src.Referrer, host, p.Sites)
	applySpam(ev)
	// A server reports its calls: agent and address are its own, and the path
	// is no page that a visitor came to.
	remoteCall := src.Remote && ev.Call != nil
	if ev.Call == nil || !src.Remote && !src.Reported || ev.Referrer != "" || hint != "" || ev.UTMSource != "" || ev.UTMMedium != "" || ev.UTMCampaign != "" {
		applyChannel(ev, hint)
	}
	if ev.Language != "" {
		ev.Language = Language(ev.Language)
	}
	if remoteCall {
		return
	}
	a := e.agent(src.UserAgent)
	bot, known := p.BotRules.Judge(truncate(src.UserAgent, maxAgent))
	if src.Remote && a.class == script && !bot {
		return // so is a program that reports what visitors did elsewhere
	}
	if known && !bot && a.class != visitor {
		a = asVisitor(a, truncate(src.UserAgent, maxAgent))
	}
	ev.Bot = ev.Bot || bot || a.class != visitor
	applyAgent(ev, a)
	e.applyPlace(ev, src.IP)
}

var noProject weir.Project

// applyPage fills path, origin and campaign from the page's address. It
// returns the page's host and the channel that a click identifier speaks for.
func applyPage(ev *weir.Event, url string) (host, hint string) {
	if url == "" && strings.Contains(ev.Path, "://") {
		url, ev.Path = ev.Path, "" // some SDKs put the whole address there
	}
	var queries [4]string // of the address and the path, with those of their fragments
	if ev.Path != "" {
		page := split(ev.Path)
		queries[2], queries[3] = page.query, page.fragment
		ev.Path = clean(weir.NormalPath(withoutQuery(ev.Path)), maxPath)
	}
	if url != "" {
		page := split(url)
		fill(&ev.Path, page.path)
		fill(&ev.Origin, page.origin)
		host = page.host
		queries[0], queries[1] = page.query, page.fragment
	}
	if queries != [4]string{} {
		c := readCampaign(queries[:]...)
		fill(&ev.UTMSource, c.source)
		fill(&ev.UTMMedium, c.medium)
		fill(&ev.UTMCampaign, c.name)
		fill(&ev.UTMTerm, c.term)
		fill(&ev.UTMContent, c.content)
		hint = c.hint
	}
	if host == "" && ev.Origin != "" {
		host = split(ev.Origin).host
	}
	return host, hint
}

// applyReferrer fills the referrer's host, unless it is the page's or another of the
// project's own.
func applyReferrer(ev *weir.Event, referrer, host string, own []string) {
	if ev.Referrer != "" || referrer == "" {
		return
	}
	if from := referrerHost(referrer); from != withoutWWW(host) && !slices.Contains(own, from) {
		ev.Referrer = from
	}
}

// ReferrerHost returns the host of a referrer as Apply stores it, "" if there is none.
func ReferrerHost(referrer string) string { return referrerHost(referrer) }

// referrerHost returns the host of a referrer without "www.". A bare host is taken
// too when it has a dot; what SDKs write for none ("$direct") has not.
func referrerHost(referrer string) string {
	referrer = withoutQuery(strings.TrimSpace(referrer))
	_, authority, _, ok := splitAuthority(referrer)
	if !ok {
		authority, _, _ = strings.Cut(referrer, "/")
		if !strings.Contains(authority, ".") {
			return ""
		}
	}
	host, _, ok := splitPort(authority)
	if !ok {
		return ""
	}
	return withoutWWW(strings.ToLower(host))
}

// applyChannel fills the channel of an event that came with a page, a referrer
// or a campaign; of others nothing is known.
func applyChannel(ev *weir.Event, hint string) {
	if ev.Channel != "" {
		return
	}
	if ev.Path == "" && ev.Origin == "" && ev.Referrer == "" && ev.UTMSource == "" && ev.UTMMedium == "" && ev.UTMCampaign == "" && hint == "" {
		return
	}
	ev.Channel = channelOf(ev.UTMSource, ev.UTMMedium, hint, ev.Referrer, ev.UTMCampaign != "" || ev.UTMTerm != "" || ev.UTMContent != "")
}

func (e *Enricher) agent(ua string) agent {
	if len(ua) < 2 {
		return agent{}
	}
	return *e.agents.get(truncate(ua, maxAgent))
}

// applyAgent fills browser, system and device. A version goes only with its
// own browser or system.
func applyAgent(ev *weir.Event, a agent) {
	fillPair(&ev.Browser, &ev.BrowserVersion, a.browser, a.browserVersion)
	fillPair(&ev.OS, &ev.OSVersion, a.os, a.osVersion)
	fill(&ev.DeviceType, a.device)
}

// applyPlace fills country, region and city. Region and city go only with
// their own country.
func (e *Enricher) applyPlace(ev *weir.Event, ip string) {
	if ip == "" || len(ip) > maxIP || ev.Country != "" && e.geo.city == nil {
		return
	}
	p := e.places.get(ip)
	fill(&ev.Country, p.country)
	if ev.Country == p.country {
		fillPair(&ev.Region, &ev.City, p.region, p.city)
	}
}

// maxIP is the length of the longest text that is looked up as an address.
const maxIP = 64

func fill(dst *string, value string) {
	if *dst == "" {
		*dst = value
	}
}

// fillPair fills a value and what belongs to it: the second only beside the
// same first.
func fillPair(first, second *string, a, b string) {
	fill(first, a)
	if *first == a {
		fill(second, b)
	}
}
