package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
)

const (
	liveRoute = "GET /api/v1/projects/{id}/live"
	// writeWithin is how long a live client may take to read what it was sent.
	writeWithin = 10 * time.Second
	// reconnectAfter is when a client should come back, in milliseconds.
	reconnectAfter = 3000
)

func (s *Server) mountLive() {
	op := huma.Operation{
		OperationID: "live", Method: "GET", Path: "/api/v1/projects/{id}/live", Summary: "Stream what happens",
		Description: "Server-sent events: received (an event was accepted), saved (a batch was committed), presence (who is here). " +
			"A client that reads too slowly misses some. For those who may not see people, received has a count and no events. The stream ends when who opened it may not read the project any more.",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{
			"200":     {Description: "OK", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: s.streamSchema()}}},
			"default": s.errorResponse(),
		},
	}
	s.describe(&op)
	s.mux.HandleFunc(liveRoute, s.live)
	s.api.OpenAPI().AddOperation(&op)
}

// streamSchema describes a stream as the array of its messages, as huma's package sse does.
func (s *Server) streamSchema() *huma.Schema {
	message := &huma.Schema{}
	for _, m := range []struct {
		event string
		data  reflect.Type
	}{
		{live.TypeReceived, reflect.TypeFor[live.Received]()},
		{live.TypeSaved, reflect.TypeFor[live.Saved]()},
		{live.TypePresence, reflect.TypeFor[live.Presence]()},
	} {
		message.OneOf = append(message.OneOf, &huma.Schema{
			Type: huma.TypeObject, Required: []string{"event", "data"},
			Properties: map[string]*huma.Schema{"event": {Type: huma.TypeString, Enum: []any{m.event}}, "data": s.schema(m.data)},
		})
	}
	return &huma.Schema{Type: huma.TypeArray, Items: message, Description: "the messages of the stream, each with its event and, as JSON, its data"}
}

func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	c := callOf(r.Context())
	leave, by, err := s.streams.enter(c.who, c.project.ID)
	if err != nil {
		s.metrics.streamsRefused.WithLabelValues(by).Inc()
		s.fail(w, r, err)
		return
	}
	defer leave()
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()

	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.LiveFor)
	defer cancel()
	events, err := s.cfg.Live.Subscribe(ctx, projectOf(ctx))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	again := s.streams.look()
	if err := c.readmit(); err != nil { // for what changed before
		s.fail(w, r, err)
		return
	}
	st := &stream{w: w, conn: http.NewResponseController(w)}
	if err := st.begin(); err != nil {
		return // the client is gone
	}
	beat, look := time.NewTicker(s.cfg.Heartbeat), time.NewTicker(s.cfg.LiveLook)
	defer beat.Stop()
	defer look.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			select {
			case <-again: // before the event, which the reader may have lost the right to see
				again = s.streams.look()
				err = c.readmit()
			default:
			}
			if err != nil {
				break
			}
			if !c.may.Has(weir.ScopePersons) {
				e = withoutPersons(e)
			}
			data, bad := json.Marshal(e.Data) // on one line
			if bad != nil {
				s.log.ErrorContext(ctx, "live event left out", "type", e.Type, "error", bad)
				continue
			}
			err = st.write(len(events) == 0, "event: %s\ndata: %s\n\n", e.Type, data)
		case <-beat.C:
			err = st.comment()
		case <-again:
			again = s.streams.look()
			err = c.readmit()
		case <-look.C:
			// A session that was ended, a token that was revoked, a role that was taken away.
			err = c.readmit()
		case <-ctx.Done():
			return
		case <-s.stopping:
			return
		}
		if err != nil {
			s.log.DebugContext(ctx, "live stream ended", "request_id", callOf(ctx).id, "error", err)
			return
		}
	}
}

// withoutPersons returns a stream's event for those who may not see people.
func withoutPersons(e live.Event) live.Event {
	if e.Type != live.TypeReceived {
		return e
	}
	var r live.Received
	switch data := e.Data.(type) {
	case live.Received:
		r = data
	case json.RawMessage: // of another node
		_ = json.Unmarshal(data, &r) // a message that cannot be read has no count
	}
	r.Events = []insight.EventItem{}
	e.Data = r
	return e
}

// stream writes server-sent events (WHATWG HTML, section 9.2).
type stream struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

func (st *stream) begin() error {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx: pass on at once
	st.w.WriteHeader(http.StatusOK)
	return st.write(true, "retry: %d\n\n", reconnectAfter)
}

// comment keeps proxies from taking the connection for dead, and finds out
// whether it is.
func (st *stream) comment() error { return st.write(true, ":\n\n") }

func (st *stream) write(flush bool, format string, args ...any) error {
	// In place of the server's limit, which is for answers that end. A test's
	// writer may have no deadlines; a connection's has.
	_ = st.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := fmt.Fprintf(st.w, format, args...); err != nil {
		return err
	}
	if !flush {
		return nil
	}
	return st.conn.Flush()
}
