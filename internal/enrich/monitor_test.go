package enrich_test

import (
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestProbesMonitorsAndTestToolsAreBots(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, ua := range []string{
		"kube-probe/1.29", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "Consul Health Check", "Envoy/HC", "Prometheus/2.51.0", "NewRelicPinger/1.0 (123)", "Datadog/Synthetics",
		"Edge Health Probe", "Load Balancer Agent", "AlwaysOn", "HealthCheck/1.0", "Azure Traffic Manager Endpoint Monitor", "Monit/5.33.0", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
		"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "Apache/2.4.58 (Ubuntu) OpenSSL/3.0.13 (internal dummy connection)",
		"Amazon-Route53-Health-Check-Service (ref 1; report http://amzn.to/1vsZADi)", "check_http/v2.3.3 (nagios-plugins 2.3.3)", "Cloudflare-Healthchecks/1.0",
		"acme-health/1.0", "SiteMonitor", "my_uptime_checker 2", "sitechecker/3 (Linux)", "LivenessProbe", "pinger", "acme healthz", "StatusCheck/1",
		"Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/22.1.0",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Cypress/13.6.0 Chrome/114.0.5735.289 Electron/25.8.4 Safari/537.36",
	} {
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		e.Apply(&in, nil)
		if !in.Event.Bot || in.Event.Browser == "" || strings.Contains(in.Event.Browser, "http:") || strings.Contains(in.Event.Browser, "www.") {
			t.Errorf("%q: bot %t, name %q", ua, in.Event.Bot, in.Event.Browser)
		}
	}
	for _, ua := range []string{
		"HealthApp/3.1 CFNetwork/1490.0.4 Darwin/23.2.0", "Samsung Health/6.2 (Android 14)", "CheckoutApp/2.0", "Pingo/1", "Monitora/1", chrome + " HealthPortal/2",
	} {
		if isBot(e, ua) {
			t.Errorf("%q is taken for a bot", ua)
		}
	}
}

func TestNameOfABotHasNoAddress(t *testing.T) {
	e := open(t, enrich.Options{})
	for ua, want := range map[string]string{
		"Mozilla/5.0 (compatible; https://acme.example/)":                 "unnamed bot",
		"https://acme.example/about":                                      "unnamed bot",
		"Mozilla/5.0 (compatible; Acme http://acme.example; a@b.example)": "Acme",
		"Zorblat/1.0 (+http://acme.example)":                              "Zorblat",
	} {
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		if e.Apply(&in, nil); !in.Event.Bot || in.Event.Browser != want {
			t.Errorf("%q: bot %t, name %q, want %q", ua, in.Event.Bot, in.Event.Browser, want)
		}
	}
}

func TestHarmonyAndInAppBrowsersAreNamed(t *testing.T) {
	e := open(t, enrich.Options{})
	const android = "Mozilla/5.0 (Linux; Android 13; V2183A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/97.0.4692.98 Mobile Safari/537.36 "
	const windows = chrome + " "
	for ua, want := range map[string][2]string{
		"Mozilla/5.0 (PC; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 HuaweiBrowser/5.0.4.300":     {"Huawei Browser", weir.DeviceDesktop},
		"Mozilla/5.0 (2in1; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1":                           {"Chrome", weir.DeviceDesktop},
		"Mozilla/5.0 (Tablet; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1":                         {"Chrome", weir.DeviceTablet},
		"Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0": {"Huawei Browser", weir.DevicePhone},
		android + "baiduboxapp/13.20.0.10 (Baidu; P1 13)":                                      {"Baidu App", weir.DevicePhone},
		android + "Weibo (vivo-V2183A__weibo__13.1.0__android__android13)":                     {"Weibo", weir.DevicePhone},
		android + "MQQBrowser/6.2 TBS/046247 V1_AND_SQ_8.9.3_3060 QQ/8.9.3.10085 NetType/WIFI": {"QQ", weir.DevicePhone},
		android + "MQQBrowser/13.6":                                                            {"QQ Browser", weir.DevicePhone},
		android + "AliApp(AP/10.3.96.8100) AlipayClient/10.3.96.8100 Language/zh-Hans":         {"Alipay", weir.DevicePhone},
		android + "Quark/6.2.2.246":                                                            {"Quark", weir.DevicePhone},
		android + "UCBrowser/15.5.8.1231":                                                      {"UC Browser", weir.DevicePhone},
		windows + "Norton/120.0.0.0":                                                           {"Norton Private Browser", weir.DeviceDesktop},
		windows + "AVG/120.0.0.0":                                                              {"AVG Secure Browser", weir.DeviceDesktop},
	} {
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		e.Apply(&in, nil)
		if got := [2]string{in.Event.Browser, in.Event.DeviceType}; got != want || in.Event.Bot {
			t.Errorf("%s: %q, bot %t, want %q", ua, got, in.Event.Bot, want)
		}
	}
}
