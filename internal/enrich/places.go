package enrich

import weir "github.com/weir-analytics/weir"

// ownHosts says what kind of place a host is, beside those of hosts.txt. Hosts without
// "www."; other hosts below one of them are not meant (channelOfHost). The names with a
// dotted prefix such as com.google.android.gm are Android apps, which send android-app://
// referrers.
var ownHosts = places(map[string][]string{
	weir.ChannelSearch: {
		"bing.com", "cn.bing.com", "global.bing.com", "www2.bing.com", "www4.bing.com", "duckduckgo.com", "lite.duckduckgo.com", "html.duckduckgo.com", "safe.duckduckgo.com",
		"noai.duckduckgo.com", "start.duckduckgo.com", "ecosia.org", "qwant.com", "lite.qwant.com", "startpage.com", "eu.startpage.com", "us.startpage.com",
		"search.brave.com", "kagi.com", "mojeek.com", "mojeek.co.uk", "swisscows.com", "metager.org", "metager.de",
		"search.marginalia.nu", "marginalia-search.com", "presearch.com", "you.com", "ask.com", "uk.ask.com", "search.aol.com",
		"baidu.com", "image.baidu.com", "wap.baidu.com", "www1.baidu.com", "sogou.com", "pic.sogou.com", "wap.sogou.com", "so.com", "image.so.com", "sm.cn", "so.m.sm.cn", "yz.m.sm.cn", "quark.sm.cn", "haosou.com",
		"naver.com", "search.naver.com", "daum.net", "search.daum.net", "zum.com", "search.zum.com", "goo.ne.jp", "search.seznam.cz", "seznam.cz",
		"ya.ru", "go.mail.ru", "rambler.ru", "nova.rambler.ru", "coccoc.com", "petalsearch.com", "search.yahoo.com", "search.yahoo.co.jp",
		"dogpile.com", "webcrawler.com", "info.com", "searx.be", "ekoru.org", "lilo.org", "search.lilo.org", "karmasearch.org", "oceanhero.today", "search.kagi.com",
		"com.google.android.googlequicksearchbox", "com.duckduckgo.mobile.android", "com.yandex.searchapp", "ru.yandex.searchplugin", "com.microsoft.bing",
	},
	weir.ChannelSocial: {
		"facebook.com", "fb.com", "fb.me", "m.me", "messenger.com", "instagram.com", "threads.net", "threads.com",
		"twitter.com", "t.co", "x.com", "linkedin.com", "lnkd.in", "reddit.com", "redd.it", "out.reddit.com",
		"pinterest.com", "pin.it", "tumblr.com", "tiktok.com", "snapchat.com", "youtube.com", "youtu.be", "vimeo.com",
		"twitch.tv", "discord.com", "discord.gg", "t.me", "telegram.org", "web.telegram.org", "whatsapp.com", "wa.me",
		"vk.com", "vk.ru", "ok.ru", "weibo.com", "weibo.cn", "t.cn", "douyin.com", "xiaohongshu.com", "zhihu.com", "bilibili.com",
		"quora.com", "medium.com", "news.ycombinator.com", "lobste.rs", "stackoverflow.com", "stackexchange.com", "slashdot.org",
		"bsky.app", "mastodon.social", "mastodon.online", "mstdn.social", "fosstodon.org", "hachyderm.io", "lemmy.world", "tildes.net",
		"l.wl.co", "zhuanlan.zhihu.com", "link.zhihu.com", "app.slack.com", "web.whatsapp.com", "b.hatena.ne.jp", "t.umblr.com", "tieba.baidu.com",
		"producthunt.com", "indiehackers.com", "dev.to", "xing.com", "meetup.com", "nextdoor.com", "goodreads.com",
		"line.me", "kakao.com", "band.us", "mixi.jp", "note.com", "hatena.ne.jp", "viber.com", "plurk.com",
		"flipboard.com", "digg.com", "disqus.com", "skype.com", "slack.com", "teams.microsoft.com",
		"com.facebook.katana", "com.facebook.orca", "com.instagram.android", "com.instagram.barcelona", "com.twitter.android",
		"com.linkedin.android", "com.reddit.frontpage", "com.pinterest", "com.zhiliaoapp.musically", "com.snapchat.android",
		"com.google.android.youtube", "org.telegram.messenger", "com.whatsapp", "com.discord", "com.slack", "com.vkontakte.android",
	},
	weir.ChannelEmail: {
		"mail.google.com", "gmail.com", "inbox.google.com", "outlook.com", "outlook.live.com", "outlook.office.com",
		"outlook.office365.com", "outlook.cloud.microsoft", "mail.live.com", "hotmail.com", "mail.yahoo.com", "mail.yahoo.co.jp", "mail.aol.com",
		"mail.proton.me", "protonmail.com", "mail.protonmail.com", "mail.tutanota.com", "mail.tuta.com", "app.tuta.com", "app.fastmail.com", "fastmail.com",
		"mail.zoho.com", "mail.zoho.eu", "mail.zoho.in", "icloud.com", "mail.yandex.ru", "mail.yandex.com", "e.mail.ru", "touch.mail.ru", "light.mail.ru", "octavius.mail.ru",
		"navigator.gmx.net", "navigator-bs.gmx.net", "navigator-lxa.gmx.net", "navigator-bs.gmx.com", "navigator-lxa.mail.com", "3c.gmx.net", "3c-bs.gmx.com", "lightmailer-bs.gmx.net",
		"navigator.web.de", "navigator-bs.web.de", "3c.web.de", "lightmailer-bs.web.de",
		"webmail.freenet.de", "email.t-online.de", "mail.163.com", "mail.126.com", "mail.qq.com", "wx.mail.qq.com", "exmail.qq.com", "qiye.163.com",
		"email.seznam.cz", "mail.naver.com", "mail.daum.net", "app.hey.com", "mail.superhuman.com", "deref-gmx.net", "deref-gmx.com", "deref-web.de", "deref-mail.com", "mailchi.mp",
		"com.google.android.gm", "com.microsoft.office.outlook", "com.yahoo.mobile.client.android.mail", "ch.protonmail.android", "com.samsung.android.email.provider",
	},
	weir.ChannelAI: {
		"chatgpt.com", "chat.openai.com", "perplexity.ai", "claude.ai", "gemini.google.com", "bard.google.com", "notebooklm.google.com",
		"copilot.microsoft.com", "copilot.com", "copilot.cloud.microsoft", "m365.cloud.microsoft", "edgeservices.bing.com", "chat.mistral.ai",
		"chat.deepseek.com", "grok.com", "meta.ai", "poe.com", "phind.com", "chat.qwen.ai", "tongyi.aliyun.com",
		"kimi.com", "kimi.moonshot.cn", "doubao.com", "yiyan.baidu.com", "yuanbao.tencent.com", "chatglm.cn", "character.ai", "pi.ai",
		"duck.ai", "chat.you.com", "andisearch.com", "consensus.app", "aistudio.google.com", "alice.yandex.ru",
		"com.openai.chatgpt", "ai.perplexity.app.android", "com.anthropic.claude", "com.google.android.apps.bard", "com.microsoft.copilot",
	},
})

