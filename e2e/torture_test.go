package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// Clients post events with ids that they know and try again on any doubt, while
// the server is killed at random moments. Afterwards what is stored must be
// what was acknowledged, once.

func kills(t *testing.T) int {
	s := os.Getenv("WEIR_TORTURE_KILLS")
	if s == "" {
		return 8
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("WEIR_TORTURE_KILLS=%q", s)
	}
	return n
}

func TestTortureLosesAndDoublesNothing(t *testing.T) {
	tr := newTorture(t, binary(t, ""))
	tr.run(kills(t))
	if err := tr.check(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d events acknowledged, %d batches sent again", tr.kills, len(tr.acked), tr.again.Load())
}

// The torture must notice a server that commits a batch before it is written.
func TestTortureNoticesAPlantedBug(t *testing.T) {
	tr := newTorture(t, binary(t, "planted"))
	tr.run(max(8, kills(t)/3))
	err := tr.check()
	if err == nil {
		t.Fatal("the planted bug went unnoticed")
	}
	if !errors.Is(err, errMissing) {
		t.Fatalf("noticed something else: %v", err)
	}
	t.Log("noticed:", err)
}

type torture struct {
	t       *testing.T
	path    string
	data    string
	addr    string
	project project
	srv     *server
	kills   int

	mu    sync.Mutex
	acked []sent
	again atomic.Int64
}

// sent is an event as a client sent it.
type sent struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Device string    `json:"device_id"`
	Path   string    `json:"path,omitempty"`
	Time   time.Time `json:"ts"`
}

func newTorture(t *testing.T, path string) *torture {
	tr := &torture{t: t, path: path, data: t.TempDir(), addr: freeAddr(t)}
	tr.srv = tr.start()
	tr.project = tr.srv.project("UTC")
	return tr
}

func (tr *torture) start() *server {
	return start(tr.t, tr.path, "--listen", tr.addr, "--data", tr.data, "--log-level", "error")
}

// run lets the clients send while the server is killed n times, then stops it in order.
func (tr *torture) run(n int) {
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 6 {
		clients.Go(func() { tr.client(c, stop) })
	}
	for range n {
		time.Sleep(time.Duration(150+rand.IntN(1000)) * time.Millisecond)
		tr.srv.kill()
		tr.kills++
		tr.srv = tr.start()
	}
	time.Sleep(200 * time.Millisecond)
	close(stop)
	clients.Wait()
	tr.srv.stop()
}

// client sends batches until stop; each until it is acknowledged. The devices
// are its own, so that their events keep their order.
func (tr *torture) client(c int, stop <-chan struct{}) {
	r := rand.New(rand.NewPCG(uint64(c), 7))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	clock := map[string]time.Time{}
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		batch := make([]sent, 1+r.IntN(60))
		for i := range batch {
			device := fmt.Sprintf("c%d-d%d", c, r.IntN(12))
			at, ok := clock[device]
			if !ok {
				at = time.Now().UTC().Add(-20 * time.Hour).Truncate(time.Millisecond)
			}
			at = at.Add([]time.Duration{time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond, time.Second}[r.IntN(4)])
			if r.IntN(100) == 0 && time.Since(at) > time.Hour {
				at = at.Add(31 * time.Minute)
			}
			clock[device] = at
			e := sent{ID: fmt.Sprintf("c%d-%d-%d", c, n, i), Device: device, Time: at}
			if e.Name = []string{"screen_view", "screen_view", "click", "buy"}[r.IntN(4)]; e.Name == "screen_view" {
				e.Path = fmt.Sprint("/", r.IntN(20))
			}
			batch[i] = e
		}
		body, err := json.Marshal(batch)
		if err != nil {
			panic(err)
		}
		for began := time.Now(); !tr.post(client, body, len(batch)); {
			if time.Since(began) > time.Minute {
				tr.t.Errorf("a batch is not acknowledged within a minute: %s", body)
				return
			}
			tr.again.Add(1)
			time.Sleep(20 * time.Millisecond)
		}
		tr.mu.Lock()
		tr.acked = append(tr.acked, batch...)
		tr.mu.Unlock()
	}
}

// post says whether the batch is acknowledged whole.
func (tr *torture) post(client *http.Client, body []byte, n int) bool {
	req, err := http.NewRequest("POST", "http://"+tr.addr+"/v1/events", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+tr.project.Key)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return false
	}
	var r reply
	return json.Unmarshal(raw, &r) == nil && r.Accepted+r.Duplicates == n && len(r.Rejected) == 0
}

var errMissing = errors.New("an acknowledged event is missing")

