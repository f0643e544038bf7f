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
// appends it drains, so that a kill falls into commits too, and subtracts every fourth
// append from the counters: before that it tells the number of that append.
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
		for _, r := range killed(run, i, s.Shards()) {
			events = append(events, r.Event)
		}
		if _, err := s.Append(ctx, items(events)); err != nil {
			return err
		}
		for _, e := range events {
			fmt.Println(e.ID)
		}
		if i%4 == 3 {
			fmt.Println(subtracted, run, i)
			if err := subtract(ctx, s, run, i); err != nil {
				return err
			}
		}
	}
}

const subtracted = "subtract"

// subtract subtracts the writer's i-th append from the counters.
func subtract(ctx context.Context, s hot.Store, run string, i int) error {
	return s.Subtract(ctx, "p", hot.Step{ID: run, Number: uint64(i)}, hot.Amounts(killed(run, i, s.Shards()), time.UTC))
}

// killed returns the events of the writer's i-th append. The run is the time when it began, in
// nanoseconds since 1970.
func killed(run string, i, shards int) []weir.EventRow {
	nanos, err := strconv.ParseInt(run, 10, 64)
	if err != nil {
		panic(err)
	}
	began := time.Unix(0, nanos)
	rows := make([]weir.EventRow, 1+i%20)
	for j := range rows {
		rows[j].Event = weir.Event{
			ID: fmt.Sprintf("%s-%d-%d", run, i, j), ProjectID: "p", DeviceID: fmt.Sprint("d", j%7),
			Name: "x", Time: began, ReceivedAt: began,
		}
		rows[j].Shard = hot.ShardOf(&rows[j].Event, shards)
	}
	return rows
}

func (s suite) testKill(t *testing.T) {
	place := s.place(t)
	acked := map[string]bool{}
	var sent []weir.Event
	var last []string // words of the last line that tells a subtraction
	var gone int      // events that are subtracted
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
			if strings.HasPrefix(id, subtracted) {
				last = strings.Fields(id)
				gone += 1 + number(t, last[2])%20
				continue
			}
			acked[id] = true
			words := strings.Split(id, "-")
			sent = append(sent, killed(words[0], number(t, words[1]), 1)[number(t, words[2])].Event)
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
		s.checkAfterKill(t, place, acked, sent, last, int64(gone))
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("the writer says %q", text)
	}
	return n
}

func (s suite) checkAfterKill(t *testing.T, place string, acked map[string]bool, sent []weir.Event, last []string, gone int64) {
	t.Helper()
	st, err := s.open(place, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	// The last subtraction is done or not. It is repeated; if it is done, nothing changes.
	for range 2 {
		if err := subtract(t.Context(), st, last[1], number(t, last[2])); err != nil {
			t.Fatal(err)
		}
	}
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
	if counted != events-gone {
		t.Fatalf("the log took %d events and %d are subtracted, the counter says %d", events, gone, counted)
	}
	day := hot.Day.Start(now, time.UTC)
	found, err := st.Inquire(t.Context(), "p", hot.Inquiry{Tables: []hot.Question{
		{Grain: hot.Day, Dimension: hot.Name, Starts: []time.Time{day.AddDate(0, 0, -1), day}, Top: 1},
	}})
	if err != nil || found.Tables[0].Sum() != events-gone {
		t.Fatalf("the log took %d events and %d are subtracted, an inquiry says %v (%v)", events, gone, found, err)
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
