package enrich

import "strings"

// mark is the text by which a browser is known. The version follows it, or
// follows version if that is set.
type mark struct{ text, name, version string }

// browsers are tried in this order. A browser built on another one names both,
// so that the more special stands first; within apps, the app that shows the
// page counts.
var browsers = [...]mark{
	// Apps that show pages themselves.
	{"FBAN/Messenger", "Messenger", "FBAV/"},
	{"FBAN/Orca", "Messenger", "FBAV/"},
	{"FB_IAB/Orca", "Messenger", "FBAV/"},
	{"Instagram ", "Instagram", ""},
	{"Barcelona ", "Threads", ""},
	{"FBAN/", "Facebook", "FBAV/"},
	{"FB_IAB/", "Facebook", "FBAV/"},
	{"FBAV/", "Facebook", "FBAV/"},
	{"musical_ly_", "TikTok", ""},
	{"trill_", "TikTok", ""},
	{"BytedanceWebview", "TikTok", "app_version/"},
	{"Snapchat", "Snapchat", ""},
	{"LinkedInApp", "LinkedIn", "LinkedInApp]/"},
	{"Twitter for i", "X", "Twitter for iPhone/"},
	{"TwitterAndroid", "X", ""},
	{"[Pinterest/", "Pinterest", ""},
	{"wxwork/", "WeCom", ""},
	{"MicroMessenger/", "WeChat", ""},
	{"baiduboxapp/", "Baidu App", ""},
	{"__weibo__", "Weibo", ""},
	{"Weibo/", "Weibo", ""},
	{"Weibo (", "Weibo", "__weibo__"},
	{" QQ/", "QQ", ""},
	{"AlipayClient/", "Alipay", ""},
	{"AliApp(AP/", "Alipay", ""},
	{"AliApp(TB/", "Taobao", ""},
	{"AliApp(DingTalk/", "DingTalk", ""},
	{"DingTalk/", "DingTalk", ""},
	{"Lark/", "Lark", ""},
	{"Feishu/", "Lark", ""},
	{"aweme_", "Douyin", ""},
	{"aweme/", "Douyin", ""},
	{"NewsArticle/", "Toutiao", ""},
	{"XiaoHongShu/", "Xiaohongshu", ""},
	{"discover/", "Xiaohongshu", ""},
	{"ZhihuHybrid", "Zhihu", "osee2unifiedRelease/"},
	{"Kwai/", "Kwai", ""},
	{"Zalo ", "Zalo", ""},
	{"Viber/", "Viber", ""},
	{"Telegram-Android/", "Telegram", ""},
	{"VKAndroidApp/", "VK", ""},
	{"BingSapphire/", "Bing App", ""},
	{"KAKAOTALK", "KakaoTalk", ""},
	{"NAVER(", "Naver", ""},
	{" Line/", "LINE", ""},
	{"GSA/", "Google App", ""},
	{"Slack/", "Slack", ""},
	{"Teams/", "Teams", ""},

	// Browsers of their own name.
	{"EdgA/", "Edge", ""},
	{"EdgiOS/", "Edge", ""},
	{"Edge/", "Edge", ""},
	{"Edg/", "Edge", ""},
	{"OPX/", "Opera GX", ""},
	{"OPT/", "Opera Touch", ""},
	{"OPiOS/", "Opera", ""},
	{"OPR/", "Opera", ""},
	{"Opera Mini/", "Opera Mini", ""},
	{"Opera", "Opera", "Version/"},
	{"SamsungBrowser/", "Samsung Internet", ""},
	{"YaBrowser/", "Yandex Browser", ""},
	{"YaSearchBrowser/", "Yandex Browser", ""},
	{"Vivaldi/", "Vivaldi", ""},
	{"Brave/", "Brave", ""},
	{"DuckDuckGo/", "DuckDuckGo", ""},
	{"Ddg/", "DuckDuckGo", ""},
	{"Norton/", "Norton Private Browser", ""},
	{"AVG/", "AVG Secure Browser", ""},
	{"Avira/", "Avira Secure Browser", ""},
	{"CCleaner/", "CCleaner Browser", ""},
	{"Quark/", "Quark", ""},
	{"QuarkPC/", "Quark", ""},
	{"UCBrowser/", "UC Browser", ""},
	{"UCTurbo/", "UC Browser", ""},
	{"UCWEB", "UC Browser", ""},
	{"UBrowser/", "UC Browser", ""},
	{"MiuiBrowser/", "MIUI Browser", ""},
	{"HuaweiBrowser/", "Huawei Browser", ""},
	{"HeyTapBrowser/", "HeyTap Browser", ""},
	{"VivoBrowser/", "Vivo Browser", ""},
	{"QQBrowser/", "QQ Browser", ""},
	{"BIDUBrowser/", "Baidu Browser", ""},
	{"baidubrowser/", "Baidu Browser", ""},
	{"2345Explorer/", "2345 Explorer", ""},
	{"SogouMobileBrowser/", "Sogou Explorer", ""},
	{"MetaSr ", "Sogou Explorer", ""},
	{"QihooBrowser/", "360 Browser", ""},
	{"Whale/", "Whale", ""},
	{"Silk/", "Silk", ""},
	{"OculusBrowser/", "Meta Quest Browser", ""},
	{"PaleMoon/", "Pale Moon", ""},
	{"SeaMonkey/", "SeaMonkey", ""},
	{"Waterfox/", "Waterfox", ""},
	{"Iceweasel/", "Firefox", ""},
	{"coc_coc_browser/", "Coc Coc", ""},
	{"Puffin/", "Puffin", ""},
	{"Maxthon/", "Maxthon", ""},
	{"Ecosia ", "Ecosia", "Chrome/"},
	{"Avast/", "Avast Secure Browser", ""},
	{"AvastSecureBrowser/", "Avast Secure Browser", ""},
	{"Epiphany/", "GNOME Web", ""},
	{"Falkon/", "Falkon", ""},
	{"Konqueror/", "Konqueror", ""},
	{"NetFront/", "NetFront", ""},
	{"IEMobile/", "Internet Explorer", ""},
	{"Electron/", "Electron", ""},
	{"Focus/", "Firefox Focus", ""},
	{"Klar/", "Firefox Focus", ""},
	{"FxiOS/", "Firefox", ""},
	{"CriOS/", "Chrome", ""},
	{"Firefox/", "Firefox", ""},
	{"Chromium/", "Chromium", ""},
	{"MSIE ", "Internet Explorer", ""},
	{"Trident/", "Internet Explorer", "rv:"},
	{"; wv)", "Android WebView", "Chrome/"},
	{"Chrome/", "Chrome", ""},
}

// browserOf returns the browser and its version; "" for an app that is none.
func browserOf(ua, os string) (name, version string) {
	for i := range browsers {
		b := &browsers[i]
		at := strings.Index(ua, b.text)
		if at < 0 {
			continue
		}
		if b.version == "" {
			return b.name, versionAt(ua[at+len(b.text):])
		}
		if v := strings.Index(ua, b.version); v >= 0 {
			return b.name, versionAt(ua[v+len(b.version):])
		}
		return b.name, versionAt(ua[at+len(b.text):])
	}
	_, v, _ := strings.Cut(ua, "Version/")
	switch {
	case !strings.Contains(ua, "AppleWebKit/"):
		return "", ""
	case os == "Android":
		return "Android Browser", versionAt(v)
	case v != "" && strings.Contains(ua, "Safari/"):
		return "Safari", versionAt(v)
	case os == "iOS", os == "iPadOS":
		return "iOS WebView", ""
	case os == "macOS":
		return "macOS WebView", ""
	}
	return "", ""
}
