package redis

import (
	"strings"

	"github.com/weir-analytics/weir/internal/hot"
)

// marks are the devices that a writer has just sent to Redis, so that the next event of one
// need not send the same again: that it is live in this second, and that it is among the
// uniques of this minute, and so of its hour and day.
//
// They are valid while Redis has what it acknowledged: a writer drops them when a new
// connection is to another process or master of Redis.
type marks map[visitor]mark

type mark struct{ second, minute int64 }

const maxMarks = 1 << 16

func (m marks) live(v visitor, ms int64) bool {
	k, ok := m[v]
	return ok && k.second >= ms/1000
}

func (m marks) counted(v visitor, minute int64) bool {
	k, ok := m[v]
	return ok && k.minute == minute
}

// add remembers what a group that Redis has taken said.
func (m marks) add(lives map[visitor]int64, t *increments) {
	if len(m) > maxMarks {
		clear(m)
	}
	for c, s := range t.cells {
		for d := range s.devices {
			m.set(visitor{c.project, d}, func(k *mark) { k.minute = c.minute })
		}
		for d := range s.bots {
			m.set(visitor{hot.BotsOf(c.project), d}, func(k *mark) { k.minute = c.minute })
		}
	}
	for v, ms := range lives {
		m.set(v, func(k *mark) { k.second = ms / 1000 })
	}
}

func (m marks) set(v visitor, change func(*mark)) {
	k, ok := m[v]
	if !ok { // it lives longer than the request that its texts came with
		v = visitor{strings.Clone(v.project), strings.Clone(v.device)}
	}
	change(&k)
	m[v] = k
}
