package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/memory"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/process"
	"github.com/weir-analytics/weir/internal/report"
)

// serveCmd is "weir serve".
type serveCmd struct {
	Listen  string `default:"127.0.0.1:8080" env:"WEIR_LISTEN" help:"Address to listen on."`
	Data    string `default:"./data" env:"WEIR_DATA" type:"path" help:"Folder of the embedded stores."`
	Hot     string `env:"WEIR_HOT" placeholder:"URL" help:"Hot tier: pebble:DIR (in --data by default), redis://HOST:PORT, redis+sentinel://H1,H2,H3/MASTER or redis+cluster://H1,H2,H3; rediss with TLS."`
	HotAck  string `default:"master" enum:"master,replica" env:"WEIR_HOT_ACK" help:"When an event is accepted: the Redis master has it, or its replicas too."`
	Cache   string `env:"WEIR_CACHE" placeholder:"URL" help:"Redis that keeps answers, which may evict; in this process by default."`
	Cold    string `env:"WEIR_COLD" placeholder:"URL" help:"Cold tier: duckdb:FILE (in --data by default), or clickhouse://HOST:PORT,…/DATABASE; clickhouses with TLS."`
	Meta    string `env:"WEIR_META" placeholder:"URL" help:"Users, projects and keys: sqlite:FILE (in --data by default), or postgres://USER:PASSWORD@HOST/DATABASE, which nodes on several machines share."`
	KeyRing string `name:"key-ring" env:"WEIR_KEY_RING" type:"path" placeholder:"FILE" help:"File with the keys that encrypt secrets in --meta; DATA/keys by default, made at the first start. All nodes that share a meta store need the same file: copy it."`
	Shards  int    `default:"4" env:"WEIR_SHARDS" help:"Shards of a new hot tier; an existing one keeps its own."`
	MinFree uint64 `default:"256" env:"WEIR_MIN_FREE" help:"Free disk in MiB below which events are refused; 0 for no such limit."`

	Memory         memory.Size `env:"WEIR_MEMORY" placeholder:"SIZE" help:"Memory of the process, such as 512MB or 2GB; 75 % of what the container or the machine has by default."`
	ColdMemory     memory.Size `env:"WEIR_COLD_MEMORY" placeholder:"SIZE" help:"What of it is for the DuckDB file, such as 2GB; by default a share of --memory."`
	AdoptMeta      bool        `env:"WEIR_ADOPT_META" help:"Let this node's users and projects be those of the fleet from now on, after its meta store was replaced; for one start."`
	AdoptHot       bool        `env:"WEIR_ADOPT_HOT" help:"Let this node's hot tier have the events of the shared meta store from now on, after the former one was lost or replaced; for one start."`
	AdoptKeyRing   bool        `env:"WEIR_ADOPT_KEY_RING" help:"Go on with this node's key ring after the fleet's was lost; for one start. Secrets that were encrypted with that one stay unreadable: second factors, webhooks' secrets and the provider's secret are made anew."`
	AcceptMismatch bool        `env:"WEIR_ACCEPT_MISMATCH" help:"Go on with a hot and a cold tier that do not belong together, such as from copies of two moments; for one start. Events stay missing, or count twice."`

	Roles    []string `default:"ingest,drain,query,jobs" env:"WEIR_ROLES" placeholder:"ROLE,…" help:"What this node does: ingest, drain, query, jobs; less than all with --hot redis://… only."`
	Spill    string   `env:"WEIR_SPILL" type:"path" placeholder:"DIR" help:"Folder of a log that takes events while Redis is away; without it they are refused then."`
	SpillMax uint64   `default:"1024" env:"WEIR_SPILL_MAX" help:"Most that may wait in --spill, in MiB."`

	InsecureRedis bool `env:"WEIR_INSECURE_REDIS" help:"Let --hot and --cache be a Redis that asks for no password though it is not on a loopback address: whoever reaches it reads and changes what is there."`

	AuditDays    int    `default:"365" env:"WEIR_AUDIT_DAYS" placeholder:"N" help:"Days that the log of administrative acts is kept for; 0 is as long as there is room for 500,000 entries."`
	AuditAddress string `default:"network" enum:"full,network,off" env:"WEIR_AUDIT_ADDRESS" help:"What it keeps of the address from which an act came: full, network (without its end) or off."`

	ReportAt string `default:"01:00" env:"WEIR_REPORT_AT" help:"Time of day, in each project's timezone, at which the report of the day before is computed; off for none. A project may have its own."`

	DedupWindow time.Duration `default:"24h" env:"WEIR_DEDUP_WINDOW" help:"How long a new hot tier remembers event ids at least; an existing one keeps its own."`

	LimitKey weir.Rate `env:"WEIR_LIMIT_KEY" placeholder:"N/s" help:"Most events by one write key, such as 1000/s, 600/m or 5000/h; any number by default. A project may have its own."`
	LimitIP  weir.Rate `name:"limit-ip" env:"WEIR_LIMIT_IP" placeholder:"N/s" help:"Most requests with events from one address, or one /64 of IPv6; any number by default. A project may have its own."`

	MaxConns int `env:"WEIR_MAX_CONNS" placeholder:"N" help:"Most connections at once, of which one address has an eighth; 0, the default, is one for each 256 KiB of --memory, 4096 at most, or fewer where the limit of open files is low."`

	AdminToken     string   `env:"WEIR_ADMIN_TOKEN" placeholder:"TOKEN" help:"Token of the administrator, 24 characters or more; it replaces the one of the data folder. Without it one is made at the first start and printed once. Better given as WEIR_ADMIN_TOKEN than on the command line."`
	PublicURL      *url.URL `name:"public-url" env:"WEIR_PUBLIC_URL" placeholder:"URL" help:"Address at which people reach the server, such as https://weir.example.com or https://example.com/weir: the page and the API are served under its host and on loopback only, and links lead there. Below its path everything is served too. Needed behind a proxy."`
	TrustedProxies networks `env:"WEIR_TRUSTED_PROXIES" placeholder:"NETWORK,…" help:"Addresses and networks (CIDR) of proxies whose X-Forwarded-For counts; loopback by default."`
	GeoCountry     string   `env:"WEIR_GEO_COUNTRY" type:"path" placeholder:"FILE" help:"Country database (MMDB) instead of the built-in one."`
	GeoCity        string   `env:"WEIR_GEO_CITY" type:"path" placeholder:"FILE" help:"City database (MMDB); without it regions and cities stay empty."`

	tlsFlags      `embed:""`
	OpenMetrics   bool `env:"WEIR_OPEN_METRICS" help:"Show /metrics to everybody who can reach the server. Without it they take an administrator's token, unless the server listens on loopback and has no --public-url."`
	alertFlags    `embed:""`
	OTLPConsumers []string `name:"otlp-consumers" env:"WEIR_OTLP_CONSUMERS" placeholder:"ATTRIBUTE,…" help:"Attributes of spans that name who called, the first that is there; by default weir.consumer, enduser.id, enduser.pseudo.id, user.id."`

	LogLevel  slog.Level `default:"info" env:"WEIR_LOG_LEVEL" help:"debug, info, warn or error."`
	LogFormat string     `default:"text" enum:"text,json" env:"WEIR_LOG_FORMAT" help:"text or json."`
	Demo      bool       `env:"WEIR_DEMO" help:"Add two demo projects that keep moving: a site, from a real access log, and an API that is made up; only on a loopback address. Prints a login with a new password at each start."`
	PprofAddr string     `name:"pprof" env:"WEIR_PPROF" placeholder:"ADDR" help:"Serve Go profiles on this loopback address."`

	// What check makes of the flags.
	hot   backend.Hot
	cold  backend.Cold
	cache backend.Cache // unless Cache is ""
	meta  backend.Meta
	parts memory.Parts // of Memory
}

