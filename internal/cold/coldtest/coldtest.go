// Package coldtest proves a cold tier: what cold.Store promises of its writes,
// and that every question which insight asks of it is answered as a naive
// implementation over the same events answers.
//
// It has more than 3,500 lines: it is test code, and the oracle repeats each kind of question
// without SQL, so that no code is shared with what it checks.
package coldtest

import (
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
)

// Run runs the whole suite. open opens the store that lives in a directory,
// making it if there is none; the suite closes what it opens, and opens the same
// directory again to see what lasted.
func Run(t *testing.T, open func(t *testing.T, dir string) cold.Store) {
	RunPart(t, Part{Zones: len(zones), Of: 1}, open)
}

// Part is how much of the suite runs: for another engine, or another set-up of an
// engine, than the one that passes all of it.
type Part struct {
	Zones int // questions are asked in so many timezones
	// Of is n if one of n questions of a list is asked, and each story told in one order; 1 is all.
	Of int
	// Spread is for a cluster, whose single server runs the rest: what does not depend on
	// where rows are is left to it, and so are questions about traits and identities, but
	// for those that Insight asks of the cluster.
	Spread bool
}

// RunPart runs a part of the suite: all writes, and some of the questions of each kind.
func RunPart(t *testing.T, p Part, open func(t *testing.T, dir string) cold.Store) {
	t.Run("Write", func(t *testing.T) { testWrite(t, open) })
	t.Run("Forget", func(t *testing.T) { testForget(t, open, p) })
	if !p.Spread {
		t.Run("Traits", func(t *testing.T) { testTraits(t, open, p) })
		t.Run("Identity", func(t *testing.T) { testIdentity(t, open, p) })
	}
	t.Run("Erase", func(t *testing.T) { testErase(t, open, p) })
	t.Run("Delete", func(t *testing.T) { testDelete(t, open, p) })
	t.Run("Delete, failing", func(t *testing.T) { testDeleteStory(t, open, p) })
	t.Run("Export", func(t *testing.T) { testExport(t, open) })
	t.Run("Money", func(t *testing.T) { testMoney(t, open) })
	t.Run("Insight", func(t *testing.T) { testInsight(t, open, p) })
	t.Run("Discovery of many", func(t *testing.T) { testDiscoveryOfMany(t, open) })
	t.Run("URL rules", func(t *testing.T) { testURLs(t, open, p) })
	t.Run("Visit sources", func(t *testing.T) { testVisitSources(t, open) })
	t.Run("Referrer spam", func(t *testing.T) { testReferrerSpam(t, open) })
	t.Run("Arrival", func(t *testing.T) { testArrival(t, open, p) })
}
