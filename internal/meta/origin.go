package meta

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

const maxOrigins = 100 // of a key

// normalOrigins returns origins as they are stored: in lower case, without a scheme, sorted,
// each once. Error: EINVALID.
func normalOrigins(origins []string) ([]string, error) {
	var out []string
	for _, origin := range origins {
		host := strings.ToLower(strings.TrimSpace(origin))
		host = strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://")
		host = strings.TrimSuffix(host, "/")
		if strings.TrimPrefix(host, "*.") == "" || len(host) > maxSiteName || strings.Contains(strings.TrimPrefix(host, "*."), "*") || strings.ContainsFunc(host, notInHost) {
			return nil, weir.Errorf(weir.EINVALID, "origin %q: want the host of a page, such as shop.example, *.shop.example or localhost:3000; letters beyond ASCII as xn--", origin)
		}
		out = append(out, host)
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > maxOrigins {
		return nil, weir.Errorf(weir.EINVALID, "a write key has at most %d origins", maxOrigins)
	}
	return out, nil
}

func notInHost(c rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.:[]*", c)
}

// joined is how origins are stored: NULL for none.
func joined(origins []string) sql.NullString {
	return sql.NullString{String: strings.Join(origins, ","), Valid: len(origins) > 0}
}

func split(origins sql.NullString) []string {
	if origins.String == "" {
		return nil
	}
	return strings.Split(origins.String, ",")
}

// SetKeyOrigins holds a key to the pages of some hosts; with none, everybody who has the key
// may send with it. Errors: EINVALID, ENOTFOUND, also for a key that was revoked.
func (s *Store) SetKeyOrigins(ctx context.Context, projectID, keyID string, origins []string) error {
	origins, err := normalOrigins(origins)
	if err != nil {
		return err
	}
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE write_keys SET origins = ? WHERE id = ? AND project_id = ? AND revoked_at IS NULL`,
		joined(origins), keyID, projectID))
	if err != nil {
		return fmt.Errorf("meta: set origins: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such write key")
	}
	s.changed()
	return nil
}
