package duckdb

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
)

func TestTen(t *testing.T) {
	p := "/tmp/ten.duckdb"
	if _, err := os.Stat(p); err != nil {
		s, err := Open(p, Options{})
		if err != nil { t.Fatal(err) }
		t0 := time.Now()
		for part := range 10 {
		_, err = s.db.Exec(fmt.Sprintf(`INSERT INTO events SELECT 'demo1234', ts, name, uuid()::varchar, ts + interval 1 second, CASE WHEN dev %% 20 = 0 THEN 'user' || dev ELSE '' END,
			md5(dev::varchar), md5(v::varchar), CASE WHEN dev %% 20 = 0 THEN 'uuser' || dev ELSE 'd' || md5(dev::varchar) END, '/blog/article-' || (hash(v,i) %% 500), 'https://www.example.com', 'Some article', ['google.com','','bing.com','t.co'][1 + v %% 4], ['search','direct','search','social'][1+v%%4],
			'','','','','', ['DE','US','FR','IN','BR'][1 + dev %% 5], 'R' || dev %% 20, 'C' || dev %% 200, ['Chrome','Safari','Firefox'][1 + dev %% 3], '131.0.0', ['Windows','iOS','Linux'][1 + dev %% 3], '10', ['desktop','phone','desktop'][1 + dev %% 3], dev %% 50 = 7, 'de-DE', 'web/1.2.3',
			NULL,NULL,NULL,NULL,NULL,NULL,'', '{"plan":"pro","price":' || (hash(v, i, 3) %% 1000) || ',"screen":"1920x1080"}', '', '', '', 0, (hash(dev) %% 8)::int, v * 8 + i
			FROM (SELECT *, (hash(v) %% 400000)::bigint AS dev, CASE WHEN hash(v,i,7) %% 10 < 6 THEN 'screen_view' ELSE 'click' END AS name,
			  make_timestamp(1767225600000000 + v * 2073600 + i * 40000000 + (hash(v,i) %% 1000000)::bigint) AS ts
			  FROM (SELECT range AS v FROM range(%d, %d)), (SELECT range AS i FROM range(8)))
			ORDER BY ts`, part*125000, (part+1)*125000))
		if err != nil { t.Fatal(err) }
		}
		fmt.Println("gen", time.Since(t0))
		if err := s.Close(); err != nil { t.Fatal(err) }
	}
	t0 := time.Now()
	s, err := Open(p, Options{})
	if err != nil { t.Fatal(err) }
	defer s.Close()
	fi, _ := os.Stat(p)
	fmt.Println("open", time.Since(t0), "size", fi.Size()>>20)
	qb, _ := os.ReadFile(os.Getenv("SQL"))
	var ds []time.Duration
	n := 0
	for range 7 {
		t0 := time.Now(); c0 := cpu()
		rows, err := s.Query(context.Background(), string(qb), binds()...)
		if err != nil { t.Fatal(err) }
		cols, _ := rows.Columns()
		n = 0
		for rows.Next() {
			v := make([]any, len(cols)); pv := make([]any, len(cols))
			for i := range v { pv[i] = &v[i] }
			rows.Scan(pv...)
			if n < 2 && len(ds) == 0 { fmt.Println(v...) }
			n++
		}
		if err := rows.Err(); err != nil { t.Fatal(err) }
		rows.Close()
		_ = t0
		ds = append(ds, (cpu()-c0)/2)
	}
	sort.Slice(ds, func(i, j int) bool { return ds[i] < ds[j] })
	fmt.Println("min", ds[0], "median", ds[3], "rows", n, "rss", rss())
}
func binds() []any {
	if s := os.Getenv("BIND"); s != "" {
		var r []any
		for _, f := range strings.Fields(s) { r = append(r, f) }
		return r
	}
	return nil
}
