package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

const (
	maxSites    = 100 // of a project
	maxSiteName = 255 // bytes
)

// normalSite returns a site's name as one is asked for: lower case, without space around
// it, without the "www." of a domain, which vendors leave off too.
func normalSite(site string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSpace(site)), "www.")
}

// NormalSite returns a site's name as it is stored: lower case, without space around it and
// without "www.". Error: EINVALID.
func NormalSite(site string) (string, error) {
	site = normalSite(site)
	switch {
	case site == "" || len(site) > maxSiteName:
		return "", weir.Errorf(weir.EINVALID, "a site's name has 1 to %d bytes", maxSiteName)
	case strings.ContainsAny(site, ", \t\r\n\x00"):
		return "", weir.Errorf(weir.EINVALID, "site %q: a name has no comma and no space", site)
	case strings.Contains(site, "/"):
		return "", weir.Errorf(weir.EINVALID, "site %q: want a domain or an id, not an address with a slash", site)
	case strings.ContainsRune(site, utf8.RuneError) || strings.ContainsFunc(site, unicode.IsControl):
		return "", weir.Errorf(weir.EINVALID, "site %q: a name has no control characters", site)
	case strings.HasPrefix(site, KeyPrefix):
		return "", weir.Errorf(weir.EINVALID, "site %q: names that begin with %s are write keys", site, KeyPrefix)
	}
	return site, nil
}

// ProjectBySite returns the project that a site's name was given to. It is shared: do not
// change it. Errors: ENOTFOUND.
func (s *Store) ProjectBySite(ctx context.Context, site string) (*weir.Project, error) {
	if site = normalSite(site); len(site) > maxSiteName {
		return nil, weir.Errorf(weir.ENOTFOUND, "unknown site")
	}
	return s.projects.get(ctx, "site:"+site, func(ctx context.Context) (*weir.Project, error) {
		p, err := scanProject(s.read.QueryRowContext(ctx, `SELECT `+projectColumns+`
			FROM sites t JOIN projects p ON p.id = t.project_id WHERE t.site = ?`, site))
		if errors.Is(err, sql.ErrNoRows) {
			return nil, weir.Errorf(weir.ENOTFOUND, "unknown site")
		}
		if err != nil {
			return nil, fmt.Errorf("meta: project by site: %w", err)
		}
		return p, nil
	})
}

// Sites returns a project's sites by name.
func (s *Store) Sites(ctx context.Context, projectID string) ([]string, error) {
	sites := []string{}
	rows, err := s.read.QueryContext(ctx, `SELECT site FROM sites WHERE project_id = ? ORDER BY site`, projectID)
	if err != nil {
		return nil, fmt.Errorf("meta: sites: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var site string
		if err := rows.Scan(&site); err != nil {
			return nil, fmt.Errorf("meta: sites: %w", err)
		}
		sites = append(sites, site)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: sites: %w", err)
	}
	return sites, nil
}

// SetSites gives a project these sites and takes all others from it. Errors: EINVALID,
// ECONFLICT when one is another project's, ENOTFOUND.
func (s *Store) SetSites(ctx context.Context, projectID string, sites []string) error {
	names := make([]string, 0, len(sites))
	for _, site := range sites {
		name, err := NormalSite(site)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxSites {
		return weir.Errorf(weir.EINVALID, "a project has at most %d sites", maxSites)
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var one int
		switch err := tx.QueryRowContext(ctx, `SELECT 1 FROM projects WHERE id = ?`, projectID).Scan(&one); {
		case errors.Is(err, sql.ErrNoRows):
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		case err != nil:
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sites WHERE project_id = ?`, projectID); err != nil {
			return err
		}
		for _, name := range names {
			ok, err := inserted(tx.ExecContext(ctx, `INSERT INTO sites (site, project_id, created_at) VALUES (?, ?, ?)
				ON CONFLICT (site) DO NOTHING`, name, projectID, micros(s.clock.Now())))
			if err != nil {
				return err
			}
			if !ok {
				return weir.Errorf(weir.ECONFLICT, "site %q is another project's", name)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("meta: set sites: %w", err)
	}
	s.changed()
	return nil
}
