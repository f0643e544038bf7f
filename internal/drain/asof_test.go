package drain_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/drain"
)

func TestAShardIsCompleteUpToItsFirstEventThatWaits(t *testing.T) {
	now := time.Date(2026, 3, 15, 0, 0, 10, 0, time.UTC)
	never := time.Duration(1 << 62)
	for _, c := range []struct {
		what              string
		came              time.Duration // of the first event that waits, from now
		complete, setBack *drain.At
		want              time.Duration // from now; never is the zero time
	}{
		{"it came 2 s ago", -2 * time.Second, &drain.At{Wall: -5 * time.Second, Ago: 5 * time.Second}, nil, -2 * time.Second},
		{"it came 2 s ago, and nothing is known", -2 * time.Second, nil, nil, -2 * time.Second},
		{
			"the clock was set back by 0.3 s after it came: one behind it may have the time that it was set back to", -100 * time.Millisecond,
			&drain.At{Wall: -5 * time.Second, Ago: 5 * time.Second}, &drain.At{Wall: -400 * time.Millisecond, Ago: 200 * time.Millisecond}, -400 * time.Millisecond,
		},
		{
			"the clock was set back by an hour, and events before it wait", 59 * time.Minute,
			&drain.At{Wall: 58 * time.Minute, Ago: 2 * time.Minute}, &drain.At{Wall: -time.Minute, Ago: time.Minute}, -time.Minute,
		},
		{
			"the clock was set back before all was complete", -2 * time.Second,
			&drain.At{Wall: -5 * time.Second, Ago: 5 * time.Second}, &drain.At{Wall: -20 * time.Second, Ago: 20 * time.Second}, -2 * time.Second,
		},
		{
			"the clock was set back to a later time than it came", -2 * time.Second,
			&drain.At{Wall: -5 * time.Second, Ago: 5 * time.Second}, &drain.At{Wall: -time.Second, Ago: time.Second}, -2 * time.Second,
		},
		{
			"it came in the future, by a clock of before this process", time.Hour,
			&drain.At{Wall: -5 * time.Second, Ago: 5 * time.Second}, nil, -5 * time.Second,
		},
		{
			"so it did, and complete was read before a step that went unnoticed", time.Hour,
			&drain.At{Wall: 30 * time.Minute, Ago: 7 * time.Second}, nil, -7 * time.Second,
		},
		{"so it did, and nothing is known", time.Hour, nil, nil, never},
	} {
		want := now.Add(c.want)
		if c.want == never {
			want = time.Time{}
		}
		if got := drain.CompleteBefore(now, c.came, c.complete, c.setBack); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", c.what, got, want)
		}
	}
}
