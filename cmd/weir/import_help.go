package main

import (
	"strings"

	"github.com/weir-analytics/weir/internal/accesslog"
)

// Help is shown below the usage.
func (*importCmd) Help() string {
	return `Each line of an access log becomes one api_call event. With --from an export of another tool is read instead. A line that cannot be read is named on standard error with its
number and reason, and stops nothing.

Importing a file again adds nothing, and a file that has grown adds only its new lines: an event's id comes from the file's
first line, the line itself, and how many lines like it stand before it. The server knows ids for as long as its duplicate
window, 24 hours unless it is set otherwise; import a file again after that and its lines count twice.

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

With --follow it goes on as the logs grow, until it is told to stop. What the server has taken is remembered in a state file, so
that a restart goes on where it was, and each line counts once: over rotation by rename, over copytruncate as far as the copy has
what was there, and while the server is away, for however long. Lines that were sent and not acknowledged are sent again under the
same ids.

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

Fields of --map, each of which is looked for under its own name when it is not mapped:

    ` + strings.Join(accesslog.MappingFields(), " ") + `

A dotted name reaches into nested objects; of an array the first element is taken. "path" may be a full URL, "request" is
a whole request line, and "ts" is text or a number of seconds, milli-, micro- or nanoseconds since 1970.

The exit status is 0 when every line or record that could be read was delivered, even if others were rejected.`
}
