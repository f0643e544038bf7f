// Package backend opens stores by URL. It is the only package that names the
// backends: the scheme of a URL selects one of them, and everybody else uses what a
// backend says about itself (shared with other nodes, in this process, has replicas).
package backend

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weir-analytics/weir/internal/redisconn"
)

// The backends, by URL scheme. A new one is a line here and a file that describes it.
var (
	hotSchemes = map[string]func(url, rest string) (Hot, error){
		"pebble":          pebbleHot,
		"redis":           redisHot,
		"rediss":          redisHot,
		"redis+sentinel":  redisHot,
		"rediss+sentinel": redisHot,
		"redis+cluster":   redisHot,
		"rediss+cluster":  redisHot,
	}
	coldSchemes = map[string]func(url, rest string) (Cold, error){
		"duckdb":      duckdbCold,
		"clickhouse":  clickhouseCold,
		"clickhouses": clickhouseCold,
	}
	metaSchemes = map[string]func(url, rest string) (Meta, error){
		"sqlite":     func(_, rest string) (Meta, error) { return Meta{Where: rest, File: rest}, nil },
		"postgres":   postgresMeta,
		"postgresql": postgresMeta,
	}
)

// Forever is a wait that ends only with its context.
const Forever = redisconn.Forever

// ParseHot reads the URL of a hot tier; "" is Pebble in folder.
func ParseHot(url, folder string) (Hot, error) {
	if url == "" && folder != "" {
		return pebbleHot("", folder)
	}
	return parse(hotSchemes, url, "pebble:PATH or redis://HOST")
}

// ParseCold reads the URL of a cold tier; "" is DuckDB in file.
func ParseCold(url, file string) (Cold, error) {
	if url == "" && file != "" {
		return duckdbCold("", file)
	}
	return parse(coldSchemes, url, "duckdb:FILE or clickhouse://HOST/DATABASE")
}

// ParseMeta reads the URL of a meta store; "" is SQLite in file.
func ParseMeta(url, file string) (Meta, error) {
	if url == "" && file != "" {
		return Meta{Where: file, File: file}, nil
	}
	return parse(metaSchemes, url, "sqlite:PATH or postgres://HOST/DATABASE")
}

// parse calls the backend that the URL's scheme selects. want names the possible URLs, for
// errors.
func parse[T any](schemes map[string]func(url, rest string) (T, error), url, want string) (store T, err error) {
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok || rest == "" {
		return store, errors.New("want " + want)
	}
	read, known := schemes[scheme]
	if !known {
		// Not all of the URL: it may hold a password.
		return store, fmt.Errorf("want %s, not %s:…", want, scheme)
	}
	return read(url, rest)
}
