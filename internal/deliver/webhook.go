// Package deliver sends messages to webhooks and by mail. It sends once: the caller stores
// what has to be sent again.
package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
)

// final is an error that another attempt will not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// Final says whether it is of no use to send a message again.
func Final(err error) bool {
	_, ok := errors.AsType[final](err)
	return ok
}

var errPrivate = final{errors.New("the address is in a private network")}

// WebhookOptions tune a Webhook. The zero value is good.
type WebhookOptions struct {
	Allow   []netip.Prefix // networks that are not public and may be called
	Lookup  Lookup         // nil is the system's
	Timeout time.Duration  // for a whole request; 0 is 10 s
	TLS     *tls.Config    // nil is the system's
	Clock   weir.Clock
	Agent   string // User-Agent; "" is Weir
}

// Webhook posts signed messages. It is safe for concurrent use.
type Webhook struct {
	o      WebhookOptions
	client *http.Client
}

// NewWebhook makes one. It never connects to an address that is not public,
// unless that is allowed, and follows no redirects.
func NewWebhook(o WebhookOptions) *Webhook {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Agent == "" {
		o.Agent = "Weir"
	}
	g := newGuard(o.Allow, o.Lookup, o.Timeout)
	return &Webhook{o: o, client: &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would connect where it likes
			DialContext:            g.dial,
			TLSClientConfig:        o.TLS,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // a connection is looked at when it is made
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Allow returns the networks that are not public and may be called.
func (w *Webhook) Allow() []netip.Prefix { return w.o.Allow }

// maxAnswer is how much of an answer is read; nobody sees it.
const maxAnswer = 4 << 10

// Post is a message to a webhook.
type Post struct {
	URL, Secret string
	Type        string // X-Weir-Event
	Key         string // Idempotency-Key: the same at each attempt
	Body        []byte // JSON
}

// Send posts a message. An answer that is not 2xx is an error; Final is true for those
// that stay: a redirect, 410 Gone, an address that may not be called. Errors do
// not hold the URL, whose path is often a secret.
func (w *Webhook) Send(ctx context.Context, p Post) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return final{errors.New("the URL is wrong")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.o.Agent)
	req.Header.Set("X-Weir-Event", p.Type)
	req.Header.Set("Idempotency-Key", p.Key)
	req.Header.Set("X-Weir-Signature", Sign(p.Secret, w.o.Clock.Now(), p.Body))
	res, err := w.client.Do(req)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return errPrivate // alone: what a name means inside is nobody's business
		}
		if u, ok := errors.AsType[*url.Error](err); ok {
			if u.Timeout() {
				return fmt.Errorf("no answer in time: %w", u.Err)
			}
			return u.Err
		}
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // the status says it all
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode/100 == 3:
		return final{fmt.Errorf("it answered with a redirect (%d), which is not followed", res.StatusCode)}
	case res.StatusCode == http.StatusGone:
		return final{errors.New("it answered 410 Gone")}
	}
	return fmt.Errorf("it answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
}

// Sign returns the signature of a body sent at a time: t=UNIX,v1=HEX, the hex being the
// HMAC-SHA256 under the secret of the time in seconds, a full stop, and the body.
// Who checks it refuses a time long past, so that nothing is played back.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
