package wire

import (
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// nativeFollowing are the keys of what mostly follows from others, as bits.
const nativeFollowing uint64 = 1<<(nativeBot+1) - 1<<nativeOrigin

// follow writes to ev what mostly follows from other keys.
func (e *nativeEvent) follow(ev *weir.Event, get func(nativeKey) string) {
	ev.Origin = get(nativeOrigin)
	ev.UTMSource, ev.UTMMedium, ev.UTMCampaign = get(nativeUTMSource), get(nativeUTMMedium), get(nativeUTMCampaign)
	ev.UTMTerm, ev.UTMContent = get(nativeUTMTerm), get(nativeUTMContent)
	ev.Country, ev.Region, ev.City = get(nativeCountry), get(nativeRegion), get(nativeCity)
	ev.Browser, ev.BrowserVersion = get(nativeBrowser), get(nativeBrowserVersion)
	ev.OS, ev.OSVersion = get(nativeOS), get(nativeOSVersion)
	ev.DeviceType, ev.Bot = get(nativeDeviceType), e.bot
}

// country makes a code that was read upper case.
func (r *reader) country(field string, at span) {
	code := r.text[at.from:at.to]
	if len(code) == 0 || r.reason != "" {
		return
	}
	for i, c := range code {
		code[i] = c &^ 0x20
		if len(code) != 2 || code[i] < 'A' || code[i] > 'Z' || c >= utf8.RuneSelf {
			r.defect(ReasonWrongType, field+": want two letters")
			return
		}
	}
}

// deviceType looks at a value that was read: it is one of the four, or none.
func (r *reader) deviceType(field string, at span) {
	switch string(r.text[at.from:at.to]) {
	case "", weir.DevicePhone, weir.DeviceTablet, weir.DeviceDesktop, weir.DeviceTV:
	default:
		r.defect(ReasonWrongType, field+": want phone, tablet, desktop or tv")
	}
}

// flag reads a boolean; null is false.
func (r *reader) flag(field string) bool {
	switch r.peek() {
	case 't':
		return r.literal("true")
	case 'f', 'n':
		_ = r.null() || r.literal("false")
	default:
		r.wrongType(field, "true or false")
	}
	return false
}