// check compares the stores with what was acknowledged.
func (tr *torture) check() error {
	db, err := sql.Open("duckdb", filepath.Join(tr.data, "cold.duckdb")+"?access_mode=read_only")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := tr.checkIDs(db); err != nil {
		return err
	}
	if err := tr.checkCounters(db); err != nil {
		return err
	}
	return tr.checkVisits(db)
}

func (tr *torture) checkIDs(db *sql.DB) error {
	stored := map[string]int{}
	rows, err := db.Query(`SELECT id, count(*) FROM events GROUP BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return err
		}
		stored[id] = n
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, e := range tr.acked {
		switch n := stored[e.ID]; n {
		case 1:
		case 0:
			return fmt.Errorf("%w: %s", errMissing, e.ID)
		default:
			return fmt.Errorf("event %s is stored %d times", e.ID, n)
		}
	}
	// Each batch was sent until it was acknowledged, so nothing else was sent.
	if len(stored) != len(tr.acked) {
		return fmt.Errorf("%d events are stored, %d were sent", len(stored), len(tr.acked))
	}
	return nil
}

func (tr *torture) checkCounters(db *sql.DB) error {
	log, err := pebble.Open(filepath.Join(tr.data, "hot"), pebble.Options{})
	if err != nil {
		return err
	}
	defer log.Close()
	for _, name := range []string{"screen_view", "click", "buy"} {
		cold := map[int64]int64{}
		rows, err := db.Query(`SELECT epoch_us(ts)//60000000, count(*) FROM events WHERE name = ? GROUP BY 1`, name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var minute, n int64
			if err := rows.Scan(&minute, &n); err != nil {
				return err
			}
			cold[minute] = n
		}
		if err := rows.Err(); err != nil {
			return err
		}
		points, err := log.Series(tr.t.Context(), tr.project.ID, hot.Minute, hot.Name, name, time.Now().Add(-48*time.Hour), time.Now().Add(480*time.Hour))
		if err != nil {
			return err
		}
		if len(points) != len(cold) {
			return fmt.Errorf("%s: counters of %d minutes, events in %d", name, len(points), len(cold))
		}
		for _, p := range points {
			if n := cold[p.Start.Unix()/60]; n != p.Count {
				return fmt.Errorf("%s at %v: the counter says %d, %d are stored", name, p.Start, p.Count, n)
			}
		}
	}
	return nil
}

// sitting is a visit as a scan over a device's events finds it.
type sitting struct {
	start, end                time.Time
	events, views, acts, page int64 // page: ms on pages that were left
	entry, exit               string
}

func (tr *torture) checkVisits(db *sql.DB) error {
	byDevice := map[string][]sent{}
	for _, e := range tr.acked { // a device's events were appended in order
		byDevice[e.Device] = append(byDevice[e.Device], e)
	}
	for device, events := range byDevice {
		want := scanVisits(events)
		got, err := storedVisits(db, device)
		if err != nil {
			return err
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("visits of %s:\n got %+v\nwant %+v", device, got, want)
		}
	}
	return nil
}

func scanVisits(events []sent) []sitting {
	var visits []sitting
	var last, view time.Time
	for _, e := range events {
		if len(visits) == 0 || e.Time.Sub(last) > 30*time.Minute || e.Time.Sub(visits[len(visits)-1].start) > 24*time.Hour {
			visits = append(visits, sitting{start: e.Time})
			view = time.Time{}
		}
		v := &visits[len(visits)-1]
		v.end, last = e.Time, e.Time
		v.events++
		if e.Name != "screen_view" {
			v.acts++
			continue
		}
		v.views++
		if !view.IsZero() {
			v.page += e.Time.Sub(view).Milliseconds()
		}
		if v.entry == "" {
			v.entry = e.Path
		}
		v.exit, view = e.Path, e.Time
	}
	return visits
}

func storedVisits(db *sql.DB, device string) ([]sitting, error) {
	rows, err := db.Query(`
		SELECT min(v.start_at) s, max(v.end_at), sum(v.events)::BIGINT, sum(v.screen_views)::BIGINT, sum(v.interactive)::BIGINT,
			coalesce(arg_min(v.entry, v.entry_at), ''), coalesce(arg_max(v.exit, v.exit_at), ''),
			(SELECT coalesce(sum(e.closes_ms), 0)::BIGINT FROM events e WHERE e.device_id = ? AND e.session_id = v.session_id)
		FROM visits v WHERE v.device_id = ? GROUP BY v.session_id ORDER BY s`, device, device)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var visits []sitting
	for rows.Next() {
		var v sitting
		if err := rows.Scan(&v.start, &v.end, &v.events, &v.views, &v.acts, &v.entry, &v.exit, &v.page); err != nil {
			return nil, err
		}
		v.start, v.end = v.start.UTC(), v.end.UTC()
		visits = append(visits, v)
	}
	return visits, rows.Err()
}
