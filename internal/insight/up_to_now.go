package insight

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// grid are the steps to which the end of a range up to now is rounded down. None is wider
// than the narrowest bucket, so an answer lacks at most its last bucket.
var grid = [...]time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute}

// nowSlack is how long before now the end of a range up to now may be: the asker wrote it
// down, and the request needed some time.
const nowSlack = 2 * time.Second

// upToNow rounds the end of a range up to now down, so that those who ask again soon ask
// the same question and share its answer. The new end is less than the freshness ago: the
// asker could have asked for it within its freshness. The begin of a range, and any other
// end, stay exact.
func upToNow(q weir.Question, now time.Time, freshness time.Duration) weir.Question {
	base := q.Base()
	var step time.Duration
	for _, w := range grid {
		if w <= freshness/2 {
			step = w
		}
	}
	if step == 0 || !base.To.After(now.Add(-min(nowSlack, freshness/2))) || base.To.After(now.Add(step)) {
		return q
	}
	if to := base.To.UTC().Truncate(step); to.After(base.From) {
		base.To = to
	}
	return q.WithBase(base)
}
