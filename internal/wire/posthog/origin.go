package posthog

import (
	"bytes"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// setOrigin decides whether the visitor's own machine sent the event, or a server.
func (p *decoder) setOrigin() {
	lib := p.ownText(ownLib)
	if p.v1 && len(lib) == 0 {
		lib = []byte(p.sdk)
		lib, _, _ = bytes.Cut(lib, []byte("/"))
	}
	switch string(lib) {
	case "web", "js", "posthog-js", "posthog-js-lite", "posthog-web":
		p.Client, p.web = true, true
		p.Named = string(lib) == "posthog-js-lite" || string(lib) == "js"
	case "posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter", "posthog-unity", "posthog-kmp":
		p.Client, p.Named = true, true
	case "posthog-node", "posthog-edge", "posthog-python", "posthog-go", "posthog-php", "posthog-ruby", "posthog-java",
		"posthog-server", "posthog-dotnet", "posthog-elixir", "posthog-rs", "posthog-rust":
	default:
		p.Client = !p.server && (p.anywhere || p.hasOwn(ownDevice))
	}
	p.Client = p.Client && !p.server
	p.Named = p.Named && p.Client
	p.Reported = !p.Client
	switch {
	case p.web && (p.Has(item.UserAgent) || p.agent != ""), p.Reported && !p.Has(item.Browser) && !p.Has(item.DeviceType):
		// Weir reads the browser from the user agent. A server's system is not the visitor's.
		p.Clear(item.Browser, item.BrowserVersion, item.DeviceType)
		p.Clear(item.OS, item.OSVersion)
	default:
		p.deviceType()
	}
	if p.Reported || p.nowhere || len(p.Get(item.Country)) != 2 { // PostHog looked up the server's address, or did not
		p.Clear(item.Country, item.Region, item.City)
	}
	if p.nowhere { // no address at all, or that of the request would be looked up
		p.Clear(item.IP)
		if p.Client {
			if p.Client = false; !p.Has(item.UserAgent) {
				p.Put(item.UserAgent, p.agent)
			}
		}
	}
	switch {
	case p.v1 && !p.hasOwn(ownLib):
		p.Put(item.Library, p.sdk)
	case string(lib) == "web":
		p.Put(item.Library, "posthog-js/", string(p.ownText(ownLibVersion)))
	case p.hasOwn(ownLib):
		p.Put(item.Library, string(lib), "/", string(p.ownText(ownLibVersion)))
	}
	if at := p.Span(item.Library); bytes.HasSuffix(p.Text(at), []byte("/")) {
		p.Set(item.Library, at.Cut(0, at.Len()-1))
	}
}

// deviceType replaces PostHog's device type by Weir's.
func (p *decoder) deviceType() {
	if !p.Has(item.DeviceType) {
		return
	}
	switch strings.ToLower(string(p.Get(item.DeviceType))) {
	case "desktop":
		p.Put(item.DeviceType, weir.DeviceDesktop)
	case "mobile", "phone":
		p.Put(item.DeviceType, weir.DevicePhone)
	case "tablet":
		p.Put(item.DeviceType, weir.DeviceTablet)
	case "tv":
		p.Put(item.DeviceType, weir.DeviceTV)
	default:
		p.Clear(item.DeviceType)
	}
}
