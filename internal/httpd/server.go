// Package httpd is Weir over HTTP: routes, who may use which, JSON and its
// errors, the stream of live events, and the dashboard's files.
//
// A request passes through, in this order: serve (request id, address, log,
// metrics, panics), the mux, CORS on the routes of senders, admit (the only place that
// decides who may do what, from the table in rules.go), its handler. Senders of events are
// admitted by package receive, since their key may be in the body.
//
// The package has over 3,500 lines because it has every route of the API: a file or two for
// each resource, which share only admission, errors and the OpenAPI document.
package httpd

import (
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/outage"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/protocols"
	"golang.org/x/time/rate"
)

// Config is what a Server serves, and its limits. Zero limits mean the default
// that their comment names.
type Config struct {
	Directory Directory
	Limiter   fleet.Limiter // of attempts to sign in; nil is one of the server's own
	Ingest    receive.Ingester
	Usage     Usage
	Stats     Stats
	Insights  Insights
	Reports   Reports
	Alerts    Alerts
	Profiles  Profiles
	Deletions Deletions
	Live      Live
	UI        fs.FS                // the built dashboard; without index.html a page says how to build it
	Metrics   *prometheus.Registry // gets the server's metrics, and is what /metrics shows; nil is a fresh one
	Checks    []Check              // for /readyz and the status
	Logger    *slog.Logger         // nil is slog.Default
	Clock     weir.Clock
	Version   string

	// Opening says that not all stores are open yet: until Open, senders are served
	// and nobody else.
	Opening bool

	// Status is for /api/admin/status; with nil its fields are empty. It ends soon, and is safe
	// for concurrent use.
	Status func(ctx context.Context) (Status, error)

	Protocols []wire.Protocol // of senders; nil is protocols.All(nil). Their routes are the same in any case
	Budget    *wire.Budget    // bounds the memory of requests with events; nil is one of wire.DefaultBudget

	RateLimiter *ingest.Limiter // of what senders send; nil: no rates
	LimitIP     weir.Rate       // requests of senders from one address, of projects that have no rate of their own

	// PublicURL is the address at which people reach the server, nil when it is not known.
	// The page and the API serve its host, and loopback's names; with AnyHost any.
	// Everything is served below its path too.
	PublicURL *url.URL
	AnyHost   bool

	// Place describes where a request comes from, for the list of a user's sessions; nil
	// leaves device and country empty.
	Place func(ip, userAgent string) (device, country string)

	// Mail sends a mail; nil is no mail server.
	Mail func(ctx context.Context, m Mail) error
	// Bus tells the other nodes that somebody's access ended; nil without other nodes.
	Bus fleet.Bus

	// OpenMetrics shows /metrics to everybody; otherwise it takes an administrator of the server.
	OpenMetrics bool

	SetupCode string // lets its holder set the server up; "" is none: the admin token does
	DeviceKey []byte // signs the cookies of browsers that signed in; nil is a random one, which a restart forgets

	AuditAddress   string         // what the audit log keeps of addresses: AddressFull, AddressNetwork (the default) or AddressOff
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts; nil is loopback
	NewRequestID   func() string  // nil is 128 random bits

	MaxIngestBody int64         // bytes of an ingest request as sent; 20 MiB
	MaxBody       int64         // bytes of any other request; 1 MiB
	Heartbeat     time.Duration // between comments on a quiet live stream; 15 s
	LiveFor       time.Duration // until a live stream ends, so that the client asks anew; 1 h
	LiveLook      time.Duration // between looks at whether a live stream's client may still have it; 5 s
	LiveStreams   int           // live streams at once; 1000
	LiveOfProject int           // of one project; 500
	LiveOfUser    int           // of one user or token; 20
	LiveOfShare   int           // of one shared link; 100
	DrainTimeout  time.Duration // for requests under way when Run stops; 10 s
}

// Server is the HTTP server.
type Server struct {
	cfg      Config
	log      *slog.Logger
	mux      *guardedMux
	api      huma.API
	guesses  *throttle
	receiver *receive.Receiver
	proxies  []netip.Prefix
	strange  sync.Once // of the warning of proxies that are not trusted
	metrics  *metrics
	ui       *ui
	base     string // path of PublicURL, such as "/weir"; "" is none
	strays   *strays
	origin   *http.CrossOriginProtection
	devices  devices
	streams  streams
	letters  letters
	notices  letters // apart, so that no stranger who asks for mails keeps a notice back
	provided providers
	began    time.Time

	unavailable rate.Sometimes // the log of refusals of unavailable parts

	opened   atomic.Bool   // all is there, for all
	notReady []*outage.Log // by check

	stopping chan struct{} // closed when Run begins to stop
	stopOnce sync.Once
}

