// Package oidc signs people in with a provider of OpenID Connect: authorization code with PKCE
// (RFC 7636), discovery, and the checks of OpenID Connect Core 1.0, section 3.1.3.7.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	weir "github.com/weir-analytics/weir"
	"golang.org/x/oauth2"
)

const (
	// slack is how far the provider's clock may be off.
	slack = time.Minute
	// within bounds one request to the provider, maxAnswer its answer in bytes.
	within    = 10 * time.Second
	maxAnswer = 1 << 20
	// maxGroups bounds the groups of one person that are looked at.
	maxGroups = 1000
)

// Config names a provider and this server's registration with it.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURL  string
	Scopes       []string // besides openid
	GroupsClaim  string   // "" is none
}

// Flow is what must be kept from Begin to Finish, apart from the browser.
type Flow struct {
	State    string // names the flow, in the browser too
	Nonce    string
	Verifier string // of PKCE
}

// Identity is who the provider says has signed in.
type Identity struct {
	Issuer, Subject string
	Email           string // "" unless the provider has verified it
	Name            string
	Groups          []string
}

// Provider is a provider. It is safe for concurrent use.
type Provider struct {
	c      Config
	clock  weir.Clock
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider // nil until discovery succeeded
}

// New makes a provider. Nothing is asked of it yet.
func New(c Config, clock weir.Clock) *Provider {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	return &Provider{c: c, clock: clock, client: &http.Client{Timeout: within, Transport: bounded{t}}}
}

// bounded bounds answers, which the libraries read as a whole.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// discover returns the provider's addresses and keys. A failure is tried again the next time.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// Keys are fetched later with this context, too.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.c.Issuer)
		if err != nil {
			return nil, nil, away(fmt.Errorf("oidc: discovery at %s: %w", p.c.Issuer, err))
		}
		p.found = found
	}
	return p.found, &oauth2.Config{
		ClientID: p.c.ClientID, ClientSecret: p.c.ClientSecret, RedirectURL: p.c.RedirectURL,
		Endpoint: p.found.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, p.c.Scopes...),
	}, nil
}

// away is the error of a provider that does not answer as it should.
func away(err error) error {
	return weir.Wrap(err, weir.EUNAVAILABLE, "the identity provider does not answer as it should: try again, or tell an administrator of this server")
}

// refused is the error of an answer that proves nothing.
func refused(err error) error {
	return weir.Wrap(err, weir.EUNAUTHORIZED, "the identity provider's answer is not valid: sign in again")
}

// Begin returns the address to send the browser to. Errors: EUNAVAILABLE.
func (p *Provider) Begin(ctx context.Context) (address string, f Flow, err error) {
	_, o, err := p.discover(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	f = Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return o.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// Finish returns who has signed in, by the code that the browser brought back. Errors:
// EUNAUTHORIZED for a code or token that proves nothing, EUNAVAILABLE.
func (p *Provider) Finish(ctx context.Context, f Flow, code string) (*Identity, error) {
	found, o, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := o.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, exchangeError(fmt.Errorf("oidc: exchange the code: %w", err))
	}
	raw, _ := token.Extra("id_token").(string)
	// The library adds no slack to the token's end.
	id, err := found.Verifier(&oidc.Config{ClientID: p.c.ClientID, Now: func() time.Time { return p.clock.Now().Add(-slack) }}).Verify(ctx, raw)
	if err != nil {
		if noKeys(err) {
			return nil, away(fmt.Errorf("oidc: verify the token: %w", err))
		}
		return nil, refused(fmt.Errorf("oidc: verify the token: %w", err))
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return nil, refused(fmt.Errorf("oidc: claims: %w", err))
	}
	if err := p.check(id, c, f); err != nil {
		return nil, refused(err)
	}
	return p.identity(ctx, found, token, id, c)
}

type claims struct {
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // a boolean; some send the text "true"
	Name          string `json:"name"`
	Authorized    string `json:"azp"`
}

// check looks at what the library does not.
func (p *Provider) check(id *oidc.IDToken, c claims, f Flow) error {
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1:
		return errors.New("oidc: the token is of another sign-in")
	case c.Authorized != "" && c.Authorized != p.c.ClientID, len(id.Audience) > 1 && c.Authorized == "":
		return errors.New("oidc: the token is for another client")
	case id.IssuedAt.After(p.clock.Now().Add(slack)):
		return errors.New("oidc: the token is from the future: a clock is wrong")
	case id.Subject == "":
		return errors.New("oidc: the token names nobody")
	}
	return nil
}

func (p *Provider) identity(ctx context.Context, found *oidc.Provider, token *oauth2.Token, id *oidc.IDToken, c claims) (*Identity, error) {
	groups, has, err := p.groups(id.Claims)
	if err != nil {
		return nil, refused(err)
	}
	// Some providers send what is long or private at the second address only.
	if (c.Email == "" || p.c.GroupsClaim != "" && !has) && found.UserInfoEndpoint() != "" {
		info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return nil, away(fmt.Errorf("oidc: userinfo: %w", err))
		}
		if info.Subject != id.Subject { // section 5.3.2
			return nil, refused(errors.New("oidc: userinfo is about somebody else"))
		}
		more := c
		if err := info.Claims(&more); err != nil {
			return nil, refused(fmt.Errorf("oidc: userinfo: %w", err))
		}
		c.Email, c.EmailVerified, c.Name = more.Email, more.EmailVerified, more.Name
		if !has {
			if groups, _, err = p.groups(info.Claims); err != nil {
				return nil, refused(err)
			}
		}
	}
	who := &Identity{Issuer: id.Issuer, Subject: id.Subject, Name: c.Name, Groups: groups}
	if c.EmailVerified == true || c.EmailVerified == "true" {
		who.Email = c.Email
	}
	return who, nil
}

// groups returns the groups among claims, and whether the claim is there.
func (p *Provider) groups(claims func(any) error) (all []string, has bool, err error) {
	if p.c.GroupsClaim == "" {
		return nil, false, nil
	}
	var c map[string]any
	if err := claims(&c); err != nil {
		return nil, false, fmt.Errorf("oidc: groups: %w", err)
	}
	switch v := c[p.c.GroupsClaim].(type) {
	case string:
		return []string{v}, true, nil
	case []any:
		for _, x := range v[:min(len(v), maxGroups)] {
			if s, ok := x.(string); ok && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
		return all, true, nil
	}
	return nil, false, nil
}

// exchangeError tells a code that is refused from a provider that fails.
func exchangeError(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.Response != nil && e.Response.StatusCode < 500 {
		// Only invalid_grant is about the code; the others, such as invalid_client, are about our settings.
		if e.ErrorCode == "invalid_grant" {
			return refused(err)
		}
	}
	return away(err)
}

// noKeys says whether a token was not verified because the provider's keys could not be had.
// The library says it with words alone.
func noKeys(err error) bool { return strings.Contains(err.Error(), "fetching keys") }
