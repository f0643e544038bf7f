package clickhousetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
)

func TestLaterConfigurationHolds(t *testing.T) {
	const query = "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'"
	if got := clickhousetest.Start(t).Do(query); got != "4294967296" {
		t.Errorf("without options: %s bytes", got)
	}
	s := clickhousetest.Start(t,
		clickhousetest.Config("<max_server_memory_usage>2000000000</max_server_memory_usage>"),
		clickhousetest.Config("<max_server_memory_usage>3000000000</max_server_memory_usage>"))
	if got := s.Do(query); got != "3000000000" {
		t.Errorf("with options: %s bytes", got)
	}
}

func TestAServerHasATimezone(t *testing.T) {
	for _, c := range []struct {
		options []clickhousetest.Option
		want    string
	}{
		{nil, "UTC"},
		{[]clickhousetest.Option{clickhousetest.Timezone("Asia/Tokyo")}, "Asia/Tokyo"},
	} {
		if got := clickhousetest.Start(t, c.options...).Do("SELECT serverTimezone()"); got != c.want {
			t.Errorf("time zone is %q, want %q", got, c.want)
		}
	}
}

func TestQueriesAreLoggedIfWanted(t *testing.T) {
	if _, err := clickhousetest.Start(t).Try("SELECT 1 FROM system.query_log"); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TABLE") {
		t.Errorf("without the option: %v", err)
	}
	s := clickhousetest.Start(t, clickhousetest.QueryLog())
	const logged = "SELECT count() FROM system.query_log WHERE type = 'QueryFinish' AND query LIKE 'SELECT 1 + %'"
	// A query's end may be logged a moment after its answer.
	find := func(want, when string) {
		t.Helper()
		got := ""
		for end := time.Now().Add(20 * time.Second); got != want && time.Now().Before(end); {
			s.Do("SYSTEM FLUSH LOGS")
			got = s.Do(logged)
		}
		if got != want {
			t.Errorf("%s: %s queries are logged, want %s", when, got, want)
		}
	}
	s.Do("SELECT 1 + 1")
	find("1", "at first")
	s.Restart()
	s.Do("SELECT 1 + 2")
	find("2", "after a restart")
}

func TestTheColdVolumeTakesParts(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE DATABASE weir")
	s.Do(`CREATE TABLE weir.t (day Date, a Int64) ENGINE = MergeTree PARTITION BY day ORDER BY a
		TTL day + INTERVAL 10 YEAR TO VOLUME 'cold' SETTINGS storage_policy = 'tiered'`)
	s.Do("INSERT INTO weir.t VALUES ('2025-01-01', 1), ('2025-01-02', 2), ('2001-01-01', 3)")
	const disks = "SELECT partition, disk_name FROM system.parts WHERE database = 'weir' AND active ORDER BY partition"
	if got := s.Do(disks); got != "2001-01-01\tcold\n2025-01-01\thot\n2025-01-02\thot" {
		t.Errorf("parts lie on %q", got)
	}
	s.Do("ALTER TABLE weir.t MOVE PARTITION '2025-01-01' TO VOLUME 'cold'")
	s.Restart()
	if got := s.Do(disks); got != "2001-01-01\tcold\n2025-01-01\tcold\n2025-01-02\thot" {
		t.Errorf("after the move parts lie on %q", got)
	}
	if got := s.Do("SELECT sum(a) FROM weir.t"); got != "6" {
		t.Errorf("the table has %s", got)
	}
}

func TestTheSmallPoolsMergeAndMutate(t *testing.T) {
	s := clickhousetest.Start(t)
	s.Do("CREATE DATABASE weir")
	s.Do("CREATE TABLE weir.t (a Int64) ENGINE = MergeTree ORDER BY a")
	for range 3 {
		s.Do("INSERT INTO weir.t SELECT number FROM numbers(10)")
	}
	s.Do("ALTER TABLE weir.t DELETE WHERE a >= 5 SETTINGS mutations_sync = 1")
	s.Do("OPTIMIZE TABLE weir.t FINAL")
	if got := s.Do("SELECT sum(rows), count() FROM system.parts WHERE database = 'weir' AND active"); got != "15\t1" {
		t.Errorf("rows and parts: %q", got)
	}
}

// A library that can do more is welcome: then Cluster gets replicas of its own.
func TestReplicatedTablesAreDefinedOnly(t *testing.T) {
	s := clickhousetest.StartCluster(t, 1, 1, clickhousetest.Keeper()).Servers[0]
	s.Do("CREATE DATABASE weir")
	s.Do("CREATE TABLE weir.t (a Int64) ENGINE = ReplicatedMergeTree('/tables/{shard}/t', '{replica}') ORDER BY a")
	if got := s.Do("SELECT zookeeper_path, replica_name FROM system.replicas"); got != "/tables/1/t\t1" {
		t.Errorf("the replica is %q", got)
	}
	if _, err := s.Try("INSERT INTO weir.t SETTINGS insert_keeper_max_retries = 0 VALUES (1)"); err == nil || !strings.Contains(err.Error(), "TABLE_IS_READ_ONLY") {
		t.Errorf("an insert: %v", err)
	}
	if _, err := s.Try("DROP TABLE weir.t ON CLUSTER weir"); err == nil || !strings.Contains(err.Error(), "Replicated DDL queries are disabled") {
		t.Errorf("a statement for the cluster: %v", err)
	}
}
