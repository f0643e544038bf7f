package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/importer"
	"github.com/weir-analytics/weir/internal/process"
)

// importCmd is "weir import": access logs in, one call event a line out; or other
// vendors' exports in, their events out.
type importCmd struct {
	Files      []string      `arg:"" name:"file" help:"Logs or exports to import, plain, gzip or zstd; exports also as zip; - is standard input."`
	URL        string        `name:"url" default:"http://127.0.0.1:8080" env:"WEIR_URL" help:"Address of the server."`
	Key        string        `name:"key" env:"WEIR_KEY" help:"Write key of the project."`
	Format     string        `name:"format" default:"auto" env:"WEIR_FORMAT" help:"Layout of the logs: auto, a name of the list below, or the server's own format string."`
	Map        string        `name:"map" env:"WEIR_MAP" placeholder:"FIELD=NAME,…" help:"With --format json: where the fields are."`
	Host       string        `name:"host" env:"WEIR_HOST" placeholder:"NAME" help:"Host of the site whose logs these are: links from it are no referrers."`
	From       string        `name:"from" env:"WEIR_FROM" placeholder:"VENDOR" help:"Import another tool's export instead of access logs: posthog, openpanel, plausible, umami, ga4, matomo."`
	Timezone   string        `name:"timezone" default:"UTC" env:"WEIR_TIMEZONE" help:"Timezone of times that name none, such as Europe/Berlin."`
	Forwarded  bool          `name:"forwarded-for" env:"WEIR_FORWARDED_FOR" help:"Take the client's address from X-Forwarded-For where the logs have it, as nginx's main format has."`
	DryRun     bool          `name:"dry-run" env:"WEIR_DRY_RUN" help:"Read and check the logs, send nothing."`
	ShiftToNow bool          `name:"shift-to-now" env:"WEIR_SHIFT_TO_NOW" help:"Move all times so that the latest line falls at now."`
	RetryFor   time.Duration `name:"retry-for" default:"5m" env:"WEIR_RETRY_FOR" help:"How long to try again when the server is away or busy."`
	ID         string        `name:"id" env:"WEIR_IMPORT_ID" placeholder:"NAME" help:"Id that the events are stored with, as import_id; a new one for each run if it is not given."`
	Follow     bool          `name:"follow" short:"f" env:"WEIR_FOLLOW" help:"Go on reading as the logs grow, over rotation and restarts; files may be globs, and need not exist yet."`
	State      string        `name:"state" env:"WEIR_STATE" placeholder:"FILE" help:"With --follow: file that remembers how far each log was read."`
	FromEnd    bool          `name:"from-end" env:"WEIR_FROM_END" help:"With --follow and a new state: leave out what the logs hold already."`
	JSON       bool          `name:"json" env:"WEIR_JSON" help:"Print the report as JSON."`
	Verbose    bool          `name:"verbose" short:"v" env:"WEIR_VERBOSE" help:"Name every rejected line, not only the first 20."`
}

// importFiles is how many open files the import needs besides the logs that it follows: the state, a connection, rotated files.
const importFiles = 64

// Run imports the files and prints a report on stdout. It ends early, after the
// request in flight, when ctx is cancelled.
func (c *importCmd) Run(ctx context.Context, stdout io.Writer) error {
	outliveReaders()
	files, err := process.RaiseOpenFiles()
	if err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	im := &importer.Importer{
		Options: importer.Options(*c), Client: importer.NewClient(), Wait: waitFor,
		Stdin: os.Stdin, Stdout: stdout, Stderr: os.Stderr, Terminal: isatty.IsTerminal(os.Stderr.Fd()),
		MaxOpen: max(1, files-min(importFiles, files/2)),
	}
	err = im.Run(ctx)
	if errors.As(err, new(importer.UsageError)) {
		return misuse(err)
	}
	return err
}

// Help is shown below the usage.
func (*importCmd) Help() string {
	return `Each line of an access log becomes one api_call event. With --from an export of another tool is read instead. A line that cannot be read is named on standard error with its
number and reason, and stops nothing.

Importing a file again adds nothing, and a file that has grown adds only its new lines: an event's id comes from the file's
first line, the line itself, and how many lines like it stand before it. The server knows ids for as long as its duplicate
window, 24 hours unless it is set otherwise; import a file again after that and its lines count twice.

Each run has an id, which the report names and its events are stored with: import_id in filters and breakdowns. So what an import brought can be
looked at alone, or left out. An event that was there before keeps the id that it came with. "weir delete --import ID" undoes an import.

Examples:

    weir import --key KEY /var/log/apache2/access.log
    weir import --key KEY --format nginx /var/log/nginx/access.log*.gz
    zcat old.gz | weir import --key KEY --format common -
    weir import --key KEY --format caddy --dry-run access.json
    weir import --key KEY --format json --map ts=time,path=url,status=code,latency_s=took,ip=client.addr app.log

Exports of PostHog, OpenPanel, Plausible, Umami, Google Analytics 4 (BigQuery) and Matomo become the events that they tell of, with
the devices, users, sessions, pages, campaigns and revenue that they had; docs/import.md says how to export, and what becomes of each
field. JSON lines, JSON arrays and CSV with names of columns are read, also as gzip, zstd or zip. Ids are the vendor's, or hashes as for logs.

    weir import --from posthog --key KEY events-*.jsonl.gz
    weir import --from umami --key KEY export.zip
    weir import --from matomo --key KEY visits-2026-03-01.json
    weir import --from ga4 --dry-run events_20260301.json.gz

With --follow the import continues as the logs grow, until you stop it. A state file remembers what the server has accepted. So a
restart continues where it stopped, and each line counts once: after rotation by rename, after copytruncate if the copy is complete,
and after an outage of the server of any length. Lines that the server did not acknowledge are sent again with the same ids.

    weir import --follow --key KEY --format nginx /var/log/nginx/access.log
    weir import --follow --key KEY --format caddy '/var/log/caddy/*.log'

nginx logs how long a request took if it is told to, behind the fields of its format "combined":

    log_format weir '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent" $request_time';
    access_log /var/log/nginx/access.log weir;

Caddy needs to be told to log at all:

    example.com {
        log {
            output file /var/log/caddy/access.log
        }
    }

Formats of --format: ` + formatNames() + `.
auto takes the first that can read one of a file's first lines, and says which. A format string is one of nginx's log_format or Apache's LogFormat in its
own words, or a line "#Fields: …" of W3C's. A line of another layout is refused.

    weir import --key KEY --format '$remote_addr [$time_local] "$request" $status $request_time' access.log
    weir import --key KEY --format '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D' access.log

Fields of --map, each of which is looked for under its own name when it is not mapped:

    ` + strings.Join(accesslog.MappingFields(), " ") + `

A dotted name reaches into nested objects; of an array the first element is taken. "path" may be a full URL, "request" is
a whole request line, and "ts" is text or a number of seconds, milli-, micro- or nanoseconds since 1970.

The exit status is 0 when every line or record that could be read was delivered, even if others were rejected.`
}

func formatNames() string {
	var names []string
	for _, f := range accesslog.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
