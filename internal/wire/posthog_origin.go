package wire

import (
	"bytes"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// origin finds out whose machine sent the event: the visitor's own or a server.
func (p *posthog) origin() {
	lib := p.ownText(ownLib)
	if p.v1 && len(lib) == 0 {
		lib = []byte(p.sdk)
		lib, _, _ = bytes.Cut(lib, []byte("/"))
	}
	web := false
	switch string(lib) {
	case "web", "js", "posthog-js", "posthog-js-lite", "posthog-web":
		p.client, web = true, true
	case "posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter", "posthog-unity", "posthog-kmp":
		p.client = true
	case "posthog-node", "posthog-edge", "posthog-python", "posthog-go", "posthog-php", "posthog-ruby", "posthog-java",
		"posthog-server", "posthog-dotnet", "posthog-elixir", "posthog-rs", "posthog-rust":
	default:
		p.client = !p.server && (p.anywhere || p.hasOwn(ownDevice))
	}
	p.client = p.client && !p.server
	p.reported = !p.client
	switch {
	case web && (p.has(fieldUserAgent) || p.agent != ""), p.reported && !p.has(fieldBrowser) && !p.has(fieldDeviceType):
		// The user agent says it better; a server's system is not the visitor's.
		p.at[fieldBrowser], p.at[fieldBrowserVersion], p.at[fieldDeviceType] = span{}, span{}, span{}
		p.at[fieldOS], p.at[fieldOSVersion] = span{}, span{}
	default:
		p.deviceType()
	}
	if p.reported || p.nowhere || len(p.get(fieldCountry)) != 2 { // PostHog looked up the server's address, or did not
		p.at[fieldCountry], p.at[fieldRegion], p.at[fieldCity] = span{}, span{}, span{}
	}
	if p.nowhere { // named, so that the request's address is not
		p.at[fieldIP] = span{}
		if p.client {
			if p.client = false; !p.has(fieldUserAgent) {
				p.put(fieldUserAgent, p.agent)
			}
		}
	}
	switch {
	case p.v1 && !p.hasOwn(ownLib):
		p.put(fieldLibrary, p.sdk)
	case string(lib) == "web":
		p.put(fieldLibrary, "posthog-js/", string(p.ownText(ownLibVersion)))
	case p.hasOwn(ownLib):
		p.put(fieldLibrary, string(lib), "/", string(p.ownText(ownLibVersion)))
	}
	if at := &p.at[fieldLibrary]; at.to > at.from && p.text[at.to-1] == '/' {
		at.to--
	}
}

// deviceType makes it one of Weir's.
func (p *posthog) deviceType() {
	if !p.has(fieldDeviceType) {
		return
	}
	switch strings.ToLower(string(p.get(fieldDeviceType))) {
	case "desktop":
		p.put(fieldDeviceType, weir.DeviceDesktop)
	case "mobile", "phone":
		p.put(fieldDeviceType, weir.DevicePhone)
	case "tablet":
		p.put(fieldDeviceType, weir.DeviceTablet)
	case "tv":
		p.put(fieldDeviceType, weir.DeviceTV)
	default:
		p.at[fieldDeviceType] = span{}
	}
}
