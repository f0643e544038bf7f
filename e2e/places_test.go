package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redistest"
)

// idsOfAda is a part of each of her ids: of a profile, of a former id of it and of a device.
const idsOfAda = "7f3a"

const adasEvents = `[
	{"name":"screen_view","device_id":"ada-device-7f3a","page":{"url":"https://shop.example/cart"}},
	{"name":"identify","profile_id":"ada-profile-7f3a","device_id":"ada-device-7f3a","properties":{"plan":"pro"}},
	{"name":"identify","profile_id":"ada-profile-7f3a","properties":{"$alias":"ada-former-7f3a"}},
	{"name":"click","profile_id":"ada-former-7f3a"},
	{"name":"screen_view","profile_id":"ada-profile-7f3a","device_id":"shared","page":{"url":"https://shop.example/diagnosis"}},
	{"name":"api_call","profile_id":"ada-profile-7f3a","call":{"method":"GET","route":"/a","status":200,"consumer":"ada-profile-7f3a"}},
	{"name":"click","profile_id":"bob","device_id":"shared"},
	{"name":"identify","profile_id":"bob","device_id":"bobs","properties":{"plan":"free","$alias":"ada-profile-7f3a"}},
	{"name":"api_call","profile_id":"bob","call":{"method":"GET","route":"/a","status":200,"consumer":"ada-profile-7f3a"}},
	{"name":"screen_view","profile_id":"bob","device_id":"bobs","page":{"url":"https://shop.example/"}}]`

// place is where an id can stand: docs/profiles.md has the list.
type place struct {
	name  string
	read  func() string
	stays bool // after an erasure, as the manual says
}

// A server that has all that can name a person erases one. Each place has her ids before
// and has none of them after that, to its own reader.
func TestIDsOfAnErasedPersonStandOnlyWhereTheManualSays(t *testing.T) {
	t.Parallel()
	t.Run("pebble and duckdb", func(t *testing.T) {
		a := startAlone(t, binary(t, ""))
		testPlaces(t, a.node, a.openLog, func() (cold.Store, error) {
			return duckdb.Open(filepath.Join(a.data, "cold.duckdb"), duckdb.Options{})
		})
	})
	t.Run("redis and clickhouse", func(t *testing.T) {
		r, c := redistest.Start(t), clickhousetest.Start(t)
		n := startNode(t, binary(t, ""), "--data", t.TempDir(), "--hot", r.URL(), "--cold", c.URL("weir"))
		f := &fleet{t: t, hot: r.URL()}
		openLog := func() (hot.Store, func(), error) { return f.openLog() }
		testPlaces(t, n, openLog, func() (cold.Store, error) {
			u, err := clickhouse.Parse(c.URL("weir"))
			if err != nil {
				return nil, err
			}
			return clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: time.Minute})
		})
	})
}

func testPlaces(t *testing.T, n *node, openLog func() (hot.Store, func(), error), openCold func() (cold.Store, error)) {
	p := n.project("UTC")
	if r := n.send(p, adasEvents); r.Accepted != 10 {
		t.Fatalf("%+v", r)
	}
	api := "/api/v1/projects/" + p.ID
	answer := func(method, path, body string) func() string {
		return func() string {
			raw, status := n.do(method, api+path, adminToken, "application/json", strings.NewReader(body))
			if status != http.StatusOK {
				t.Errorf("%s %s: %d %s", method, path, status, raw)
			}
			return string(raw)
		}
	}
	byProfile := `{"kind":"trend","from":"-7d","to":"today","interval":"day","series":[{"math":"total"}],"breakdown":"profile_id","freshness":"1h"}`
	answers := []place{
		{"events", answer("GET", "/events?limit=100", ""), false},
		{"the list of profiles", answer("GET", "/profiles", ""), false},
		{"the profile of another", answer("GET", "/profiles/bob", ""), false},
		{"the export of another", answer("GET", "/profiles/bob/export", ""), false},
		{"the overview", answer("GET", "/stats/overview", ""), false},
		{"a kept answer", answer("POST", "/query", byProfile), false},
	}
	stored := func() (places []place, done func()) {
		n.stop()
		log, closeLog, err := openLog()
		if err != nil {
			t.Fatal(err)
		}
		store, err := openCold()
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"events", "visits", "identities", "aliases", "traits", "sightings"} {
			places = append(places, place{"the table " + table, func() string { return tableText(t, store, table) }, false})
		}
		return append(places,
			place{"open visits", func() string { return openVisits(t, log) }, true}, // until the next sweep
			place{"the counters of consumers", func() string { return consumers(t, log, p.ID) }, false},
		), func() { _ = store.Close(); closeLog() }
	}
	look := func(places []place, erased bool) {
		t.Helper()
		for _, place := range places {
			text := place.read()
			if !erased && !strings.Contains(text, idsOfAda) {
				t.Errorf("%s: has none of her ids, so nothing can be erased from it: %s", place.name, text)
			}
			if erased && !place.stays && strings.Contains(text, idsOfAda) {
				t.Errorf("%s: has an id of who was erased: %s", place.name, text)
			}
		}
	}
	look(answers, false)
	places, done := stored()
	look(places, false)
	done()
	n.start()
	n.call("DELETE", api+"/profiles/ada-profile-7f3a", nil, nil, http.StatusOK)
	n.call("GET", api+"/profiles/ada-profile-7f3a", nil, nil, http.StatusNotFound)
	look(answers, true)
	places, done = stored()
	defer done()
	look(places, true)
	if log := n.log.String(); strings.Contains(log, idsOfAda) {
		t.Errorf("the server's log has an id: %s", log)
	}
}

// tableText is all of a table.
func tableText(t *testing.T, store cold.Store, table string) string {
	rows, err := store.Query(context.Background(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			fmt.Fprintf(&b, "%v|", v)
		}
		b.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func openVisits(t *testing.T, log hot.Log) string {
	var b strings.Builder
	for shard := range log.Shards() {
		for cursor := ""; ; {
			page, next, err := log.ScanState(context.Background(), shard, cursor, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				fmt.Fprintf(&b, "%s %s\n", c.Key, c.Value)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return b.String()
}

func consumers(t *testing.T, log hot.Store, project string) string {
	now := time.Now()
	var all []string
	for _, grain := range hot.Grains {
		members, err := log.Members(context.Background(), project, grain, hot.Consumer, now.Add(-48*time.Hour), now.Add(time.Hour), 100)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(members))
	}
	return strings.Join(all, "\n")
}
