package redis

import (
	"strconv"

	"github.com/redis/rueidis"
)

// texts is a list of short texts in one piece of memory: the arguments of a
// script.
type texts struct {
	buf  []byte
	ends []int
}

func (t *texts) reset() { t.buf, t.ends = t.buf[:0], t.ends[:0] }

// next returns the place, from 1, that the next text gets.
func (t *texts) next() int { return len(t.ends) + 1 }

func (t *texts) end() { t.ends = append(t.ends, len(t.buf)) }

func (t *texts) text(s string) {
	t.buf = append(t.buf, s...)
	t.end()
}

func (t *texts) number(n int64) {
	t.buf = strconv.AppendInt(t.buf, n, 10)
	t.end()
}

// strings appends the texts to dst. They live in t: it must not change while
// they are used.
func (t *texts) strings(dst []string) []string {
	from := 0
	for _, to := range t.ends {
		dst = append(dst, rueidis.BinaryString(t.buf[from:to]))
		from = to
	}
	return dst
}
