package httpd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	deviceCookie = "weir_device"
	deviceFor    = 365 * 24 * time.Hour
	devicePath   = "/api/v1/login" // nobody else needs to see it
)

// devices recognises browsers that have signed in before: each has a cookie with a random id
// that is signed for the account and a time (OWASP, "Slow Down Online
// Guessing Attacks with Device Cookies"). It lets nobody in; it keeps those who
// guess at an account from using up the attempts of its owner.
type devices struct{ key []byte }

// issue is the value of a new cookie for the account of an address.
func (d devices) issue(id, email string, until time.Time) string {
	text := id + "." + strconv.FormatInt(until.Unix(), 10)
	return text + "." + d.sign(text, email)
}

// known is the id in a cookie that was issued for the account; "" for any other value.
func (d devices) known(value, email string, now time.Time) string {
	i := strings.LastIndexByte(value, '.')
	if i < 0 || !hmac.Equal([]byte(value[i+1:]), []byte(d.sign(value[:i], email))) {
		return ""
	}
	id, until, _ := strings.Cut(value[:i], ".")
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || now.Unix() >= end {
		return ""
	}
	return id
}

func (d devices) sign(text, email string) string {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(text + "\x00" + account(email)))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (s *Server) deviceCookie(email string, secure bool) http.Cookie {
	until := s.cfg.Clock.Now().Add(deviceFor)
	return http.Cookie{
		Name: deviceCookie, Value: s.devices.issue(s.cfg.NewRequestID(), email, until), Path: s.base + devicePath,
		Expires: until, MaxAge: int(deviceFor / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure,
	}
}
