package importer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
	"github.com/weir-analytics/weir/internal/dump"
	"github.com/weir-analytics/weir/internal/enrich"
)

// A batch closes at as many events, or at as many bytes before compression,
// which only lines of many kilobytes reach.
const (
	importBatchEvents = 1000
	importBatchBytes  = 4 << 20
)

// importLine is a place in the input: a line by its number, or with --follow by
// its offset.
type importLine struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Offset *int64 `json:"offset,omitempty"` // bytes
}

func (l importLine) String() string {
	if l.Offset != nil {
		return fmt.Sprintf("%s at byte %d", l.File, *l.Offset)
	}
	return fmt.Sprintf("%s:%d", l.File, l.Line)
}

// importReject is a line that was not taken, and why.
type importReject struct {
	importLine
	Reason string `json:"reason"`
}

// importBatch is what one request carries, and what was found on the way to it.
type importBatch struct {
	body     []byte       // events as NDJSON; compressed once closed
	lines    []importLine // line of each event
	rejects  []importReject
	from, to time.Time // range of the events' times
	records  int       // lines, or records of an export
	left     []string  // why records make no event, one for each that makes none
	notes    []string  // for the user
	once     bool      // the input cannot be read again
	names    []string  // of the events, of an export
}

func (b *importBatch) events() int { return len(b.lines) }

// span widens the range of the events' times.
func (b *importBatch) span(t time.Time) {
	if b.from.IsZero() || t.Before(b.from) {
		b.from = t
	}
	if t.After(b.to) {
		b.to = t
	}
}

// pipeFlush is how long an event of standard input waits for others.
const pipeFlush = time.Second

// importReader makes batches out of lines.
type importReader struct {
	newParser func(took func(accesslog.Format)) (accesslog.Parser, error)
	parser    accesslog.Parser // of the current file
	told      accesslog.Format // the last one that was found out
	shift     time.Duration
	host      string // of lines that name none
	out       chan<- *importBatch

	mu    sync.Mutex // of what follows, when a timer flushes too
	batch *importBatch
	timer *time.Timer
	ended bool
	entry accesslog.Entry
	zip   *gzip.Writer
}

// readAll reads the sources in order. A file that breaks off does not keep the
// next from being read; the first such error is returned at the end.
func (r *importReader) readAll(ctx context.Context, sources []importSource) error {
	r.batch = &importBatch{}
	defer r.end()
	var errs []error
	for _, src := range sources {
		ids := &importIDs{}
		if err := r.open(src.name); err != nil {
			return err
		}
		err := src.each(ctx, func(s *accesslog.Scanner) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.batch.once = r.batch.once || src.r != nil
			r.line(importLine{File: src.name, Line: s.Line()}, s, ids)
			if r.batch.events() >= importBatchEvents || len(r.batch.body) >= importBatchBytes ||
				r.batch.records-r.batch.events() >= importBatchEvents {
				return r.flush(ctx)
			}
			if src.r != nil && r.timer == nil {
				r.timer = time.AfterFunc(pipeFlush, func() { r.flushLate(ctx) })
			}
			return nil
		})
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.flush(ctx); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// open makes the parser of a file. Files of one import may have different formats.
func (r *importReader) open(name string) (err error) {
	r.parser, err = r.newParser(func(f accesslog.Format) {
		if f != r.told { // once for files of one format
			r.batch.notes = append(r.batch.notes, fmt.Sprintf("%s: the format is %s", name, f))
		}
		r.told = f
	})
	return err
}

// flushLate hands on what has waited for more lines.
func (r *importReader) flushLate(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer = nil; !r.ended {
		_ = r.flush(ctx) // it is repeated at the end
	}
}

func (r *importReader) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended = true; r.timer != nil {
		r.timer.Stop()
	}
}

// line adds the scanner's line to the batch, under the next of ids.
func (r *importReader) line(at importLine, s *accesslog.Scanner, ids *importIDs) {
	r.event(at, s.Bytes(), s.TooLong(), ids.next(s.Bytes()))
}

// event adds a line to the batch, as an event of that id or as a reject; err is
// what is wrong with it already.
func (r *importReader) event(at importLine, line []byte, err error, id string) {
	r.batch.records++
	if err == nil {
		err = r.parser.Parse(line, &r.entry)
	}
	if s, ok := errors.AsType[*accesslog.SyntaxError](err); ok && s.LeftOut {
		r.batch.left = append(r.batch.left, s.Reason)
		return
	}
	if err != nil {
		r.batch.rejects = append(r.batch.rejects, importReject{at, err.Error()})
		return
	}
	b, e := r.batch, &r.entry
	e.Time = e.Time.Add(r.shift)
	e.Host = cmp.Or(e.Host, r.host)
	if from := enrich.ReferrerHost(e.Referrer); from != "" && from == enrich.ReferrerHost("http://"+e.Host) {
		e.Referrer = "" // the site itself
	}
	b.span(e.Time)
	b.body = appendCall(b.body, id, e)
	b.body = append(b.body, '\n')
	b.lines = append(b.lines, at)
}

