package dump

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
)

// posthog reads events as PostHog's batch exports and file downloads write them
// as JSON lines, as its events API answers them, and its CSV exports. What they
// mean is package wire's to say, as of events that are sent.
// Source: posthog.com/docs/data-pipelines/batch-exports/s3 (model "events"),
// posthog.com/docs/api/events, posthog/tasks/exports/csv_exporter.py.
type posthogExport struct{}

func (posthogExport) pages() ([]string, string) {
	return []string{"next", "previous", "results"}, "results"
}

func (posthogExport) fits(r row) bool {
	r = posthogRow(r)
	return r.has("event", "distinct_id", "timestamp") || r.has("event", "distinct_id", "uuid")
}

func (posthogExport) wanted() string {
	return "JSON lines or CSV with event, distinct_id, timestamp and properties"
}

// posthogRow makes one of the names in a CSV, "*.event" and "properties.$os",
// which flatten what is nested.
func posthogRow(r row) row {
	var out map[string]any
	for name := range r.fields {
		if strings.HasPrefix(name, "*.") || strings.HasPrefix(name, "properties.") {
			out = map[string]any{}
			break
		}
	}
	if out == nil {
		return r
	}
	properties := map[string]any{}
	for name, v := range r.fields {
		name = strings.TrimPrefix(name, "*.")
		if key, ok := strings.CutPrefix(name, "properties."); ok {
			if v != "" {
				properties[key] = v
			}
			continue
		}
		out[name] = v
	}
	if _, ok := out["properties"]; !ok {
		out["properties"] = properties
	}
	return row{out, r.zone}
}

// posthogLeft are events that Weir does not keep, in words; others by their names.
var posthogLeft = map[string]string{
	"$snapshot": "replay", "$snapshot_items": "replay", "$performance_event": "performance events", "$$heatmap": "heatmaps", "$$client_ingestion_warning": "ingestion warnings",
}

func (posthogExport) read(r row, out *recordEvents) error {
	event, err := posthogEvent(posthogRow(r))
	if err != nil {
		return err
	}
	in, rejected, err := posthog.DecodeExported(event, limits)
	switch {
	case err != nil:
		return err
	case rejected != nil:
		return out.refuse(rejected.Reason, rejected.Detail)
	}
	for i := range in {
		e, s := &in[i].Event, &in[i].Source
		if s.Reported { // $ip is the server's
			s.IP, s.UserAgent = "", ""
		}
		if s.Named && e.DeviceID == "" { // an app's, whose session is not known here
			e.DeviceID = e.ProfileID
		}
		s.Reported, s.Client, s.Named = false, false, false // the importer sends them
		agent(e, e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType)
	}
	out.set(in)
	return nil
}

// posthogEvent is a row as the object that package wire reads, whichever form
// the export has.
func posthogEvent(r row) ([]byte, error) {
	p := r.object("properties")
	event := map[string]any{"event": r.fields["event"], "properties": p.fields}
	put(event, "uuid", r.text("uuid", "id"))
	if _, left := posthogLeft[r.text("event")]; !left {
		at, err := r.time("timestamp", "created_at")
		if err != nil {
			return nil, err
		}
		event["timestamp"] = at.Format(time.RFC3339Nano)
	}
	for _, name := range []string{"$distinct_id", "distinct_id"} {
		if who := r.fields[name]; who != nil && who != "" {
			event["distinct_id"] = who
		}
	}
	if chain := r.text("elements_chain"); chain != "" && r.text("event") == "$autocapture" {
		p.fields["$elements_chain"] = chain
	}
	posthogTraits(event, r)
	posthogTraits(p.fields, p)
	text, err := encode(mend(event, 0))
	if err != nil {
		return nil, fmt.Errorf("properties: %w", err)
	}
	return text, nil
}

// posthogTraits sets what is nested, and is text in CSV.
func posthogTraits(to map[string]any, from row) {
	for _, name := range []string{"$set", "$set_once", "$group_set"} {
		if o := from.object(name).fields; len(o) > 0 {
			to[name] = o
		}
	}
	if l := from.list("$unset"); len(l) > 0 {
		to["$unset"] = l
	} else if name := from.text("$unset"); name != "" {
		to["$unset"] = []any{name}
	}
}

// refuse says why package wire makes no event of a row.
func (b *recordEvents) refuse(reason, detail string) error {
	switch reason {
	case wire.ReasonUnsupported:
		if what, ok := posthogLeft[detail]; ok {
			detail = what
		}
		b.skip(detail)
		return nil
	case wire.ReasonIDMissing:
		return errors.New("there is no distinct_id")
	case wire.ReasonNameMissing:
		return errNoName
	case wire.ReasonTimeInvalid:
		return errBadTime
	}
	return fmt.Errorf("%s: %s", reason, detail)
}
