package httpd

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

func (s *Server) mountIngest() {
	s.mux.HandleFunc("POST /v1/events", s.ingest)
	s.mux.HandleFunc("POST /v1/events/{$}", s.ingest)
	s.mux.HandleFunc("OPTIONS /v1/events", preflight)
	s.mux.HandleFunc("OPTIONS /v1/events/{$}", preflight)
	s.documentIngest()
}

func preflight(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// ingest is the hot route: no schema, no session, no reflection but for
// rejections.
func (s *Server) ingest(w http.ResponseWriter, r *http.Request) {
	c := callOf(r.Context())
	reply, err := s.cfg.Ingest.Ingest(r.Context(), c.project,
		http.MaxBytesReader(w, r.Body, s.cfg.MaxIngestBody), r.Header.Get("Content-Encoding"),
		ingest.Remote{
			IP: c.ip, UserAgent: r.UserAgent(), Key: c.key, Historical: historical(r),
			Page: r.Header.Get("Origin") != "", SentAt: sentAt(r),
		})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	status, body := http.StatusOK, make([]byte, 0, 128)
	if reply.Refuses() {
		status, body = http.StatusBadRequest, appendRefusal(body, reply)
	}
	body, err = appendReply(body, reply)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	setStanding(h, c.standing, reply.Standing)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who does not read it sends again, and is told of duplicates
}

// IngestRefusal describes the answer to a request whose events were all rejected.
type IngestRefusal struct {
	Content ErrorContent `json:"error"`
	ingest.Reply
}

// appendRefusal begins the answer to a request whose events were all rejected: an
// error as all others, and then what a success has.
func appendRefusal(b []byte, reply ingest.Reply) []byte {
	first := reply.Rejected[0]
	message := "no event was taken; the first one: " + first.Reason
	if first.Detail != "" {
		message += " (" + first.Detail + ")"
	}
	text, _ := json.Marshal(ErrorContent{Code: weir.EINVALID, Message: message}) // texts always marshal
	return append(append(append(b, `{"error":`...), text...), ',')
}

// appendReply writes what json.Marshal would, with an empty array for none
// rejected. b is empty, or an object that another member may follow.
func appendReply(b []byte, reply ingest.Reply) ([]byte, error) {
	if len(b) == 0 {
		b = append(b, '{')
	}
	b = strconv.AppendInt(append(b, `"accepted":`...), int64(reply.Accepted), 10)
	b = strconv.AppendInt(append(b, `,"duplicates":`...), int64(reply.Duplicates), 10)
	b = append(b, `,"rejected":`...)
	if len(reply.Rejected) == 0 {
		return append(b, "[]}\n"...), nil
	}
	rejected, err := json.Marshal(reply.Rejected)
	if err != nil {
		return nil, weir.Wrap(err, weir.EINTERNAL, "internal error")
	}
	return append(append(b, rejected...), "}\n"...), nil
}

// historical says whether the sender imports a log.
func historical(r *http.Request) bool {
	v := r.Header.Get("X-Weir-Historical")
	if v == "" && r.URL.RawQuery != "" {
		v = r.URL.Query().Get("historical")
	}
	on, err := strconv.ParseBool(v)
	return err == nil && on
}

// sentAt is when the sender's clock says that it sent the request, zero when the
// sender does not say.
func sentAt(r *http.Request) time.Time {
	if r.URL.RawQuery == "" {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(r.URL.Query().Get("sent_at"), 10, 64)
	if err != nil || ms <= 0 || ms > maxSentAt {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// maxSentAt is in the year 5138, in milliseconds: a clock is never so wrong, and
// sums of such times do not overflow.
const maxSentAt = 1e14

func (s *Server) documentIngest() {
	event := s.schema(reflect.TypeFor[SentEvent]())
	many := &huma.Schema{Type: huma.TypeArray, Items: event}
	op := s.answering(huma.Operation{
		OperationID: "send-events",
		Method:      http.MethodPost,
		Path:        "/v1/events",
		Summary:     "Send events",
		Description: "One event, an array of them, an object with them as events, or one per line. gzip and zstd are read. " +
			"A 200 means that the accepted events are durable; a rejected one does not hold the others up. " +
			"When all are rejected and none is a duplicate, the answer is 400, with an error and the reasons. " +
			"A 429 with rate_limited or quota_exceeded took nothing: send the same again after Retry-After. " +
			"A rejected event with the reason quota_exceeded is of a month that is used up: send it again when the month is over.",
		Parameters: []*huma.Param{
			{Name: "key", In: "query", Description: "the write key, for senders that can set no header", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "sent_at", In: "query", Description: "when this is sent by the sender's clock, in milliseconds since 1970: a clock that is over a minute wrong is corrected for", Schema: &huma.Schema{Type: huma.TypeInteger}},
			{Name: "X-Weir-Historical", In: "header", Description: "true for a log's events, long past", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{event, many, {
				Type: huma.TypeObject, Properties: map[string]*huma.Schema{"events": many}, Required: []string{"events"},
			}}}},
			"application/x-ndjson": {Schema: event},
		}},
	}, reflect.TypeFor[ingest.Reply]())
	op.Responses["400"] = &huma.Response{
		Description: "All events were rejected, or the body cannot be read",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			AnyOf: []*huma.Schema{s.schema(reflect.TypeFor[IngestRefusal]()), s.schema(reflect.TypeFor[Error]())},
		}}},
	}
	s.describe(&op)
	op.Security = securityOf(WriteKey)
	s.api.OpenAPI().AddOperation(&op)
}