// Help is shown below the usage.
func (*serveCmd) Help() string {
	return `By default everything runs in this one process, and all data is in the data folder. With --hot redis://… the events that wait are in
Redis, and several nodes may share it; with --cold clickhouse://… too, each of them can drain and answer. SIGTERM or Ctrl-C stops it: requests under way
end, and what was accepted is drained; what cannot be drained in time waits on disk for the next start.

Examples:

    weir serve
    weir serve --demo
    weir serve --listen 0.0.0.0:8080 --data /var/lib/weir
    weir serve --listen :443 --tls-cert cert.pem --tls-key key.pem --public-url https://weir.example.com
    weir serve --hot redis+sentinel://:PASSWORD@s1,s2,s3/mymaster --hot-ack replica
    weir serve --hot redis://:PASSWORD@r1 --roles ingest --spill /var/lib/weir/spill
    weir serve --hot redis://:PASSWORD@r1 --cold clickhouse://weir:PASSWORD@ch1,ch2/weir?cluster=main
    WEIR_ADMIN_TOKEN=… weir serve --log-format json`
}

// Run serves until ctx is done.
func (c *serveCmd) Run(ctx context.Context, stdout io.Writer, stderr logWriter) error {
	outliveReaders()
	log := c.logger(stderr)
	if err := misuse(c.check()); err != nil {
		return err
	}
	backend.BoundMalloc(c.parts.Total < 2*memory.GB)
	process.BoundMemory(c.parts, log)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return c.server(log).run(ctx, listener, stdout)
}

// logWriter is where logs go: standard error.
type logWriter struct{ io.Writer }

func (c *serveCmd) logger(w logWriter) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func (c *serveCmd) check() error {
	for flag, addr := range map[string]string{"listen": c.Listen, "pprof": c.PprofAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil && (addr != "" || flag == "listen") {
			return fmt.Errorf("--%s: want HOST:PORT: %w", flag, err)
		}
	}
	if c.Demo && !loopback(c.Listen) {
		return fmt.Errorf("--demo has a write key that everybody knows: it goes with a loopback --listen only, not %s", c.Listen)
	}
	if c.Demo && !c.has(roleIngest) {
		return errors.New("--demo sends events: it goes with the role ingest")
	}
	if c.PprofAddr != "" && !loopback(c.PprofAddr) {
		return fmt.Errorf("--pprof shows the inside of the process: it takes a loopback address only, not %s", c.PprofAddr)
	}
	if c.DedupWindow < time.Minute {
		return fmt.Errorf("--dedup-window: a minute or more, not %s", c.DedupWindow)
	}
	if c.Shards < 1 || c.Shards > 1024 {
		return fmt.Errorf("--shards: 1 to 1024, not %d", c.Shards)
	}
	if err := checkPublic(c.PublicURL); err != nil {
		return err
	}
	if err := c.tlsFlags.check(); err != nil {
		return err
	}
	if c.AdminToken != "" {
		if err := meta.CheckAdminToken(c.AdminToken); err != nil {
			return fmt.Errorf("--admin-token: %w", err)
		}
	}
	if _, err := report.ParseAt(c.ReportAt); err != nil {
		return fmt.Errorf("--report-at: %w", err)
	}
	// Here already, so that a slip in one leaves no stores behind.
	if err := c.checkStores(); err != nil {
		return err
	}
	if err := c.checkRoles(); err != nil {
		return err
	}
	if err := c.divide(); err != nil {
		return err
	}
	return c.alertFlags.check()
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
