package clickhouse_test

import (
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

func TestAnAddressIsRead(t *testing.T) {
	u, err := clickhouse.Parse("clickhouse://we%40ir:p%3Aw%2Fd@a,b:9001,[::1]:9002/db_1?cluster=main&replicated=true&policy=tiered&cold_volume=slow&cold_after=90&max_memory=1000&max_time=90s&fsync=false")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(u.Addrs, " "); got != "a:9000 b:9001 [::1]:9002" {
		t.Errorf("addresses %q", got)
	}
	if u.User != "we@ir" || u.Password != "p:w/d" || u.Database != "db_1" || u.TLS != nil {
		t.Errorf("%+v", u)
	}
	if u.Cluster != "main" || !u.Replicated || u.Policy != "tiered" || u.ColdVolume != "slow" || u.ColdAfter != 90 || u.MaxMemory != 1000 || u.MaxTime != 90*time.Second || u.Fsync {
		t.Errorf("%+v", u)
	}
	if u, err = clickhouse.Parse("clickhouses://h?insecure=true"); err != nil || u.Addrs[0] != "h:9440" || u.Database != "weir" || u.User != "default" || !u.TLS.InsecureSkipVerify {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestAnAddressThatIsWrongIsRefusedWithoutItsPassword(t *testing.T) {
	for address, want := range map[string]string{
		"redis://h":                                "clickhouse://HOST",
		"clickhouse://":                            "host is missing",
		"clickhouse://a,,b":                        "host is missing",
		"clickhouse://h:port":                      "HOST:PORT",
		"clickhouse://h:70000":                     "HOST:PORT",
		"clickhouse://u:secret%zz@h":               "%25",
		"clickhouse://u:secret@h/a-b":              "database",
		"clickhouse://u:secret@h/d;DROP":           "database",
		"clickhouse://u:secret@h?what=1":           "unknown option",
		"clickhouse://u:secret@h?%zz":              "NAME=VALUE",
		"clickhouse://u:secret@h?cluster=a'b":      "cluster",
		"clickhouse://u:secret@h?cold_after=x":     "cold_after",
		"clickhouse://u:secret@h?cold_after=-1":    "cold_after",
		"clickhouse://u:secret@h?cold_after=3":     "policy",
		"clickhouse://u:secret@h?replicated=maybe": "replicated",
		"clickhouse://u:secret@h?replicated=true":  "cluster",
		"clickhouse://u:secret@h?max_time=5":       "max_time",
		"clickhouse://u:secret@h?max_time=5ms":     "max_time",
		"clickhouse://u:secret@h?insecure=true":    "clickhouses://",
		"clickhouse://u:secret@h?ca=x":             "clickhouses://",
		"clickhouses://u:secret@h?ca=/no/file":     "ca",
		"clickhouses://u:secret@h?cert=/no/file":   "go together",
	} {
		_, err := clickhouse.Parse(address)
		if weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want EINVALID with %q", address, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("clickhouse://u:p@h:1,[::1]:2/db?cluster=x&cold_after=3&policy=p")
	f.Add("clickhouses://%40:@,/?=&")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := clickhouse.Parse(s)
		if err != nil {
			if weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%v is not EINVALID", err)
			}
			return
		}
		if len(u.Addrs) == 0 || strings.ContainsAny(u.Database+u.Cluster+u.Policy+u.ColdVolume, "'`\" ;\\") {
			t.Errorf("%+v", u)
		}
	})
}

func TestPlacesOfArgumentsAreNamed(t *testing.T) {
	got, args, err := clickhouse.Bindings(`SELECT '?', 'it''s ?', '\'?', x FROM t WHERE a = ? AND b IN (?, ?) AND c = ? AND d = ?`, []any{"s", int64(-1), 2.5, true, uint64(7)})
	const want = `SELECT '?', 'it''s ?', '\'?', x FROM t WHERE a = {p1:String} AND b IN ({p2:Int64}, {p3:Float64}) AND c = {p4:Bool} AND d = {p5:UInt64}`
	if err != nil || got != want || len(args) != 5 {
		t.Errorf("%s\n%v, %v", got, args, err)
	}
	for q, args := range map[string][]any{"? ?": {1}, "?": {1, 2}, "x": {1}, "a ?": {[]byte("x")}} {
		if _, _, err := clickhouse.Bindings(q, args); err == nil {
			t.Errorf("%s with %v is taken", q, args)
		}
	}
}
