// Package oidctest is a provider of OpenID Connect for tests, whose answers a test may bend.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// What a client is registered with.
const (
	ClientID     = "weir"
	ClientSecret = "the client's secret"
)

// Provider is a running provider. Its fields may be set between requests.
type Provider struct {
	URL    string
	server *httptest.Server

	mu sync.Mutex
	// Claims are those of who signs in next, besides what the provider adds.
	Claims map[string]any
	// UserInfo are those at the userinfo address; nil is no such address.
	UserInfo map[string]any
	// Bend changes a token's claims before they are signed.
	Bend func(claims map[string]any)
	// Reuse lets a code be used many times.
	Reuse bool
	// Down lets every request fail.
	Down bool
	// Now is the provider's clock.
	Now   func() time.Time
	codes map[string]url.Values // of the authorization requests

	key       *ecdsa.PrivateKey
	published *ecdsa.PublicKey
}

// Start starts a provider that ends with the test.
func Start(t *testing.T, now func() time.Time) *Provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, published: &key.PublicKey, Now: now, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.published, KeyID: "k", Algorithm: string(jose.ES256), Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.UserInfo) })
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.Down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	p.URL = p.server.URL
	return p
}

// Set changes the provider's fields.
func (p *Provider) Set(change func(p *Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// SignIn does what the provider's page does for the address that a browser is sent to: it
// returns the address that the browser is sent back to.
func (p *Provider) SignIn(t *testing.T, address string) (back *url.URL) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		t.Fatalf("authorization request %s", address)
	}
	back, err = url.Parse(q.Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	code := rand.Text()
	p.Set(func(p *Provider) { p.codes[code] = q })
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	return back
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"},
	}
	if p.UserInfo != nil {
		doc["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	answer(w, doc)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if id == "" {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	code := r.FormValue("code")
	q, ok := p.codes[code]
	if !p.Reuse {
		delete(p.codes, code)
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != ClientID || secret != ClientSecret:
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	case !ok, base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge"), r.FormValue("redirect_uri") != q.Get("redirect_uri"):
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	now := p.Now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "sub": "1", "nonce": q.Get("nonce"), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(claims, p.Claims)
	if p.Bend != nil {
		p.Bend(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k"}}, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": text})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// SignWith lets the provider sign with a key that its key set does not have.
func (p *Provider) SignWith(key *ecdsa.PrivateKey) {
	p.Set(func(p *Provider) {
		p.key = key
	})
}
