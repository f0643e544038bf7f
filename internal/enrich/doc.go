// Package enrich derives what an event does not say itself: from the page's
// address, the referrer, the user agent and the IP address that it came with.
// Nothing is asked of a network; everything is in the program, but for the
// databases that an operator brings.
//
// What is derived from what:
//
//	Path, Origin            the page's address, without query, fragment and user information
//	UTMSource … UTMContent  utm_ parameters of the page's query
//	Referrer                host of the referrer, without "www."; none if it is the page's own
//	Channel                 see below
//	Browser, OS, DeviceType the user agent
//	Bot                     the user agent
//	Country                 the IP address; Region and City with a city database
//	Language                itself: an Accept-Language list becomes its first preference
//
// The sender decides: a field that it set stays, and what depends on a field
// (a version on its browser, a city on its country) is filled only beside the
// same value. Two things are put right even so: the query string is taken off a
// path, and a language is spelled as BCP 47 does.
//
// # Whose user agent
//
// The user agent and IP address named by an event, or standing in an access
// log, are the visitor's. If the event names none, they are the sending
// request's (Source.Remote): the visitor's as well when a browser or an app
// sends, but a server's when a backend does. So nothing is derived from them
// when the event is a call, nor when the user agent is that of an HTTP library
// or server SDK.
//
// # Bots
//
// A bot is what the list in crawlers.txt names (crawlers, preview fetchers,
// monitors, scanners, automated browsers), what calls itself bot, crawler or
// spider or gives a contact address as those do, and HTTP libraries and
// command-line tools such as curl or python-requests: a script fetched the page,
// not a person. The libraries that apps are made with (okhttp, CFNetwork,
// Dalvik) are no bots. An empty user agent, or "-", says nothing: not a bot.
// A bot's Browser is its name; no system or device is read of it.
//
// # Channels
//
// The first of these that says something decides:
//
//  1. utm_medium, if it is a known word (cpc, email, social, organic, …).
//  2. A click identifier. Those that only ads carry (gclid, msclkid, ttclid, …)
//     mean paid. fbclid and igshid mean social: Facebook adds them to links
//     that nobody paid for, too; paid ones are recognized by their utm_medium.
//  3. The referrer: a search engine, social network, mail site, AI assistant.
//  4. utm_source, if it is such a host or name (AI assistants send only that).
//  5. Any other referrer or campaign is a referral; none is direct.
//
// The host of the page and the sites of the project are no referrers.
//
// An event without page, referrer and campaign has no channel; neither has a
// call that a server reports, unless it names a referrer or campaign.
//
// # Limits
//
// Of a user agent the first 1 KiB is read, of a query 8 KiB. Values are valid
// UTF-8 without control characters: paths of at most 2 KiB, hosts 253 bytes,
// others 255. Browsers hide some truths: Windows 11 says it is 10, macOS stays
// at 10.15, and iPads that ask for desktop sites say that they are Macs.
//
// # Cost
//
// A user agent costs some microseconds and an address a fraction of one, once:
// both are remembered, in bounded caches that take no locks. What is left per
// event is reading the address, without copies where it is plain.
package enrich

// crawlers.txt is made from an npm package; gen_crawlers.go says how to fetch
// it.
//
//go:generate go run gen_crawlers.go package/crawler-user-agents.json
