package enrich

import "strings"

// ownCrawlers are texts of health probes, monitors and test tools that crawlers.txt lacks,
// in its form.
const ownCrawlers = `c=kube-probe
c=ELB-HealthChecker
c=GoogleHC
c=GoogleStackdriverMonitoring
c=Consul Health Check
c=Envoy/HC
c^Envoy
c=Amazon-Route53
c=Amazon CloudFront Health
c=Edge Health Probe
c=Load Balancer Agent
c=Azure Traffic Manager
c^AlwaysOn
c=ReadyForRequest
c=Prometheus/
c=New Relic
c=NewRelic
c=Datadog
c=DatadogSynthetics
c=Monit/
c=Pingdom
c=UptimeRobot
c=internal dummy connection
c=Cloudflare-Healthchecks
c=Cloudflare-Traffic-Manager
c=check_http
c=check_curl
c=Nagios
c=Icinga
c=Zabbix
c=Telegraf
c=collectd
c=Blackbox Exporter
c=Grafana Synthetic
c=Elastic-Heartbeat
c=DynatraceSynthetic
c=RuxitSynthetic
c=Catchpoint
c=ThousandEyes
c=AppDynamics
c=Site24x7
c=Checkly
c=Freshping
c=HetrixTools
c=NodePing
c=Uptimia
c=PRTG
c=HeadlessChrome
c=HeadlessEdg
c=HeadlessFirefox
c=PhantomJS
c=SlimerJS
c=HtmlUnit
c=jsdom/
c=Cypress/
c=Playwright
c=Puppeteer
c=Selenium
c=WebDriver
c=TestCafe
c=Nightwatch
c=Happy DOM
c=HappyDOM
`

// monitorWords are the words by which unlisted monitors call themselves.
var monitorWords = map[string]bool{
	"health": true, "healthz": true, "healthcheck": true, "healthchecks": true, "healthchecker": true, "probe": true, "probes": true, "prober": true,
	"monitor": true, "monitors": true, "monitoring": true, "ping": true, "pinger": true, "check": true, "checks": true, "checker": true,
	"uptime": true, "heartbeat": true, "watchdog": true, "liveness": true, "readiness": true,
}

// monitorEndings are the ends of words that mean the same: "sitechecker".
var monitorEndings = [...]string{"monitor", "monitoring", "checker", "pinger", "prober", "healthcheck"}

// appMarks are the texts of apps for people. An app may have "health" in its name.
var appMarks = [...]string{"CFNetwork", "Darwin/", "okhttp", "Dalvik", "Alamofire", "Dart/", "Expo", "Android", "iPhone", "iPad", "iOS", "Mobile"}

// monitorWord finds a word by which a monitor calls itself in the user agent of what names
// no browser. The range is that of the product that has the word.
func monitorWord(ua string) (start, end int, ok bool) {
	for _, mark := range appMarks {
		if strings.Contains(ua, mark) {
			return 0, 0, false
		}
	}
	for i := 0; i < len(ua); {
		if !isLetter(ua[i]) {
			i++
			continue
		}
		j := i + 1 // the end of a word: where letters end, or a capital follows a small letter
		for j < len(ua) && isLetter(ua[j]) && (ua[j]&0x20 != 0 || ua[j-1]&0x20 == 0) {
			j++
		}
		if isMonitorWord(strings.ToLower(ua[i:j])) {
			start, end = i, j
			for start > 0 && isName(ua[start-1]) {
				start--
			}
			for end < len(ua) && isName(ua[end]) {
				end++
			}
			return start, end, true
		}
		i = j
	}
	return 0, 0, false
}

func isMonitorWord(word string) bool {
	if monitorWords[word] {
		return true
	}
	for _, ending := range monitorEndings {
		if strings.HasSuffix(word, ending) {
			return true
		}
	}
	return false
}

// isName says whether c may stand in the name of a product.
func isName(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' || c == '_' || c == '.' }

// withoutAddresses returns the name of a bot without web and mail addresses.
func withoutAddresses(name string) string {
	if !strings.Contains(name, "http") && !strings.Contains(name, "www.") && !strings.Contains(name, "@") {
		return name
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" ;,()<>\"'", r) })
	kept := words[:0]
	for _, w := range words {
		bare := strings.TrimLeft(w, "+-")
		if strings.HasPrefix(bare, "http:") || strings.HasPrefix(bare, "https:") || strings.HasPrefix(bare, "www.") || strings.Contains(w, "@") {
			continue
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ")
}
