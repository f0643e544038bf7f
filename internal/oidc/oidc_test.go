package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/oidc"
	"github.com/weir-analytics/weir/internal/oidc/oidctest"
)

// start starts a provider, and a client of it.
func start(t *testing.T) (*oidctest.Provider, *oidc.Provider) {
	t.Helper()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	p := oidctest.Start(t, func() time.Time { return now })
	p.Claims = map[string]any{"email": "ada@example.org", "email_verified": true, "name": "Ada", "groups": []string{"shop", "staff"}}
	return p, client(p, func(*oidc.Config) {})
}

func client(p *oidctest.Provider, change func(*oidc.Config)) *oidc.Provider {
	c := oidc.Config{
		Issuer: p.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret,
		RedirectURL: "https://weir.example.org/api/v1/oidc/callback", Scopes: []string{"email", "profile"}, GroupsClaim: "groups",
	}
	change(&c)
	return oidc.New(c, p.Now)
}

// signIn takes the whole way.
func signIn(t *testing.T, p *oidctest.Provider, c *oidc.Provider) (*oidc.Identity, error) {
	t.Helper()
	address, flow, err := c.Begin(t.Context())
	if err != nil {
		return nil, err
	}
	return c.Finish(t.Context(), flow, p.SignIn(t, address).Query().Get("code"))
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if got := weir.ErrorCode(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

func TestTheProviderSaysWhoSignedIn(t *testing.T) {
	p, c := start(t)
	who, err := signIn(t, p, c)
	if err != nil {
		t.Fatal(err)
	}
	if who.Issuer != p.URL || who.Subject != "1" || who.Email != "ada@example.org" || who.Name != "Ada" || !slices.Equal(who.Groups, []string{"shop", "staff"}) {
		t.Fatalf("identity = %+v", who)
	}
}

func TestAnAddressThatIsNotVerifiedIsNone(t *testing.T) {
	p, c := start(t)
	for _, v := range []any{false, nil, "false", 1, "TRUE"} {
		p.Set(func(p *oidctest.Provider) { p.Claims["email_verified"] = v })
		who, err := signIn(t, p, c)
		if err != nil || who.Email != "" {
			t.Errorf("verified %v: %+v, %v", v, who, err)
		}
	}
	p.Set(func(p *oidctest.Provider) { p.Claims["email_verified"] = "true" }) // as Amazon Cognito has it
	if who, err := signIn(t, p, c); err != nil || who.Email == "" {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestTokensThatProveNothingAreRefused(t *testing.T) {
	p, c := start(t)
	now := p.Now()
	for what, bend := range map[string]func(map[string]any){
		"another issuer":                 func(m map[string]any) { m["iss"] = "https://evil.example" },
		"another audience":               func(m map[string]any) { m["aud"] = "another client" },
		"one of several audiences":       func(m map[string]any) { m["aud"] = []string{oidctest.ClientID, "another client"} },
		"another client's":               func(m map[string]any) { m["azp"] = "another client" },
		"another sign-in":                func(m map[string]any) { m["nonce"] = "another" },
		"no nonce":                       func(m map[string]any) { delete(m, "nonce") },
		"over for more than a minute":    func(m map[string]any) { m["exp"] = now.Add(-61 * time.Second).Unix() },
		"of more than a minute from now": func(m map[string]any) { m["iat"] = now.Add(62 * time.Second).Unix() },
		"nobody":                         func(m map[string]any) { m["sub"] = "" },
	} {
		p.Set(func(p *oidctest.Provider) { p.Bend = bend })
		_, err := signIn(t, p, c)
		wantCode(t, what, err, weir.EUNAUTHORIZED)
	}
	for what, bend := range map[string]func(map[string]any){
		"over for less than a minute":    func(m map[string]any) { m["exp"] = now.Add(-58 * time.Second).Unix() },
		"of less than a minute from now": func(m map[string]any) { m["iat"] = now.Add(58 * time.Second).Unix() },
		"several audiences": func(m map[string]any) {
			m["aud"], m["azp"] = []string{oidctest.ClientID, "another client"}, oidctest.ClientID
		},
	} {
		p.Set(func(p *oidctest.Provider) { p.Bend = bend })
		_, err := signIn(t, p, c)
		wantCode(t, what, err, "")
	}
}

func TestATokenOfAnotherKeyIsRefused(t *testing.T) {
	p, c := start(t)
	if _, err := signIn(t, p, c); err != nil { // so that the keys are known
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.SignWith(other)
	_, err = signIn(t, p, c)
	wantCode(t, "another key", err, weir.EUNAUTHORIZED)
}

func TestACodeIsGoodOnceAndForItsOwnBrowserOnly(t *testing.T) {
	p, c := start(t)
	address, flow, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code := p.SignIn(t, address).Query().Get("code")
	_, other, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if flow.State == other.State || flow.Nonce == other.Nonce || flow.Verifier == other.Verifier {
		t.Error("two sign-ins share a secret")
	}
	_, err = c.Finish(t.Context(), other, code) // PKCE
	wantCode(t, "another browser's code", err, weir.EUNAUTHORIZED)

	address, flow, err = c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code = p.SignIn(t, address).Query().Get("code")
	_, err = c.Finish(t.Context(), flow, code)
	wantCode(t, "the first time", err, "")
	_, err = c.Finish(t.Context(), flow, code)
	wantCode(t, "the second time", err, weir.EUNAUTHORIZED)
	_, err = c.Finish(t.Context(), flow, "made up")
	wantCode(t, "a made-up code", err, weir.EUNAUTHORIZED)
}

func TestWhatTheTokenLacksIsReadFromUserinfoOfTheSamePerson(t *testing.T) {
	p, _ := start(t)
	p.Claims = map[string]any{}
	p.UserInfo = map[string]any{"sub": "1", "email": "ada@example.org", "email_verified": true, "name": "Ada", "groups": "shop"}
	c := client(p, func(*oidc.Config) {})
	who, err := signIn(t, p, c)
	if err != nil || who.Email != "ada@example.org" || !slices.Equal(who.Groups, []string{"shop"}) {
		t.Fatalf("%+v, %v", who, err)
	}
	p.Set(func(p *oidctest.Provider) { p.UserInfo["sub"] = "2" })
	_, err = signIn(t, p, c)
	wantCode(t, "somebody else's", err, weir.EUNAUTHORIZED)
}

func TestAProviderThatIsDownOrWronglySetUpIsUnavailable(t *testing.T) {
	p, c := start(t)
	p.Set(func(p *oidctest.Provider) { p.Down = true })
	_, err := signIn(t, p, c)
	wantCode(t, "at the first sign-in", err, weir.EUNAVAILABLE)
	p.Set(func(p *oidctest.Provider) { p.Down = false })
	_, err = signIn(t, p, c)
	wantCode(t, "up again", err, "")

	address, flow, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code := p.SignIn(t, address).Query().Get("code")
	p.Set(func(p *oidctest.Provider) { p.Down = true })
	_, err = c.Finish(t.Context(), flow, code)
	wantCode(t, "between", err, weir.EUNAVAILABLE)
	p.Set(func(p *oidctest.Provider) { p.Down = false })

	_, err = signIn(t, p, client(p, func(c *oidc.Config) { c.ClientSecret = "wrong" }))
	wantCode(t, "a wrong secret", err, weir.EUNAVAILABLE)
	_, err = signIn(t, p, client(p, func(c *oidc.Config) { c.Issuer += "/" }))
	wantCode(t, "an issuer with another name than it says", err, weir.EUNAVAILABLE)
}

func TestManySignInsAtOnce(t *testing.T) {
	p, c := start(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := signIn(t, p, c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