// familyChannels are domains that give each user, or each server of theirs, a host: all
// hosts below one of them are the same kind of place.
var familyChannels = places(map[string][]string{
	weir.ChannelSearch: {"search.yahoo.com", "search.naver.com"},
	weir.ChannelSocial: {"tumblr.com", "medium.com", "stackexchange.com", "livejournal.com"},
	weir.ChannelEmail:  {"mail.yahoo.com", "mail.live.com", "mail.163.com", "mail.126.com", "list-manage.com", "campaign-archive.com", "createsend.com", "sendgrid.net"},
})

// sourceChannels are the names that people write as utm_source, beside hosts.
var sourceChannels = places(map[string][]string{
	weir.ChannelSearch: {"google", "yandex", "yahoo", "bing", "duckduckgo", "baidu", "ecosia", "qwant", "brave", "kagi"},
	weir.ChannelSocial: {
		"facebook", "fb", "ig", "instagram", "threads", "twitter", "x", "linkedin", "reddit", "pinterest", "tiktok",
		"youtube", "snapchat", "whatsapp", "telegram", "discord", "mastodon", "bluesky", "hackernews", "hn", "producthunt", "vk", "quora",
	},
	weir.ChannelEmail: {"newsletter", "email", "e-mail", "mail", "mailchimp", "gmail", "outlook", "sendgrid", "brevo", "klaviyo", "hubspot"},
	weir.ChannelAI:    {"chatgpt", "openai", "perplexity", "claude", "gemini", "copilot", "mistral", "deepseek", "grok"},
})

// places turns lists by channel into a channel by name.
func places(lists map[string][]string) map[string]string {
	channels := make(map[string]string)
	for channel, names := range lists {
		for _, name := range names {
			channels[name] = channel
		}
	}
	return channels
}
