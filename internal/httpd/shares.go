package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// ShareBody is a shared link.
type ShareBody struct {
	ID         string      `json:"id"`
	What       string      `json:"what" enum:"overview,live" doc:"what it shows"`
	URL        string      `json:"url,omitempty" doc:"the link: who has it sees that; missing if the key ring that encrypted it is lost"`
	Password   bool        `json:"password" doc:"it takes a password too"`
	Origins    []string    `json:"origins" nullable:"false" doc:"hosts of pages that may embed it; none: it is not embedded"`
	EndsAt     *time.Time  `json:"ends_at,omitempty" doc:"missing: it does not end"`
	CreatedAt  time.Time   `json:"created_at"`
	CreatedBy  *PersonBody `json:"created_by,omitempty" doc:"missing: a token that is nobody's made it"`
	LastUsedAt *time.Time  `json:"last_used_at,omitempty" doc:"to the minute; missing: nobody used it yet"`
}

// PersonBody is a user as colleagues see one.
type PersonBody struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

type (
	sharesOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Shares []ShareBody `json:"shares" nullable:"false" doc:"newest first, those that have ended too"`
		}
	}
	shareOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         ShareBody
	}
	createShareInput struct {
		ProjectPath
		Body struct {
			What     string     `json:"what" enum:"overview,live" doc:"what it shows"`
			Password string     `json:"password,omitempty" doc:"that the link takes too: at least 10 characters"`
			Origins  []string   `json:"origins,omitempty" maxItems:"20" doc:"hosts of pages that may embed it, such as blog.example, *.blog.example or localhost:3000"`
			EndsAt   *time.Time `json:"ends_at,omitempty" doc:"missing: it does not end"`
		}
	}
	// SharePath is a shared link of a project. It is exported for huma, as ProjectPath is.
	SharePath struct {
		ProjectPath
		Share string `path:"share" doc:"the shared link's id"`
	}
	changeShareInput struct {
		SharePath
		Body struct {
			Password   string     `json:"password,omitempty" doc:"a new one: who gave the former one has to give it"`
			NoPassword bool       `json:"no_password,omitempty" doc:"true takes the password off"`
			Origins    *[]string  `json:"origins,omitempty" nullable:"false" maxItems:"20" doc:"in the place of those before; [] for none"`
			EndsAt     *time.Time `json:"ends_at,omitempty"`
			NoEnd      bool       `json:"no_end,omitempty" doc:"true takes the end off"`
		} `doc:"what is missing stays"`
	}
)

func (s *Server) mountShares() {
	const shares = "/api/v1/projects/{id}/shares"
	handle(s, huma.Operation{
		OperationID: "list-shares", Method: "GET", Path: shares, Summary: "The shared links of a project",
	}, s.listShares)
	handle(s, huma.Operation{
		OperationID: "create-share", Method: "POST", Path: shares, Summary: "Make a shared link", DefaultStatus: http.StatusCreated,
		Description: "Who has the link sees one thing of the project, without an account: docs/sharing.md says what. It stays when who made it leaves the project.",
	}, s.createShare)
	handle(s, huma.Operation{
		OperationID: "change-share", Method: "PATCH", Path: shares + "/{share}", Summary: "Change a shared link",
	}, s.changeShare)
	handle(s, huma.Operation{
		OperationID: "end-share", Method: "DELETE", Path: shares + "/{share}", Summary: "End a shared link",
		Description: "It shows nothing from then on, on all nodes, and its live streams end.",
	}, func(ctx context.Context, in *SharePath) (*struct{}, error) {
		return nil, s.cfg.Directory.EndShare(ctx, projectOf(ctx).ID, in.Share)
	})
	s.mountShared()
}

func (s *Server) listShares(ctx context.Context, _ *ProjectPath) (*sharesOutput, error) {
	all, err := s.cfg.Directory.Shares(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &sharesOutput{CacheControl: "no-store"}
	out.Body.Shares = make([]ShareBody, len(all))
	for i := range all {
		out.Body.Shares[i] = s.shareBody(ctx, &all[i])
	}
	return out, nil
}

func (s *Server) createShare(ctx context.Context, in *createShareInput) (*shareOutput, error) {
	n := meta.NewShare{ProjectID: projectOf(ctx).ID, Shows: meta.Shown(in.Body.What), Password: in.Body.Password, Origins: in.Body.Origins}
	if u := callOf(ctx).who.user; u != nil {
		n.UserID = u.ID
	}
	if in.Body.EndsAt != nil {
		n.EndsAt = *in.Body.EndsAt
	}
	x, err := s.cfg.Directory.CreateShare(ctx, n)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(x.ID, "what", string(x.Shows))
	return &shareOutput{CacheControl: "no-store", Body: s.shareBody(ctx, x)}, nil
}

func (s *Server) changeShare(ctx context.Context, in *changeShareInput) (*shareOutput, error) {
	c := meta.ShareChange{EndsAt: in.Body.EndsAt, Origins: in.Body.Origins}
	switch {
	case in.Body.NoPassword && in.Body.Password != "", in.Body.NoEnd && in.Body.EndsAt != nil:
		return nil, weir.Errorf(weir.EINVALID, "give a password or no_password, and ends_at or no_end, not both")
	case in.Body.NoPassword, in.Body.Password != "":
		c.Password = &in.Body.Password
	}
	if in.Body.NoEnd {
		c.EndsAt = &time.Time{}
	}
	x, err := s.cfg.Directory.ChangeShare(ctx, projectOf(ctx).ID, in.Share, c)
	if err != nil {
		return nil, err
	}
	return &shareOutput{CacheControl: "no-store", Body: s.shareBody(ctx, x)}, nil
}

func (s *Server) shareBody(ctx context.Context, x *meta.Share) ShareBody {
	loc := projectOf(ctx).Location()
	b := ShareBody{ID: x.ID, What: string(x.Shows), Password: x.HasPassword(), Origins: append([]string{}, x.Origins...), CreatedAt: x.CreatedAt.In(loc)}
	if x.Secret != "" {
		b.URL = s.address(callOf(ctx).request) + sharePath + x.Secret
	}
	if x.MakerName != "" {
		b.CreatedBy = &PersonBody{ID: x.Maker, Email: x.MakerName}
	}
	if !x.EndsAt.IsZero() {
		b.EndsAt = new(x.EndsAt.In(loc))
	}
	if !x.UsedAt.IsZero() {
		b.LastUsedAt = new(x.UsedAt.In(loc))
	}
	return b
}
