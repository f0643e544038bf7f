package backend

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEachSchemeOpensItsBackendAndSaysWhatItIsLike(t *testing.T) {
	hots := map[string]Hot{
		"":                                  {Folder: "usual"},
		"pebble:there":                      {Folder: "there"},
		"redis://h":                         {Shared: true, Replicas: true},
		"rediss://h":                        {Shared: true, Replicas: true},
		"redis+sentinel://h1,h2/main":       {Shared: true, Replicas: true},
		"rediss+sentinel://h1,h2/main":      {Shared: true, Replicas: true},
		"redis+cluster://h1,h2":             {Shared: true, Replicas: true},
		"rediss+cluster://h1,h2?insecure=1": {Shared: true, Replicas: true},
	}
	for url, want := range hots {
		got, err := ParseHot(url, "usual")
		if err != nil || got.Folder != want.Folder || got.Shared != want.Shared || got.Replicas != want.Replicas || got.Renew == "" || got.open == nil {
			t.Errorf("%q: %+v, %v", url, got, err)
		}
	}
	if len(hots) != len(hotSchemes)+1 {
		t.Errorf("%d of %d schemes are looked at", len(hots)-1, len(hotSchemes))
	}
	colds := map[string]Cold{
		"":                             {File: "usual"},
		"duckdb:there":                 {File: "there"},
		"clickhouse://h1,h2/d":         {Shared: true, Lags: true},
		"clickhouses://h/d?insecure=1": {Shared: true, Lags: true},
	}
	for url, want := range colds {
		got, err := ParseCold(url, "usual")
		if err != nil || got.File != want.File || got.Shared != want.Shared || got.Lags != want.Lags || (got.BatchesKept > 0) != want.Shared || got.open == nil {
			t.Errorf("%q: %+v, %v", url, got, err)
		}
	}
	if len(colds) != len(coldSchemes)+1 {
		t.Errorf("%d of %d schemes are looked at", len(colds)-1, len(coldSchemes))
	}
	metas := map[string]Meta{
		"":                           {Where: "usual", File: "usual"},
		"sqlite:there":               {Where: "there", File: "there"},
		"postgres://u:x@h/d?pool=4":  {Where: "postgres://u:x@h/d?pool=4", Shared: true, Name: "postgres://u@h:5432/d", Pool: 4, Plaintext: true},
		"postgresql://u@127.0.0.1/d": {Where: "postgresql://u@127.0.0.1/d", Shared: true, Name: "postgres://u@127.0.0.1:5432/d", Pool: 10},
	}
	for url, want := range metas {
		if got, err := ParseMeta(url, "usual"); err != nil || got != want {
			t.Errorf("%q: %+v, %v", url, got, err)
		}
	}
	if len(metas) != len(metaSchemes)+1 {
		t.Errorf("%d of %d schemes are looked at", len(metas)-1, len(metaSchemes))
	}
}

func TestAURLThatNoBackendReadsIsRefusedWithoutItsPassword(t *testing.T) {
	const password = "0123456789abcdef"
	hot := func(url string) error { _, err := ParseHot(url, "usual"); return err }
	cold := func(url string) error { _, err := ParseCold(url, "usual"); return err }
	meta := func(url string) error { _, err := ParseMeta(url, "usual"); return err }
	for _, c := range []struct {
		parse     func(string) error
		url, want string
	}{
		{hot, "somewhere", "want pebble:PATH or redis://HOST"},
		{hot, "pebble:", "want pebble:PATH"},
		{hot, "kafka://u:" + password + "@h", "not kafka:…"},
		{hot, "redis://:" + password + "@a,b", "redis+cluster://"},
		{hot, "duckdb:x", "not duckdb:…"},
		{cold, "clickhous://u:" + password + "@h", "want duckdb:FILE or clickhouse://HOST/DATABASE, not clickhous:…"},
		{cold, "clickhouse://u:" + password + "@h/d?clutser=x", "clutser"},
		{meta, "mysql://u:" + password + "@h", "want sqlite:PATH or postgres://HOST/DATABASE, not mysql:…"},
		{meta, "postgres://u:" + password + "@h/d?sslmode=maybe", "sslmode"},
	} {
		if err := c.parse(c.url); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v, want %q", c.url, err, c.want)
		}
	}
	if _, err := ParseCold("", ""); err == nil {
		t.Error("no URL and no usual file: accepted")
	}
}

func TestTwoURLsOfOneColdTierAreTheSame(t *testing.T) {
	dir := t.TempDir()
	cold := func(url string) Cold {
		c, err := ParseCold(url, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	file := filepath.Join(dir, "a.duckdb")
	a := cold("duckdb:" + file)
	if a.Same(a) {
		t.Error("a file that is not there is the same as itself")
	}
	opened, err := a.Open(t.Context(), ColdOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Store.Close()
	if !a.Same(cold("duckdb:"+dir+"/./a.duckdb")) || a.Same(cold("duckdb:"+dir+"/b.duckdb")) || a.Same(cold("clickhouse://h/d")) {
		t.Error("files are not told apart")
	}
	b := cold("clickhouse://u:x@h1,h2/d?cluster=c")
	if !b.Same(cold("clickhouse://h1:9000,h2/d")) || b.Same(cold("clickhouse://h1,h2/e")) || b.Same(a) {
		t.Error("servers are not told apart")
	}
}

func TestAClickHouseHasTimeForACopy(t *testing.T) {
	for url, want := range map[string]string{
		"clickhouse://h":                     "clickhouse://h?max_time=1h",
		"clickhouse://h/d?cluster=c":         "clickhouse://h/d?cluster=c&max_time=1h",
		"clickhouse://h/d?max_time=5m":       "clickhouse://h/d?max_time=5m",
		"clickhouse://h/d?fsync=0&max_time=": "clickhouse://h/d?fsync=0&max_time=",
	} {
		if got := patient(url); got != want {
			t.Errorf("%s became %s, want %s", url, got, want)
		}
	}
}