// flush compresses the batch and hands it on. The receiver takes all that come.
func (r *importReader) flush(ctx context.Context) error {
	b := r.batch
	if b.events() == 0 && b.records == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil && !b.once {
		return err
	}
	if err := r.close(b); err != nil {
		return err
	}
	r.out <- b
	return nil
}

// close compresses a batch and begins another.
func (r *importReader) close(b *importBatch) error {
	r.batch = &importBatch{body: make([]byte, 0, cap(b.body))}
	packed, err := r.pack(b.body)
	if err != nil {
		return fmt.Errorf("import: compress: %w", err)
	}
	b.body = packed
	return nil
}

func (r *importReader) pack(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	if r.zip == nil {
		var err error
		if r.zip, err = gzip.NewWriterLevel(&buf, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	r.zip.Reset(&buf)
	if _, err := r.zip.Write(b); err != nil {
		return nil, err
	}
	if err := r.zip.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// appendCall renders an entry as an event of POST /v1/events.
func appendCall(b []byte, id string, e *accesslog.Entry) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, id...)
	b = append(b, `","name":"api_call","ts":"`...)
	b = e.Time.AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
	b = append(b, '"')
	b = dump.AppendMember(b, "path", pathOf(e))
	b = dump.AppendMember(b, "referrer", e.Referrer)
	b = dump.AppendMember(b, "user_agent", e.UserAgent)
	if _, err := netip.ParseAddr(e.IP); err == nil {
		b = dump.AppendMember(b, "ip", e.IP)
	} else if e.IP != "" {
		// A host name: the server cannot derive the device from it, so it is
		// derived here, or all such clients would be one.
		b = dump.AppendMember(b, "device_id", hostDevice(e.IP, e.UserAgent))
	}
	b = append(b, `,"call":{"status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = dump.AppendMember(b, "method", e.Method)
	b = dump.AppendMember(b, "route", e.Path)
	consumer := e.Consumer
	if consumer == "" {
		consumer = e.User
	}
	b = dump.AppendMember(b, "consumer", consumer)
	b = dump.AppendMember(b, "error", e.Error)
	b = dump.AppendMember(b, "trace_id", e.TraceID)
	b = appendNumber(b, "latency_ms", e.LatencyMS)
	b = appendNumber(b, "request_bytes", e.RequestBytes)
	b = appendNumber(b, "response_bytes", e.ResponseBytes)
	b = append(b, '}')
	if e.Host != "" {
		b = append(b, `,"properties":{"host":`...)
		b = append(dump.AppendText(b, e.Host), '}')
	}
	return append(b, '}')
}

// appendNumber appends a member, unless the number is unknown.
func appendNumber(b []byte, name string, n weir.Number) []byte {
	if !n.Known {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendFloat(b, n.Value, 'f', -1, 64)
}

// maxPath is the length of the longest path that the server takes, in bytes.
const maxPath = 2048

// pathOf returns the path of an entry, and the campaign that its query names.
func pathOf(e *accesslog.Entry) string {
	_, query, ok := strings.Cut(e.URI, "?")
	if !ok {
		return e.Path
	}
	if c := enrich.CampaignQuery(query); c != "" && len(e.Path)+1+len(c) <= maxPath {
		return e.Path + "?" + c
	}
	return e.Path
}

func hostDevice(host, userAgent string) string {
	h := sha256.Sum256([]byte(host + "\x00" + userAgent))
	return "h_" + importEncoding.EncodeToString(h[:16])
}

var importEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// importBuckets is how many counters importIDs has: 16 MiB.
const importBuckets = 1 << 22

// importIDs names the lines of one file, so that a line has the same id whenever
// the file is read, and lines that are equal have different ones. An id is a hash
// of the file's first line, which tells one file from another and survives
// renaming and growth, of the line, and of a number that tells equal lines apart.
//
// That number is how many lines before it fell into the same bucket, by hash. It
// need not be the exact count of equal lines: it must only grow from one of them
// to the next and depend on nothing but the file so far, and then lines of any
// number fit into counters of a fixed size, in whatever order they stand. The
// price is that lines cut out of a file's middle may rename a few that follow.
type importIDs struct {
	first   []byte
	buckets []uint32
}

func (ids *importIDs) next(line []byte) string {
	if ids.buckets == nil {
		h := sha256.Sum256(line)
		ids.first = h[:]
		ids.buckets = make([]uint32, importBuckets)
	}
	h := sha256.New()
	h.Write(ids.first)
	h.Write(line)
	var sum [sha256.Size + 4]byte
	h.Sum(sum[:0])
	bucket := &ids.buckets[binary.LittleEndian.Uint64(sum[24:32])%importBuckets]
	if *bucket > 0 {
		binary.LittleEndian.PutUint32(sum[sha256.Size:], *bucket)
		again := sha256.Sum256(sum[:])
		copy(sum[:], again[:])
	}
	*bucket++
	// 128 bits: among 2^40 events the chance of two alike is below 2^-48.
	var id [2 + 26]byte
	copy(id[:], "i_")
	importEncoding.Encode(id[2:], sum[:16])
	return string(id[:])
}
