package clickhousetest

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// serverConfig is the configuration of every server: the folder, the ports, modest
// caches and pools, and the storage policy. No log table is named, so there is none.
// https://clickhouse.com/docs/operations/server-configuration-parameters/settings
//
// The level of the log stands apart from its section, since a server that is
// started as clickhouse-local looks for it there.
const serverConfig = `<clickhouse>
	<log-level>warning</log-level>
	<logger><console>1</console></logger>
	<path>%[1]s/</path>
	<listen_host>127.0.0.1</listen_host>
	<tcp_port>%[2]d</tcp_port>
	<http_port>%[3]d</http_port>
	<users_config>users.xml</users_config>

	<max_server_memory_usage>4294967296</max_server_memory_usage>
	<mark_cache_size>134217728</mark_cache_size>
	<index_mark_cache_size>33554432</index_mark_cache_size>
	<primary_index_cache_size>33554432</primary_index_cache_size>
	<mmap_cache_size>64</mmap_cache_size>
	<compiled_expression_cache_size>33554432</compiled_expression_cache_size>
	<memory_worker_period_ms>500</memory_worker_period_ms>

	<background_pool_size>2</background_pool_size>
	<background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
	<background_move_pool_size>1</background_move_pool_size>
	<background_fetches_pool_size>1</background_fetches_pool_size>
	<background_common_pool_size>2</background_common_pool_size>
	<background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
	<background_schedule_pool_size>8</background_schedule_pool_size>
	<background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
	<background_distributed_schedule_pool_size>2</background_distributed_schedule_pool_size>
	<merge_tree>
		<!-- Each must be less than the slots of the pool, 2 × 2. -->
		<number_of_free_entries_in_pool_to_lower_max_size_of_merge>2</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
		<number_of_free_entries_in_pool_to_execute_mutation>2</number_of_free_entries_in_pool_to_execute_mutation>
		<number_of_free_entries_in_pool_to_execute_optimize_entire_partition>2</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
	</merge_tree>

	<storage_configuration>
		<disks>
			<hot><type>local</type><path>%[1]s/hot/</path></hot>
			<cold><type>local</type><path>%[1]s/cold/</path></cold>
		</disks>
		<policies>
			<tiered>
				<volumes>
					<hot><disk>hot</disk></hot>
					<cold><disk>cold</disk></cold>
				</volumes>
				<!-- Parts move by age alone, not since the machine's disk is nearly full. -->
				<move_factor>0</move_factor>
			</tiered>
		</policies>
	</storage_configuration>
</clickhouse>
`

// Option changes how a server is set up.
type Option func(*setup)

// setup is what the options say.
type setup struct {
	parts    []string // of the server's configuration, without the root element
	users    []user
	timezone string
}

type user struct {
	name, password string
	grants         []string // without GRANT and TO
}

// Config adds to the server's configuration, or replaces in it: elements of
// config.xml without the root ("<max_server_memory_usage>…</max_server_memory_usage>").
func Config(elements string) Option {
	return func(s *setup) { s.parts = append(s.parts, elements) }
}

// QueryLog has the server keep the table system.query_log. SYSTEM FLUSH LOGS
// writes what is still in memory.
func QueryLog() Option {
	return Config(`<query_log><database>system</database><table>query_log</table><flush_interval_milliseconds>1000</flush_interval_milliseconds></query_log>`)
}

// Timezone sets the server's own time zone ("Asia/Tokyo"), which is UTC without it.
func Timezone(name string) Option {
	return func(s *setup) { s.timezone = name }
}

// Keeper has the server accept tables of ReplicatedMergeTree, with a keeper
// within the process that forgets all when it ends. They stay read-only (see
// Cluster): it is for the definitions alone.
func Keeper() Option {
	return Config(`<zookeeper><implementation>testkeeper</implementation></zookeeper>`)
}

// User adds a user who may do only what the grants say, each without the GRANT and
// the name ("SELECT ON weir.events"). It stands in for CREATE USER, which these
// servers refuse: they have no place for users but their configuration.
func User(name, password string, grants ...string) Option {
	return func(s *setup) { s.users = append(s.users, user{name, password, grants}) }
}

// configure writes the files of the server's configuration.
func (s *Server) configure(options []Option) {
	s.t.Helper()
	up := setup{timezone: "UTC"}
	for _, option := range options {
		option(&up)
	}
	s.timezone = up.timezone
	s.passwords = make(map[string]string, len(up.users))
	for _, u := range up.users {
		s.passwords[u.name] = u.password
	}
	files := map[string]string{
		s.configPath():                    fmt.Sprintf(serverConfig, escape(s.Dir), s.port, s.httpPort),
		filepath.Join(s.Dir, "users.xml"): up.usersConfig(),
		// Without it the tables of logs are lost, and stand in their own way, when
		// the server is started again.
		filepath.Join(s.Dir, "metadata", "system.sql"): "ATTACH DATABASE _ UUID '00000000-0000-4000-8000-000000000001' ENGINE = Atomic",
	}
	// What lies in config.d is merged into config.xml, in the order of the names.
	for i, elements := range up.parts {
		files[filepath.Join(s.Dir, "config.d", fmt.Sprintf("%02d.xml", i))] = "<clickhouse>" + elements + "</clickhouse>"
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// usersConfig is users.xml.
func (s *setup) usersConfig() string {
	var b strings.Builder
	b.WriteString(`<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>`)
	b.WriteString(`<default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>` +
		`<access_management>1</access_management><named_collection_control>1</named_collection_control></default>`)
	for _, u := range s.users {
		fmt.Fprintf(&b, "<%s><password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota><grants>",
			u.name, escape(u.password))
		for _, grant := range u.grants {
			fmt.Fprintf(&b, "<query>%s</query>", escape("GRANT "+grant))
		}
		fmt.Fprintf(&b, "</grants></%s>", u.name)
	}
	b.WriteString(`</users></clickhouse>`)
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
