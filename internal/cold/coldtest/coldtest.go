// Package coldtest proves a cold tier: what cold.Store promises of its writes,
// and that every question which insight asks of it is answered as a naive
// implementation over the same events answers.
package coldtest

import (
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
)

// Run runs the whole suite. open opens the store that lives in a directory,
// making it if there is none; the suite closes what it opens, and opens the same
// directory again to see what lasted.
func Run(t *testing.T, open func(t *testing.T, dir string) cold.Store) {
	RunSome(t, len(zones), open)
}

// RunSome is Run with questions in the first n timezones alone, and stories of who is
// who in n orders, and fewer of some questions: for another set-up of what passes all of it.
func RunSome(t *testing.T, n int, open func(t *testing.T, dir string) cold.Store) {
	t.Run("Write", func(t *testing.T) { testWrite(t, open) })
	t.Run("Forget", func(t *testing.T) { testForget(t, open) })
	t.Run("Traits", func(t *testing.T) { testTraits(t, open, n) })
	t.Run("Identity", func(t *testing.T) { testIdentity(t, open, n) })
	t.Run("Erase", func(t *testing.T) { testErase(t, open, n) })
	t.Run("Insight", func(t *testing.T) { testInsight(t, open, zones[:n]) })
}
