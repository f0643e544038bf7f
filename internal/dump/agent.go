package dump

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// deviceTypes are the vendors' words for Weir's.
var deviceTypes = map[string]string{
	"mobile": weir.DevicePhone, "phone": weir.DevicePhone, "smartphone": weir.DevicePhone, "feature phone": weir.DevicePhone, "phablet": weir.DevicePhone,
	"tablet": weir.DeviceTablet, "desktop": weir.DeviceDesktop, "laptop": weir.DeviceDesktop,
	"tv": weir.DeviceTV, "smarttv": weir.DeviceTV, "smart tv": weir.DeviceTV, "smart-tv": weir.DeviceTV,
}

func deviceType(word string) string { return deviceTypes[strings.ToLower(word)] }

// browsers are names that package enrich has another one for.
var browsers = map[string]string{
	"chrome": "Chrome", "chrome mobile": "Chrome", "mobile chrome": "Chrome", "chrome ios": "Chrome", "crios": "Chrome", "chrome mobile ios": "Chrome",
	"chromium-webview": "Android WebView", "android webview": "Android WebView", "chrome webview": "Android WebView",
	"firefox": "Firefox", "mobile firefox": "Firefox", "firefox mobile": "Firefox", "firefox ios": "Firefox", "fxios": "Firefox",
	"safari": "Safari", "mobile safari": "Safari", "ios": "Safari", "ios-webview": "Safari", "safari (in-app)": "Safari",
	"edge": "Edge", "microsoft edge": "Edge", "edge-chromium": "Edge", "edge-ios": "Edge", "edge mobile": "Edge",
	"ie": "Internet Explorer", "internet explorer": "Internet Explorer",
	"opera": "Opera", "opera mobile": "Opera", "opera-mini": "Opera Mini", "opera mini": "Opera Mini",
	"samsung": "Samsung Internet", "samsung internet": "Samsung Internet", "samsung browser": "Samsung Internet",
	"yandexbrowser": "Yandex Browser", "yandex browser": "Yandex Browser", "yandex": "Yandex Browser",
	"silk": "Silk", "miui": "MIUI Browser", "facebook": "Facebook", "facebook mobile": "Facebook", "instagram": "Instagram", "kakaotalk": "KakaoTalk",
}

func browser(name string) string {
	if known, ok := browsers[strings.ToLower(name)]; ok {
		return known
	}
	return none(name)
}

// system is an operating system in Weir's words. Some vendors write its version
// behind it.
func system(name, version string) (string, string) {
	switch lower := strings.ToLower(name); {
	case lower == "mac", lower == "macos", lower == "mac os", lower == "mac os x", lower == "os x", lower == "macintosh":
		return "macOS", version
	case lower == "android os":
		return "Android", version
	case lower == "chrome os", lower == "chromeos":
		return "ChromeOS", version
	case lower == "gnu/linux":
		return "Linux", version
	case strings.HasPrefix(lower, "windows ") && lower != "windows phone" && lower != "windows mobile":
		if version == "" {
			version = name[len("windows "):]
		}
		return "Windows", version
	}
	return none(name), version
}

// none drops the words for "unknown".
func none(name string) string {
	switch strings.ToLower(name) {
	case "(not set)", "(none)", "unknown", "not set", "null", "undefined", "<other>", "(other)", "none":
		return ""
	}
	return name
}

// agent sets what an export says of browser, system and device.
func agent(e *weir.Event, b, bVersion, os, osVersion, device string) {
	if e.Browser = browser(b); e.Browser != "" {
		e.BrowserVersion = none(bVersion)
	}
	e.OS, e.OSVersion = system(os, none(osVersion))
	if e.OS == "" {
		e.OSVersion = ""
	}
	e.DeviceType = deviceType(device)
}
