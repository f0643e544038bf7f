package wire

import (
	"bytes"
	"cmp"
	"strings"
)

// What the request's body may name its project by is looked for before it is read
// whole, or decoded. So it is no reading of JSON: a text under one of the keys,
// wherever it stands. Whoever writes another project's name there has a name that he
// could have sent as well.

// mostNames bounds how many are looked up for a request, longestName their length: no
// project has a longer one.
const (
	mostNames   = 4
	longestName = 512
)

// jsonNames are the first texts and numbers that stand under the keys.
func jsonNames(text []byte, keys ...string) (names []string) {
	for _, key := range keys {
		quoted := []byte(`"` + key + `"`)
		for rest := text; len(names) < mostNames; {
			_, after, ok := bytes.Cut(rest, quoted)
			if !ok {
				break
			}
			rest = after
			value, ok := bytes.CutPrefix(bytes.TrimLeft(after[:min(len(after), 2*longestName)], " \t\r\n"), []byte(":"))
			if !ok {
				continue
			}
			value = bytes.TrimLeft(value, " \t\r\n")
			end := `",}`
			if value, ok = bytes.CutPrefix(value, []byte(`"`)); ok {
				end = `"`
			}
			if n := bytes.IndexAny(value, end); n > 0 && n <= longestName {
				names = append(names, string(value[:n]))
			}
		}
	}
	return names
}

// Names are those of tokens.
func (PostHog) Names(r *Request, text []byte) []string {
	if r.Route.Path == posthogV1 {
		return []string{bearerOf(r.Header.Get("Authorization"))}
	}
	if token := r.Query.Get("token"); token != "" && len(text) == 0 {
		return []string{token}
	}
	return jsonNames(text, "api_key", "token", "$token")
}

// Names are those of clients.
func (OpenPanel) Names(r *Request, text []byte) []string {
	if id := cmp.Or(r.Header.Get("Openpanel-Client-Id"), r.Header.Get("Mixan-Client-Id")); id != "" {
		return []string{strings.TrimSpace(id)}
	}
	return jsonNames(text, "clientId")
}

// Names are those of either vendor.
func (t Track) Names(r *Request, text []byte) []string {
	return append(t.OpenPanel.Names(r, text), t.PostHog.Names(r, text)...)
}

// Names are write keys.
func (Segment) Names(r *Request, text []byte) []string {
	if key := segmentKey(r.Header, r.Query, ""); key != "" {
		return []string{key}
	}
	var names []string
	for _, name := range jsonNames(text, "writeKey") {
		key, _, _ := strings.Cut(name, ":")
		names = append(names, key)
	}
	return names
}

// Names are sites.
func (Plausible) Names(_ *Request, text []byte) []string {
	var names []string
	for _, name := range jsonNames(text, "domain", "d") {
		site, _, _ := strings.Cut(name, ",")
		names = append(names, strings.TrimSpace(site))
	}
	for _, url := range jsonNames(text, "url", "u") {
		names = append(names, string(hostOf([]byte(url))))
	}
	return names
}

// Names are websites.
func (Umami) Names(_ *Request, text []byte) []string { return jsonNames(text, "website") }

// Names are those in the request's address: there are no others.
func (GA4) Names(r *Request, _ []byte) []string { return []string{ga4Project(r)} }

// Names are sites, or the key that proves a sender's rights.
func (Matomo) Names(r *Request, text []byte) []string {
	names := []string{r.Query.Get("idsite"), writeKey(r.Query.Get("token_auth"))}
	names = append(names, jsonNames(text, "token_auth", "idsite")...)
	for _, key := range []string{"idsite=", "token_auth="} {
		if _, value, ok := bytes.Cut(text, []byte(key)); ok {
			value = value[:min(len(value), longestName)]
			if n := bytes.IndexAny(value, "&\""); n >= 0 {
				value = value[:n]
			}
			names = append(names, string(value))
		}
	}
	return names
}

// bearerOf is the token of an Authorization header, "" for another scheme.
func bearerOf(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
