// Package enrich derives what an event does not say itself: from the page's
// address, the referrer, the user agent and the IP address that it came with.
// Nothing is asked of a network; everything is in the program, but for the
// databases that an operator brings.
//
// What is derived from what:
//
//	Path, Origin            the page's address, without query, fragment and user information
//	UTMSource … UTMContent  the campaign in the query of the page's address or path
//	Referrer                host of the referrer, without "www."; none if it is the page's own
//	Channel                 see below
//	Browser, OS, DeviceType the user agent
//	Bot                     the user agent, the referrer
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
// spider or gives a contact address as those do, what names no browser and calls itself
// health, probe, monitor, pinger, check and the like, and HTTP libraries and
// command-line tools such as curl or python-requests: a script fetched the page,
// not a person. The libraries that apps are made with (okhttp, CFNetwork,
// Dalvik) are no bots. An empty user agent, or "-", says nothing: not a bot.
// A bot's Browser is its name; no system or device is read of it.
//
// A project may name user agents that are bots, and others that are not (weir.BotRules). These
// rules decide before the list, also for a program that reports what visitors did elsewhere. A
// user agent that is no bot by them is read like a visitor's.
//
// An event whose referrer is spam is a bot's, too: referrer_spam.txt lists the hosts, and a
// subdomain of a listed host counts as the host. It keeps the browser that it names. Its
// channel is referrer_spam, before all rules below.
//
// # Channels
//
// The first of these that says something decides:
//
//  1. The campaign's medium, if it is a known word (cpc, email, social, organic, …) or
//     has one as a part: banner-cpc and social_paid are paid.
//  2. A click identifier. gclid, gbraid, wbraid and msclkid mean paid. Others (fbclid,
//     ttclid, twclid, li_fat_id, …) stand on links that nobody paid for, too, and mean
//     their source's channel.
//  3. The referrer's host: a search engine, social network, mail site, AI assistant. The
//     host itself is listed: docs.google.com is a referral.
//  4. The campaign's source, if it is such a host or name (AI assistants send only that).
//  5. Any other referrer or campaign is a referral; none is direct.
//
// The host of the page and the sites of the project are no referrers.
//
// A campaign is read from utm_ parameters, Matomo's mtm_ and pk_, and for the source ref,
// source and via, in this order; where none names a source, the click identifier does
// (gclid: google). Names count in any case, after "&amp;" and a second "?", and in the
// query of a fragment ("#/shop?utm_source=…").
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
