package httpd

import (
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
)

// Kinds of requests to unknown paths that look like those of a tracker. They label the metric.
const (
	strayPrefixed = "prefixed" // a sender's path behind a prefix, such as /ingest/batch
	strayNamed    = "named"    // a word of collectors, such as /j/collect
	strayPost     = "post"     // any other POST outside of the API
)

// strayHints say for each kind what to change.
var strayHints = map[string]string{
	strayPrefixed: "the path of a tracker stands behind a prefix: remove the prefix in the tracker's settings or in the proxy; see docs/sdks.md",
	strayNamed:    "it looks like a tracker that Weir does not support, or that is set up wrong; docs/sdks.md lists the paths",
	strayPost:     "it may be a tracker that is set up wrong; docs/sdks.md lists the paths",
}

// strayWords are parts of the paths of collectors.
var strayWords = map[string]bool{
	"analytics": true, "beacon": true, "capture": true, "collect": true, "collector": true, "decide": true, "engage": true,
	"event": true, "events": true, "gtag": true, "hit": true, "httpapi": true, "identify": true, "ingest": true,
	"matomo.php": true, "piwik.php": true, "pixel": true, "telemetry": true, "track": true, "tracker": true, "tracking": true,
	"analytics.js": true, "gtag.js": true, "matomo.js": true, "piwik.js": true, "script.js": true, "pixel.gif": true,
}

// strays counts requests of trackers to unknown paths, and logs the first one of each kind.
type strays struct {
	counted *prometheus.CounterVec
	logged  map[string]*sync.Once // by kind
	senders map[string]bool       // their paths
	longest int                   // length of the longest of these
}

func newStrays(reg prometheus.Registerer) *strays {
	s := &strays{
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_http_stray_requests_total",
			Help: "Requests to unknown paths that look like those of a tracker, answered 404, by kind.",
		}, []string{"kind"}),
		logged: map[string]*sync.Once{}, senders: map[string]bool{},
	}
	reg.MustRegister(s.counted)
	for kind := range strayHints {
		s.counted.WithLabelValues(kind)
		s.logged[kind] = new(sync.Once)
	}
	for _, rule := range senderRules() {
		path := strings.TrimSuffix(rule.Path, "/{$}")
		s.senders[path], s.longest = true, max(s.longest, len(path))
	}
	return s
}

// kind returns the kind of a request to an unknown path, "" if it does not look like a
// tracker's.
func (s *strays) kind(method, path string) string {
	path = strings.TrimRight(path, "/")
	// Only ends that may be a sender's path are looked up: anybody may send a path of 32 KB of slashes.
	for i := max(1, len(path)-s.longest); i < len(path); i++ {
		if path[i] == '/' && s.senders[path[i:]] {
			return strayPrefixed
		}
	}
	if strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/api/admin/") {
		return ""
	}
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		if strayWords[part] {
			return strayNamed
		}
	}
	if method == http.MethodPost {
		return strayPost
	}
	return ""
}

// unknown answers 404. The answer has CORS headers if the request looks like a tracker's, so
// that the tracker sees the status.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	notFound := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, weir.Errorf(weir.ENOTFOUND, "there is nothing at this path"))
	}))
	if kind := s.strays.kind(r.Method, r.URL.Path); kind != "" {
		s.strays.counted.WithLabelValues(kind).Inc()
		s.strays.logged[kind].Do(func() {
			s.log.WarnContext(r.Context(), "request of a tracker to an unknown path, answered 404; more of this kind are only counted",
				"method", r.Method, "path", r.URL.Path[:min(len(r.URL.Path), 200)], "kind", kind, "hint", strayHints[kind])
		})
		notFound = cors(notFound)
	}
	notFound.ServeHTTP(w, r)
}