// New makes a server. It panics when a route lacks its rule or a rule its
// route, and when Metrics holds another server's metrics.
func New(cfg Config) *Server {
	setDefaults(&cfg)
	s := &Server{
		cfg:      cfg,
		log:      cfg.Logger,
		proxies:  cfg.TrustedProxies,
		metrics:  newMetrics(cfg.Metrics),
		ui:       newUI(cfg.UI, basePath(cfg.PublicURL)),
		base:     basePath(cfg.PublicURL),
		strays:   newStrays(cfg.Metrics),
		origin:   ownOrigin(cfg.PublicURL),
		streams:  streams{users: cfg.LiveOfUser, shares: cfg.LiveOfShare, projects: cfg.LiveOfProject, server: cfg.LiveStreams, open: map[string]int{}, again: make(chan struct{})},
		began:    cfg.Clock.Now(),
		stopping: make(chan struct{}),

		unavailable: rate.Sometimes{First: 3, Interval: 10 * time.Second},
	}
	for range cfg.Checks {
		s.notReady = append(s.notReady, outage.New(cfg.Logger, cfg.Clock.Now, "not ready", "ready again"))
	}
	if !cfg.Opening {
		s.Open(func(*Config) {})
	}
	s.receiver = s.newReceiver()
	s.mux = newGuardedMux(s)
	s.api = humago.New(s.mux, openAPIConfig(cfg.Version))
	s.mountOps()
	s.mountSenders()
	s.mountSnippet()
	s.mountAccount()
	s.mountOwnAccount()
	s.mountSecondFactor()
	s.mountProvider()
	s.mountSignIn()
	s.mountPeople()
	s.mountInvitations()
	s.mountProjects()
	s.mountProjectDeletion()
	s.mountMembers()
	s.mountTokens()
	s.mountShares()
	s.mountAudit()
	s.mountAdmins()
	s.mountUsage()
	s.mountStats()
	s.mountInsights()
	s.mountSQL()
	s.mountDiscovery()
	s.mountActions()
	s.mountReports()
	s.mountProfiles()
	s.mountDeletions()
	s.mountLive()
	s.mountAlerts()
	s.mountStatus()
	s.mountOpenAPI() // last: it shows the others
	s.mux.complete()
	return s
}

// Open lets everybody in, after complete has set what Config lacked. It changes no
// part that senders need: those are being served.
func (s *Server) Open(complete func(*Config)) {
	complete(&s.cfg)
	s.devices = devices{s.cfg.DeviceKey}
	s.guesses = newThrottle(s.cfg.Limiter, s.cfg.Clock, s.cfg.Logger, s.metrics)
	s.cfg.Directory.OnChange(func() { s.accessEnded(context.Background()) })
	s.opened.Store(true)
}

// starting returns errStarting for a route that is not served before Open, otherwise nil.
func (s *Server) starting(n Need) error {
	if n == Public || n == Scraper && s.cfg.OpenMetrics || n == WriteKey || n == Sender || s.opened.Load() {
		return nil
	}
	return errStarting
}

func setDefaults(c *Config) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.TrustedProxies == nil {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	if c.Protocols == nil {
		c.Protocols = protocols.All(nil)
	}
	if c.NewRequestID == nil {
		c.NewRequestID = rand.Text
	}
	if c.DeviceKey == nil {
		c.DeviceKey = []byte(rand.Text())
	}
	def(&c.MaxIngestBody, 20<<20)
	def(&c.MaxBody, 1<<20)
	def(&c.Heartbeat, 15*time.Second)
	def(&c.LiveFor, time.Hour)
	def(&c.LiveLook, 5*time.Second)
	def(&c.LiveStreams, 1000)
	def(&c.LiveOfProject, 500)
	def(&c.LiveOfUser, 20)
	def(&c.LiveOfShare, 100)
	def(&c.DrainTimeout, 10*time.Second)
}

// def sets v to d unless it is positive.
func def[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Handler is the server without its listener.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Run serves on l, as a Front that passes everything to the server.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	f := &Front{Logger: s.log, Within: s.cfg.DrainTimeout}
	f.Pass(s)
	return f.Run(ctx, l)
}
