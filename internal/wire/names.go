package wire

import (
	"bytes"
	"cmp"
	"strings"
)

// ProjectNames runs before the whole body has arrived. So it does not parse JSON: it
// searches the bytes for one of the keys, at any place, and returns the text behind it. A
// sender gains nothing by a wrong name: it must know a valid name, and could have sent
// that as its project.

// mostNames bounds the names per request; longestName bounds their length in bytes (no
// project has a longer name).
const (
	mostNames   = 4
	longestName = 512
)

// jsonNames returns the first texts and numbers that follow one of the keys.
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

// ProjectNames returns tokens.
func (PostHog) ProjectNames(r *Request, text []byte) []string {
	if r.Route.Path == posthogV1 {
		return []string{bearerOf(r.Header.Get("Authorization"))}
	}
	if token := r.Query.Get("token"); token != "" && len(text) == 0 {
		return []string{token}
	}
	return jsonNames(text, "api_key", "token", "$token")
}

// ProjectNames returns client ids.
func (OpenPanel) ProjectNames(r *Request, text []byte) []string {
	if id := cmp.Or(r.Header.Get("Openpanel-Client-Id"), r.Header.Get("Mixan-Client-Id")); id != "" {
		return []string{strings.TrimSpace(id)}
	}
	return jsonNames(text, "clientId")
}

// ProjectNames returns the names of both vendors' forms.
func (t Track) ProjectNames(r *Request, text []byte) []string {
	return append(t.OpenPanel.ProjectNames(r, text), t.PostHog.ProjectNames(r, text)...)
}

// ProjectNames returns write keys.
func (Segment) ProjectNames(r *Request, text []byte) []string {
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

// ProjectNames returns sites.
func (Plausible) ProjectNames(_ *Request, text []byte) []string {
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

// ProjectNames returns website ids.
func (Umami) ProjectNames(_ *Request, text []byte) []string { return jsonNames(text, "website") }

// ProjectNames returns the name in the request's address, the only one.
func (GA4) ProjectNames(r *Request, _ []byte) []string { return []string{ga4Project(r)} }

// ProjectNames returns site ids and authentication tokens.
func (Matomo) ProjectNames(r *Request, text []byte) []string {
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

// bearerOf returns the token of an Authorization header, "" for a scheme other than Bearer.
func bearerOf(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
