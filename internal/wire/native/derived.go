package native

import (
	weir "github.com/weir-analytics/weir"
)

// derivedKeys are the keys of what Weir mostly derives from others, as bits.
const derivedKeys uint64 = 1<<(keyBot+1) - 1<<keyOrigin

// fillDerived writes to ev what Weir mostly derives from other keys.
func (e *event) fillDerived(ev *weir.Event, get func(fieldKey) string) {
	ev.Origin = get(keyOrigin)
	ev.UTMSource, ev.UTMMedium, ev.UTMCampaign = get(keyUTMSource), get(keyUTMMedium), get(keyUTMCampaign)
	ev.UTMTerm, ev.UTMContent = get(keyUTMTerm), get(keyUTMContent)
	ev.Country, ev.Region, ev.City = get(keyCountry), get(keyRegion), get(keyCity)
	ev.Browser, ev.BrowserVersion = get(keyBrowser), get(keyBrowserVersion)
	ev.OS, ev.OSVersion = get(keyOS), get(keyOSVersion)
	ev.DeviceType, ev.Bot = get(keyDeviceType), e.bot
}
