package enrich

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// agent is what a user agent says.
type agent struct {
	class                   class
	browser, browserVersion string // of a bot: its name, as far as the text gives one
	os, osVersion           string
	device                  string // one of the weir.Device constants, or ""
}

// readAgent reads a user agent of at most maxAgent bytes; known says which are
// bots. Of a bot only the name and its version are read: what it says beyond
// that of browser and system is a mask.
func readAgent(ua string, known *crawlers) agent {
	if len(ua) < 2 { // nothing, or the "-" of access logs
		return agent{}
	}
	if a, ok := readBot(ua, known); ok {
		return a
	}
	a := readVisitor(ua)
	if a.browser == "" {
		if start, end, ok := monitorWord(ua); ok {
			return botAgent(crawler, ua, start, end)
		}
	}
	if a.os == "" && a.browser == "" {
		if start, end, ok := unnamedBot(ua); ok {
			return botAgent(crawler, ua, start, end)
		}
	}
	return a
}

// readVisitor reads the user agent of a browser or an app.
func readVisitor(ua string) (a agent) {
	a.os, a.osVersion = systemOf(ua)
	a.device = deviceOf(ua, a.os)
	a.browser, a.browserVersion = browserOf(ua, a.os)
	return a
}

// asVisitor returns what the user agent of a bot says if it is none. Without a browser it keeps
// the name of the bot.
func asVisitor(bot agent, ua string) agent {
	a := readVisitor(ua)
	if a.browser == "" {
		a.browser, a.browserVersion = bot.browser, bot.browserVersion
	}
	return a
}

// unnamedBot finds the name in the user agent of what names no browser and no
// system, but a web address, or itself "compatible" as crawlers do.
func unnamedBot(ua string) (start, end int, ok bool) {
	const compatible = "(compatible;"
	if start = strings.Index(ua, compatible); start >= 0 {
		start += len(compatible)
	} else if start = 0; !strings.Contains(ua, "://") {
		return 0, 0, false
	}
	if end = strings.IndexAny(ua[start:], "/;()"); end < 0 {
		end = len(ua) - start
	}
	return start, start + end, true
}

// tools are the products of HTTP libraries, command-line tools and server SDKs
// that crawlers.txt lacks, in lower case; they stand first in the user agent.
var tools = map[string]bool{
	"node": true, "undici": true, "got": true, "superagent": true, "deno": true, "bun": true, "needle": true,
	"python": true, "urllib3": true, "java": true, "java-http-client": true, "jakarta": true, "ruby": true, "faraday": true, "rest-client": true,
	"php": true, "guzzlehttp": true, "symfony": true, "reqwest": true, "hyper": true, "ureq": true, "isahc": true, "libcurl": true, "restsharp": true,
	"go-resty": true, "resty": true, "fasthttp": true, "req": true, "elixir": true, "hackney": true, "finch": true, "winhttp": true, "powershell": true,
	"postmanruntime": true, "insomnia": true, "bruno": true, "bruno-runtime": true, "hoppscotch": true, "vegeta": true, "k6": true, "hey": true, "ab": true,
	"apachebench": true, "wrk": true, "oha": true, "autocannon": true, "siege": true, "jmeter": true, "locust": true, "gatling": true,
	"posthog-node": true, "posthog-python": true, "posthog-go": true, "posthog-ruby": true, "posthog-php": true, "posthog-java": true, "posthog-dotnet": true,
	"analytics-node": true, "analytics-python": true, "analytics-go": true, "analytics-ruby": true, "analytics-php": true, "analytics-java": true,
	"weir-go": true, "weir": true,
}

// readBot reads the user agent of a bot; ok is false for others.
func readBot(ua string, known *crawlers) (a agent, ok bool) {
	product := ua
	if i := strings.IndexAny(ua, "/ (;"); i >= 0 {
		product = ua[:i]
	}
	of, start, end := known.find(ua)
	switch {
	case of != visitor:
	case len(product) <= 20 && tools[strings.ToLower(product)], strings.Contains(ua, "WindowsPowerShell/"):
		of, start, end = script, 0, len(product)
		if i := strings.Index(ua, "WindowsPowerShell/"); i >= 0 {
			start, end = i, i+len("WindowsPowerShell")
		}
	default:
		if start, end, ok = botWord(ua); !ok {
			return a, false
		}
		of = crawler
	}
	return botAgent(of, ua, start, end), true
}

// botAgent returns the bot named in ua[start:end]; its version follows the name.
func botAgent(of class, ua string, start, end int) agent {
	return agent{
		class:          of,
		browser:        firstOf(clean(strings.Trim(withoutAddresses(ua[start:end]), " /;:()\\+"), maxValue), "unnamed bot"),
		browserVersion: versionAt(ua[end:]),
	}
}

