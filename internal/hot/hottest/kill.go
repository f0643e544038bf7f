package hottest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

const childEnv = "HOTTEST_PLACE"

// Main runs the tests, or, in the process that the kill test starts, the
// writer that gets killed. Call it from TestMain.
func Main(m *testing.M, open Open) {
	if place := os.Getenv(childEnv); place != "" {
		fmt.Println("error:", write(open, place))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// write appends until an error, and tells each id after it was acknowledged. Between
// appends it drains, so that a kill falls into commits too.
func write(open Open, place string) error {
	ctx := context.Background()
	s, err := open(place, Config{})
	if err != nil {
		return err
	}
	run := fmt.Sprint(time.Now().UnixNano())
	for shard := range s.Shards() {
		go func() {
			for {
				l, err := s.Claim(ctx, shard, "child", time.Minute)
				if err != nil {
					continue
				}
				p, _ := s.Progress(ctx, shard)
				head, _ := s.Head(ctx, shard)
				in := hot.Intent{First: p.Committed + 1, Last: max(p.Committed, head-min(head, 20)), Now: time.Now()}
				if s.Intend(ctx, l, in) == nil {
					_ = s.Commit(ctx, l, in, []hot.Change{{Key: "last", Value: fmt.Append(nil, in.Last)}})
				}
			}
		}()
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		var events []weir.Event
		for j := range 1 + i%20 {
			now := time.Now()
			e := killed(fmt.Sprintf("%s-%d-%d", run, i, j), j)
			e.Name, e.Time, e.ReceivedAt = "x", now, now
			events = append(events, e)
		}
		if _, err := s.Append(ctx, items(events)); err != nil {
			return err
		}
		for _, e := range events {
			fmt.Println(e.ID)
		}
	}
}

// killed returns the j-th event of an append of the writer.
func killed(id string, j int) weir.Event {
	return weir.Event{ID: id, ProjectID: "p", DeviceID: fmt.Sprint("d", j%7)}
}

func (s suite) testKill(t *testing.T) {
	place := s.place(t)
	acked := map[string]bool{}
	var sent []weir.Event
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+place)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		told, until := 0, 200+rand.IntN(2000)
		for lines.Scan() {
			id := lines.Text()
			if strings.HasPrefix(id, "error:") {
				t.Fatal(id)
			}
			if id == "ready" {
				continue
			}
			acked[id] = true
			_, n, _ := strings.Cut(id[strings.IndexByte(id, '-')+1:], "-")
			j, err := strconv.Atoi(n)
			if err != nil {
				t.Fatalf("the writer says %q", id)
			}
			sent = append(sent, killed(id, j))
			if told++; told == until {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		if told < until {
			t.Fatalf("round %d: the writer ended by itself after %d events", round, told)
		}
		s.checkAfterKill(t, place, acked, sent)
	}
}

func (s suite) checkAfterKill(t *testing.T, place string, acked map[string]bool, sent []weir.Event) {
	t.Helper()
	st, err := s.open(place, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	// What is committed left the log: those seqs and the log's add up to the
	// counter, and to the unique ids if each acknowledged one is still known.
	var events int64
	left := all(t, st)
	for shard := range st.Shards() {
		p, err := st.Progress(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		head, err := st.Head(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		events += int64(head)
		if last, ok := state(t, st, shard)["last"]; ok && last != fmt.Sprint(p.Committed) {
			t.Fatalf("shard %d: state of commit %s, committed %d", shard, last, p.Committed)
		}
	}
	now := time.Now()
	points, err := st.Series(t.Context(), "p", hot.Day, hot.Total, "", now.Add(-48*time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var counted int64
	for _, p := range points {
		counted += p.Count
	}
	if counted != events {
		t.Fatalf("the log took %d events, the counter says %d", events, counted)
	}
	day := hot.Day.Start(now, time.UTC)
	found, err := st.Inquire(t.Context(), "p", hot.Inquiry{Tables: []hot.Question{
		{Grain: hot.Day, Dimension: hot.Name, Starts: []time.Time{day.AddDate(0, 0, -1), day}, Top: 1},
	}})
	if err != nil || found.Tables[0].Sum() != events {
		t.Fatalf("the log took %d events, an inquiry says %v (%v)", events, found, err)
	}
	if events < int64(len(acked)) {
		t.Fatalf("%d events were acknowledged, %d are there", len(acked), events)
	}
	for i := 0; i < len(sent); i += 1000 {
		part := sent[i:min(i+1000, len(sent))]
		dups, err := st.Append(t.Context(), items(part))
		if err != nil {
			t.Fatal(err)
		}
		if len(dups) != len(part) {
			t.Fatalf("%d of %d acknowledged ids are not known any more", len(part)-len(dups), len(part))
		}
	}
	for id := range left {
		if id == "" {
			t.Fatal("an event without id in the log")
		}
	}
}
