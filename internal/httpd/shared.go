package httpd

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/meta"
)

// A reader of a shared link sends its secret with each request, as a Bearer token. If the link has a
// password, they get for it a pass: the secret with an end and a signature, which they send in its place.

// passFor is how long a pass is good.
const passFor = 24 * time.Hour

// Bounds on the requests of readers: of one link from one customer's addresses, and of one link.
var (
	readerRate = fleet.Limit{Every: 50 * time.Millisecond, Burst: 200}
	shareRate  = fleet.Limit{Every: 5 * time.Millisecond, Burst: 2000}
)

// SharedBody is what a shared link shows.
type SharedBody struct {
	What     string         `json:"what" enum:"overview,live"`
	Password bool           `json:"password" doc:"it takes a password: see open-share"`
	Project  *SharedProject `json:"project,omitempty" doc:"missing: the password is missing"`
	EndsAt   *time.Time     `json:"ends_at,omitempty" doc:"missing: it does not end, or the password is missing"`
}

// SharedProject is the project of a shared link.
type SharedProject struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
}

type (
	sharedOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         SharedBody
	}
	openShareInput struct {
		Body struct {
			Password string `json:"password" maxLength:"1024"`
		}
	}
	passOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Token     string    `json:"token" doc:"to send in the place of the link's secret"`
			ExpiresAt time.Time `json:"expires_at" doc:"then the password is asked for again"`
		}
	}
)

func (s *Server) mountShared() {
	handle(s, huma.Operation{
		OperationID: "get-shared", Method: "GET", Path: "/api/v1/share", Summary: "What a shared link shows",
		Description: "The Bearer token is the end of the link, wl_….",
	}, s.getShared)
	handle(s, huma.Operation{
		OperationID: "open-share", Method: "POST", Path: "/api/v1/share/open", Summary: "Give the password of a shared link",
		Description: "The answer's token is good for this link, for 24 hours, until the link ends or its password changes.",
	}, s.openShare)
}

func (s *Server) getShared(ctx context.Context, _ *struct{}) (*sharedOutput, error) {
	who := callOf(ctx).who
	out := &sharedOutput{CacheControl: "no-store", Body: SharedBody{What: string(who.share.Shows), Password: who.share.HasPassword()}}
	if who.locked {
		return out, nil
	}
	p, err := s.cfg.Directory.Project(ctx, who.share.ProjectID)
	if err != nil {
		return nil, err
	}
	out.Body.Project = &SharedProject{ID: p.ID, Name: p.Name, Timezone: p.Location().String()}
	if !who.share.EndsAt.IsZero() {
		out.Body.EndsAt = new(who.share.EndsAt.In(p.Location()))
	}
	return out, nil
}

func (s *Server) openShare(ctx context.Context, in *openShareInput) (*passOutput, error) {
	c := callOf(ctx)
	x := c.who.share
	if !x.HasPassword() {
		return nil, weir.Errorf(weir.EINVALID, "this link takes no password")
	}
	account := "shared link " + x.ID // no address of a user is like it
	if err := s.guesses.guess(ctx, account, c.ip, ""); err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.OpenShare(ctx, x, in.Body.Password); err != nil {
		if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
			s.guesses.wrong("share_password")
		}
		return nil, err
	}
	s.guesses.right(ctx, account, c.ip, "")
	out := &passOutput{CacheControl: "no-store"}
	until := s.cfg.Clock.Now().Add(passFor).UTC().Truncate(time.Second)
	out.Body.ExpiresAt = until
	end := strconv.FormatInt(until.Unix(), 10)
	secret, _, _ := strings.Cut(bearer(c.request), ".")
	out.Body.Token = secret + "." + end + "." + s.signPass(x, end)
	return out, nil
}

// signPass signs a pass: for the link, its password and an end in Unix seconds.
func (s *Server) signPass(x *meta.Share, end string) string {
	h := hmac.New(sha256.New, s.cfg.DeviceKey)
	h.Write([]byte("pass of a shared link\x00" + x.ID + "\x00" + x.Lock() + "\x00" + end))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// goodPass reports whether pass is that of the link, and not over.
func (s *Server) goodPass(x *meta.Share, pass string) bool {
	end, signature, _ := strings.Cut(pass, ".")
	if !hmac.Equal([]byte(signature), []byte(s.signPass(x, end))) {
		return false
	}
	until, err := strconv.ParseInt(end, 10, 64)
	return err == nil && s.cfg.Clock.Now().Unix() < until
}

// shareOf returns the shared link of a secret. Error: EUNAUTHORIZED.
func (s *Server) shareOf(ctx context.Context, secret string) (*meta.Share, error) {
	x, err := s.cfg.Directory.Share(ctx, secret)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "this shared link has ended, or never was")
	}
	return x, err
}

// identifyReader returns the reader of a shared link, by its secret or a pass. Error: EUNAUTHORIZED.
func (s *Server) identifyReader(ctx context.Context, token string) (principal, error) {
	secret, pass, _ := strings.Cut(token, ".")
	x, err := s.shareOf(ctx, secret)
	if err != nil {
		return principal{}, err
	}
	return principal{share: x, locked: x.HasPassword() && !s.goodPass(x, pass)}, nil
}

// admitReader applies a rule to the reader of a shared link: they may call what says of the link
// what it is, and the routes that the rules give to it, in its project.
func (s *Server) admitReader(ctx context.Context, rule Rule, r *http.Request, c *call) error {
	x := c.who.share
	switch {
	case rule.Need == Reader:
		return nil
	case rule.Need != InProject || !slices.Contains(rule.Shown, x.Shows):
		return weir.Errorf(weir.EFORBIDDEN, "a shared link shows one thing of one project, and nothing else")
	case c.who.locked:
		return weir.Errorf(weir.EUNAUTHORIZED, "this shared link takes a password")
	case r.PathValue("id") != x.ProjectID:
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	p, err := s.cfg.Directory.Project(ctx, x.ProjectID)
	if err != nil {
		return err
	}
	c.project, c.may = p, weir.ScopeRead
	return nil
}

// paceReader slows down who asks too much by a shared link, which anybody may have. Error:
// ERATELIMITED.
func (s *Server) paceReader(ctx context.Context, c *call) error {
	if c.who.share == nil {
		return nil
	}
	link := "shared link " + c.who.share.ID
	for _, b := range []bucket{
		{key: link + " " + fleet.Digest(fleet.Customer(c.ip)), limit: readerRate},
		{key: link, limit: shareRate},
	} {
		wait, _, err := s.guesses.own.Take(ctx, b.key, b.limit, 1)
		if err == nil && wait > 0 {
			e := newError(weir.ERATELIMITED, "too many requests by this shared link: wait a little", nil, nil)
			e.retryAfter(seconds(wait))
			return e
		}
	}
	return nil
}