// botWord finds a word by which unlisted crawlers call themselves ("…bot",
// "…crawler", "…spider") or, failing that, the "+http" that begins their
// contact address.
func botWord(ua string) (start, end int, ok bool) {
	for _, word := range [...]string{"bot", "crawler", "spider"} {
		for from := 0; ; {
			i := indexFold(ua[from:], word)
			if i < 0 {
				break
			}
			start, end = from+i, from+i+len(word)
			from = end
			if end < len(ua) && isLetter(ua[end]) {
				continue // "botany", "spiderman"
			}
			for start > 0 && (isLetter(ua[start-1]) || isDigit(ua[start-1]) || ua[start-1] == '-') {
				start--
			}
			if strings.EqualFold(ua[start:end], "cubot") { // a maker of phones
				continue
			}
			return start, end, true
		}
	}
	if strings.Contains(ua, "+http") {
		end = strings.IndexAny(ua, "/ (;+")
		return 0, end, true
	}
	return 0, 0, false
}

// indexFold returns where the lower-case word begins in s in any case, or -1.
func indexFold(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// systemOf returns the operating system and its version.
func systemOf(ua string) (name, version string) {
	has := func(s string) bool { return strings.Contains(ua, s) }
	after := func(s string) string {
		if _, after, ok := strings.Cut(ua, s); ok {
			return versionAt(after)
		}
		return ""
	}
	switch {
	case has("Windows Phone"):
		return "Windows Phone", firstOf(after("Windows Phone OS"), after("Windows Phone"))
	case has("Xbox"):
		return "Xbox", ""
	case has("PlayStation"):
		return "PlayStation", ""
	case has("Nintendo"):
		return "Nintendo", ""
	case has("Windows"):
		return "Windows", windowsVersion(ua)
	case has("AppleTV"), has("Apple TV"), has("tvOS"):
		return "tvOS", firstOf(after("tvOS"), after("CPU OS"))
	case has("iPad"):
		v := firstOf(after("CPU OS"), after("iPhone OS"), after("iPadOS"), after("iOS"))
		if major(v) >= 13 {
			return "iPadOS", v
		}
		return "iOS", v
	case has("iPhone"), has("iPod"):
		return "iOS", firstOf(after("iPhone OS"), after("CPU OS"), after("iOS"))
	case has("Tizen"):
		return "Tizen", after("Tizen")
	case has("Web0S"), has("webOS"):
		return "webOS", after("webOS.TV-")
	case has("KAIOS"):
		return "KaiOS", after("KAIOS")
	case has("HarmonyOS"):
		return "HarmonyOS", after("HarmonyOS")
	case has("OpenHarmony"):
		return "HarmonyOS", after("OpenHarmony")
	case has("Android"):
		return "Android", after("Android")
	case has("CrOS"):
		if _, rest, ok := strings.Cut(ua, "CrOS "); ok { // "CrOS x86_64 14541.0.0"
			_, rest, _ = strings.Cut(rest, " ")
			version = versionAt(rest)
		}
		return "ChromeOS", version
	case has("Macintosh"), has("Mac OS X"), has("macOS"):
		return "macOS", firstOf(after("Mac OS X"), after("macOS"))
	case has("BlackBerry"), has("BB10"), has("PlayBook"):
		return "BlackBerry", ""
	case has("Symbian"), has("Series60"):
		return "Symbian", ""
	case has("FreeBSD"):
		return "FreeBSD", ""
	case has("OpenBSD"):
		return "OpenBSD", ""
	case has("Roku"):
		return "Roku", firstOf(after("Roku/DVP-"), after("Roku"))
	case has("Linux"), has("X11"), has("Ubuntu"):
		return "Linux", ""
	}
	return "", ""
}

// windowsVersion returns the name of a Windows NT version. Windows 11 says 10.
func windowsVersion(ua string) string {
	_, rest, ok := strings.Cut(ua, "Windows NT ")
	if !ok {
		_, rest, _ = strings.Cut(ua, "Windows ") // "Windows 98"
		return versionAt(rest)
	}
	switch rest = rest[:min(len(rest), 3)]; rest {
	case "10.":
		return "10"
	case "6.3":
		return "8.1"
	case "6.2":
		return "8"
	case "6.1":
		return "7"
	case "6.0":
		return "Vista"
	case "5.1", "5.2":
		return "XP"
	case "5.0":
		return "2000"
	}
	return versionAt(rest)
}

// televisions are the words of televisions, boxes beside them and consoles.
var televisions = [...]string{
	"SmartTV", "Smart-TV", "SMART-TV", "Smart TV", "Web0S", "webOS.TV", "NetCast", "AppleTV", "Apple TV", "tvOS", "BRAVIA", "GoogleTV", "Google TV",
	"Android TV", "AndroidTV", "Chromecast", "CrKey", "HbbTV", "Roku", "VIERA", "Viera", "PhilipsTV", "MiTV", "MIBOX", "SHIELD Android TV", "AQUOS",
	"PlayStation", "Xbox", "Nintendo", "TV Safari", "DuneHD", "OPR TV", "Opera TV", "VIDAA",
}

// tablets are the words of tablets whose user agent may else look like a
// phone's, as in apps.
var tablets = [...]string{"SM-T", "SM-X", "Nexus 7", "Nexus 9", "Nexus 10", "Pixel C", "Pixel Tablet", "Lenovo TB", "MatePad", "Xiaomi Pad", " KF", "Kindle", "PlayBook"}

// harmonyDevices are the words of the types of devices with HarmonyOS.
var harmonyDevices = map[string]string{
	"(PC;": weir.DeviceDesktop, "(2in1;": weir.DeviceDesktop, "(Tablet;": weir.DeviceTablet, "(TV;": weir.DeviceTV, "(Phone;": weir.DevicePhone,
}

// deviceOf returns the type of the device. Android browsers say Mobile on phones
// only, so a browser without it is a tablet's; iPads that ask for desktop sites
// say that they are Macs, and are taken at their word.
func deviceOf(ua, os string) string {
	for _, word := range televisions {
		if strings.Contains(ua, word) {
			return weir.DeviceTV
		}
	}
	if os == "HarmonyOS" { // "(PC; OpenHarmony 5.0)", and "2in1" for a tablet with keys
		for word, device := range harmonyDevices {
			if strings.Contains(ua, word) {
				return device
			}
		}
	}
	switch os {
	case "Windows", "macOS", "ChromeOS", "FreeBSD", "OpenBSD":
		return weir.DeviceDesktop
	case "iPadOS":
		return weir.DeviceTablet
	case "Tizen":
		if !strings.Contains(ua, "Mobile") {
			return weir.DeviceTV
		}
	}
	if strings.Contains(ua, "iPad") || strings.Contains(ua, "Tablet") || strings.Contains(ua, "tablet") {
		return weir.DeviceTablet
	}
	if os == "Android" || os == "Linux" || os == "HarmonyOS" || os == "BlackBerry" {
		if isFireTV(ua) {
			return weir.DeviceTV
		}
		for _, word := range tablets {
			if strings.Contains(ua, word) {
				return weir.DeviceTablet
			}
		}
	}
	switch {
	case strings.Contains(ua, "Mobi"), strings.Contains(ua, "Opera Mini"), strings.Contains(ua, "J2ME"):
		return weir.DevicePhone
	case os == "Android" && strings.HasPrefix(ua, "Mozilla/5.0 (Linux; Android") && !strings.Contains(ua, "Version/4.0 Safari"):
		return weir.DeviceTablet
	case os == "Android", os == "iOS", os == "Windows Phone", os == "BlackBerry", os == "KaiOS", os == "HarmonyOS", os == "Symbian":
		return weir.DevicePhone
	case os == "Linux":
		return weir.DeviceDesktop
	}
	return ""
}

// isFireTV finds Amazon's model names of sticks and televisions: " AFT" and
// more capitals or digits.
func isFireTV(ua string) bool {
	_, model, ok := strings.Cut(ua, " AFT")
	return ok && model != "" && ('A' <= model[0] && model[0] <= 'Z' || isDigit(model[0]))
}

// versionAt returns the version that s begins with, after "/", spaces and the like:
// the first two numbers, without a second that is 0 ("120", "17.2").
func versionAt(s string) string {
	s = strings.TrimLeft(s, "/ :v")
	numbers, end, i := 0, 0, 0
	for ; i < len(s) && i < 16; i++ {
		if isDigit(s[i]) {
			if i == 0 || !isDigit(s[i-1]) {
				numbers++
			}
			end = i + 1
			continue
		}
		if (s[i] != '.' && s[i] != '_') || i == 0 || numbers == 2 {
			break
		}
	}
	whole, second, _ := strings.Cut(strings.ReplaceAll(s[:end], "_", "."), ".")
	if strings.Trim(second, "0") == "" {
		return whole
	}
	return whole + "." + second
}

// major returns the first number of a version.
func major(version string) (n int) {
	for i := 0; i < len(version) && isDigit(version[i]); i++ {
		n = n*10 + int(version[i]-'0')
	}
	return n
}

func firstOf(versions ...string) string {
	for _, v := range versions {
		if v != "" {
			return v
		}
	}
	return ""
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
