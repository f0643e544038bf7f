package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what a run measured. Latencies are of requests that were answered
// with 200, in milliseconds, off by less than 1.6 % but for the mean and the
// greatest.
type Report struct {
	Loop        string  `json:"loop"` // "closed" or "open"
	Connections int     `json:"connections"`
	Batch       int     `json:"batch"`
	Rate        float64 `json:"rate,omitempty"` // events a second asked for

	Seconds    float64 `json:"seconds"` // until the last answer
	Requests   int64   `json:"requests"`
	Sent       int64   `json:"sent"` // events
	Accepted   int64   `json:"accepted"`
	Duplicates int64   `json:"duplicates"`
	Rejected   int64   `json:"rejected"`
	// Errors counts requests without a 200, by status or "connection"; what
	// became of their events is unknown.
	Errors  map[string]int64 `json:"errors"`
	Reasons map[string]int64 `json:"reasons"` // of rejected events

	AcceptedPerSecond float64 `json:"accepted_per_second"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	BytesPerEvent     float64 `json:"bytes_per_event"`
	Latency           Latency `json:"latency_ms"`

	Lag                 *Lag      `json:"lag,omitempty"`
	Servers             []*Server `json:"servers,omitempty"`
	Bare                *Bare     `json:"bare,omitempty"`
	GeneratorCPUSeconds float64   `json:"generator_cpu_seconds"`
}

// Latency is a summary in milliseconds.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// Server is what a process of the server used from before the run until all of
// it was visible.
type Server struct {
	PID        int     `json:"pid"`
	Name       string  `json:"name"` // of the program
	CPUSeconds float64 `json:"cpu_seconds"`
	CPUMicros  float64 `json:"cpu_micros_per_event"` // accepted
	RSSBefore  int64   `json:"rss_before"`           // bytes
	RSSAfter   int64   `json:"rss_after"`
	RSSPeak    int64   `json:"rss_peak"` // of the process's whole life

	before Process
}

func newReport(cfg Config) *Report {
	r := &Report{
		Loop: "closed", Connections: cfg.Connections, Batch: cfg.Batch, Rate: cfg.Rate,
		Errors: map[string]int64{}, Reasons: map[string]int64{},
	}
	if cfg.Rate > 0 {
		r.Loop = "open"
	}
	return r
}

func (r *Report) begin(pids []int) error {
	for _, pid := range pids {
		p, err := ReadProcess(pid)
		if err != nil {
			return err
		}
		r.Servers = append(r.Servers, &Server{PID: pid, Name: p.Name, before: p, RSSBefore: p.RSS})
	}
	return nil
}

func (r *Report) finish() error {
	for _, s := range r.Servers {
		p, err := ReadProcess(s.PID)
		if err != nil {
			return err
		}
		s.CPUSeconds = (p.CPU - s.before.CPU).Seconds()
		s.CPUMicros = 1e6 * s.CPUSeconds / float64(max(r.Accepted, 1))
		s.RSSAfter, s.RSSPeak = p.RSS, p.Peak
	}
	return nil
}

// sum adds up the workers.
func (r *Report) sum(l *load, last time.Time) {
	var h Histogram
	var size int64
	for _, w := range l.workers {
		r.Requests += w.requests
		r.Sent += w.sent
		r.Accepted += w.accepted
		r.Duplicates += w.duplicates
		r.Rejected += w.rejected
		size += w.bytes
		h.Merge(&w.latency)
		for k, n := range w.errors {
			r.Errors[k] += n
		}
		for k, n := range w.reasons {
			r.Reasons[k] += n
		}
	}
	r.Seconds = last.Sub(l.start).Seconds()
	if r.Seconds > 0 {
		r.AcceptedPerSecond = float64(r.Accepted) / r.Seconds
		r.RequestsPerSecond = float64(r.Requests) / r.Seconds
	}
	if r.Sent > 0 {
		r.BytesPerEvent = float64(size) / float64(r.Sent)
	}
	r.Latency = Latency{
		Mean: millis(h.Mean()), P50: millis(h.Quantile(0.50)), P95: millis(h.Quantile(0.95)),
		P99: millis(h.Quantile(0.99)), Max: millis(h.Max()),
	}
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s  %s\n", name, fmt.Sprintf(format, args...))
	}
	load := fmt.Sprintf("%s loop, %d connections, %d events a request", r.Loop, r.Connections, r.Batch)
	if r.Rate > 0 {
		load += fmt.Sprintf(", %.0f events/s asked for", r.Rate)
	}
	row("load", "%s, %.0f bytes an event, %.1f s", load, r.BytesPerEvent, r.Seconds)
	row("accepted", "%d events, %.0f/s", r.Accepted, r.AcceptedPerSecond)
	row("requests", "%d, %.0f/s", r.Requests, r.RequestsPerSecond)
	row("latency", "mean %.2f  p50 %.2f  p95 %.2f  p99 %.2f  max %.2f ms",
		r.Latency.Mean, r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max)
	row("duplicates", "%d", r.Duplicates)
	row("rejected", "%d%s", r.Rejected, counted(r.Reasons))
	failed := int64(0)
	for _, n := range r.Errors {
		failed += n
	}
	row("errors", "%d%s", failed, counted(r.Errors))
	if l := r.Lag; l != nil {
		if l.Complete {
			row("lag", "%.3f s until a query saw all %d (%d asked, the last took %.1f ms)", l.Seconds, l.Expected, l.Queries, l.QueryMS)
		} else {
			row("lag", "after %.1f s a query saw %d of %d", l.Seconds, l.Seen, l.Expected)
		}
		if l.Seen > l.Expected {
			row("", "%d more than were accepted: others send too, or answers were lost", l.Seen-l.Expected)
		}
	}
	for _, s := range r.Servers {
		row("server", "%s: %.2f s CPU, %.2f us an event, RSS %.1f MB before, %.1f MB after, %.1f MB at most",
			s.Name, s.CPUSeconds, s.CPUMicros, megabytes(s.RSSBefore), megabytes(s.RSSAfter), megabytes(s.RSSPeak))
	}
	if b := r.Bare; b != nil {
		row("bare", "a handler that does nothing took %.0f/s with %.2f us CPU an event: a share of %.2f", b.AcceptedPerSecond, b.CPUMicros, b.Share)
	}
	row("generator", "%.2f s CPU", r.GeneratorCPUSeconds)
	_, err := io.WriteString(w, b.String())
	return err
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// counted lists counts by name, as " (a 1, b 2)".
func counted(m map[string]int64) string {
	if len(m) == 0 {
		return ""
	}
	var parts []string
	for k, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
