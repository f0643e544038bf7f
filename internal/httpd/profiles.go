package httpd

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// Profiles returns, exports and erases profiles. freshness is how old an answer may be. Errors:
// ENOTFOUND for a profile without any event, EINVALID.
type Profiles interface {
	Profiles(ctx context.Context, p *weir.Project, q insight.ProfilesQuery, freshness time.Duration) (*insight.ProfilePage, error)
	Profile(ctx context.Context, p *weir.Project, profileID string, freshness time.Duration) (*insight.Profile, error)
	// Export writes a JSON object. Before it has written anything an error is an
	// answer's, later it ends in the middle.
	Export(ctx context.Context, p *weir.Project, profileID string, w io.Writer) error
	// Erase erases a profile. by is who asked for it.
	Erase(ctx context.Context, p *weir.Project, profileID, by string) (*insight.Erased, error)
}

type (
	// ProfilePath is a profile of a project. It is exported for huma, as ProjectPath is.
	ProfilePath struct {
		ProjectPath
		Profile string `path:"profile" maxLength:"8192" doc:"the profile's id, percent-encoded"`
	}
	profilesInput struct {
		ProjectPath
		Search    string `query:"search" doc:"part of the id, or of the trait name or email; case counts"`
		Trait     string `query:"trait" doc:"profiles that have this trait"`
		Value     string `query:"value" doc:"and with this value, as text"`
		Limit     int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		Cursor    string `query:"cursor" doc:"next_cursor of the page before"`
		Freshness string `query:"freshness" doc:"how stale the answer may be, in seconds or as 1m30s"`
		valued    bool
	}
	profileInput struct {
		ProfilePath
		Freshness string `query:"freshness" doc:"how stale the answer may be, in seconds or as 1m30s"`
	}
	profileEventsInput struct {
		ProfilePath
		Name      string `query:"name"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
		Cursor    string `query:"cursor" doc:"next_cursor of the page before"`
		Freshness string `query:"freshness" doc:"how stale the answer may be, in seconds or as 1m30s"`
	}
)

// Resolve notes whether a value was given: "" is one.
func (in *profilesInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.valued = u.Query().Has("value")
	return nil
}

const exportRoute = "GET /api/v1/projects/{id}/profiles/{profile}/export"

func (s *Server) mountProfiles() {
	handle(s, huma.Operation{
		OperationID: "list-profiles", Method: "GET", Path: "/api/v1/projects/{id}/profiles", Summary: "Profiles, the one that was seen last first",
	}, s.profiles)
	handle(s, huma.Operation{
		OperationID: "profile", Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}", Summary: "What is known of a profile",
	}, func(ctx context.Context, in *profileInput) (*output[insight.Profile], error) {
		fresh, err := freshnessOf(in.Freshness)
		if err != nil {
			return nil, err
		}
		return passOn(s.cfg.Profiles.Profile(ctx, projectOf(ctx), in.Profile, fresh))
	})
	handle(s, huma.Operation{
		OperationID: "profile-events", Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}/events", Summary: "A profile's events, newest first",
	}, func(ctx context.Context, in *profileEventsInput) (*output[insight.EventPage], error) {
		fresh, err := freshnessOf(in.Freshness)
		if err != nil {
			return nil, err
		}
		return passOn(s.cfg.Insights.Events(ctx, projectOf(ctx), insight.EventsQuery{ProfileID: in.Profile, Name: in.Name, Limit: in.Limit, Cursor: in.Cursor}, fresh))
	})
	handle(s, huma.Operation{
		OperationID: "erase-profile", Method: "DELETE", Path: "/api/v1/projects/{id}/profiles/{profile}", Summary: "Erase a profile",
		Description: "Erases the profile, the devices that are linked to it and the former ids that count under it. A former id alone is not erased: 409. Events are counted as before, without the person. To erase again is no error.",
	}, func(ctx context.Context, in *ProfilePath) (*output[insight.Erased], error) {
		// A client that goes away must not leave it half done.
		return passOn(s.cfg.Profiles.Erase(context.WithoutCancel(ctx), projectOf(ctx), in.Profile, who(ctx)))
	})
	op := huma.Operation{
		OperationID: "export-profile", Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}/export", Summary: "All that is known of a profile",
		Description: "One JSON object: profile, devices, changes of its traits, visits, events, dead_letters. It is streamed; one that is cut off is not valid JSON.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "profile", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{
			"200":     {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(reflect.TypeFor[insight.ProfileExport]())}}},
			"default": s.errorResponse(),
		},
	}
	s.describe(&op)
	s.mux.HandleFunc(exportRoute, s.exportProfile)
	s.api.OpenAPI().AddOperation(&op)
}

// who calls, in the record of an erasure.
func who(ctx context.Context) string { return callOf(ctx).who.name() }

func freshnessOf(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	f, err := parseFreshness(text)
	return time.Duration(f), err
}

func (s *Server) profiles(ctx context.Context, in *profilesInput) (*output[insight.ProfilePage], error) {
	fresh, err := freshnessOf(in.Freshness)
	if err != nil {
		return nil, err
	}
	q := insight.ProfilesQuery{Search: in.Search, Trait: in.Trait, Limit: in.Limit, Cursor: in.Cursor}
	if in.valued {
		q.Value = &in.Value
	}
	return passOn(s.cfg.Profiles.Profiles(ctx, projectOf(ctx), q, fresh))
}

func (s *Server) exportProfile(w http.ResponseWriter, r *http.Request) {
	out := &exporting{w: w, conn: http.NewResponseController(w)}
	err := s.cfg.Profiles.Export(r.Context(), projectOf(r.Context()), r.PathValue("profile"), out)
	switch {
	case err == nil:
	case !out.begun:
		s.fail(w, r, err)
	default:
		s.log.WarnContext(r.Context(), "an export ended in the middle", "request_id", callOf(r.Context()).id, "error", err)
		panic(http.ErrAbortHandler) // cuts the connection, so that nobody takes it for whole
	}
}

// exporting is an answer that may go on for long, as long as the client reads.
type exporting struct {
	w     http.ResponseWriter
	conn  *http.ResponseController
	begun bool
}

const (
	// exportWithin is how long a client may take to read one chunk of exportChunk bytes.
	exportWithin = 30 * time.Second
	exportChunk  = 64 << 10
)

// Write writes the header first, then chunks, each with a deadline of its own.
func (e *exporting) Write(b []byte) (n int, err error) {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Disposition", `attachment; filename="profile.json"`)
	}
	for chunk := range slices.Chunk(b, exportChunk) {
		// The server's own limit is for the whole answer.
		_ = e.conn.SetWriteDeadline(time.Now().Add(exportWithin))
		wrote, err := e.w.Write(chunk)
		if n += wrote; err != nil {
			return n, err
		}
	}
	return n, nil
}
