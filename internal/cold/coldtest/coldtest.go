// Package coldtest proves a cold tier: what cold.Store promises of its writes,
// and that every question which insight asks of it is answered as a naive
// implementation over the same events answers.
//
// It has more than 3,500 lines: it is test code, and the oracle repeats each kind of question
// without SQL, so that no code is shared with what it checks.
package coldtest

import (
	"slices"
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
)

// Run runs the whole suite, with half of the timezones unless WEIR_TEST_LONG is set. open opens
// the store that lives in a directory, making it if there is none; the suite closes what it
// opens, and opens the same directory again to see what lasted.
func Run(t *testing.T, open func(t *testing.T, dir string) cold.Store) {
	RunPart(t, Part{Zones: len(zones) / 2, Of: 1}, open)
}

// Part is how much of the suite runs without WEIR_TEST_LONG: for another engine, or another
// set-up of an engine, than the one that passes all of it.
type Part struct {
	Zones int // questions are asked in so many timezones
	// Of is n if one of n questions of a list is asked, and each story told in one order; 1 is all.
	Of int
	// Leave names topics that another set-up of the engine runs.
	Leave []string
}

// RunPart runs a part of the suite, or all of it with WEIR_TEST_LONG.
func RunPart(t *testing.T, p Part, open func(t *testing.T, dir string) cold.Store) {
	if long() {
		p = Part{Zones: len(zones), Of: 1}
	}
	for _, topic := range []struct {
		name string
		test func(t *testing.T, open func(t *testing.T, dir string) cold.Store, p Part)
	}{
		{"Write", testWrite},
		{"Forget", testForget},
		{"Traits", testTraits},
		{"Identity", testIdentity},
		{"Erase", testErase},
		{"Delete", testDelete},
		{"Delete, failing", testDeleteStory},
		{"Export", testExport},
		{"Money", testMoney},
		{"Insight", testInsight},
		{"Discovery of many", testDiscoveryOfMany},
		{"URL rules", testURLs},
		{"Visit sources", testVisitSources},
		{"Referrer spam", testReferrerSpam},
		{"Arrival", testArrival},
		{"Statements", testStatements},
		{"Hostile statements", testHostileStatements},
		{"Bounds of statements", testStatementBounds},
	} {
		if !slices.Contains(p.Leave, topic.name) {
			t.Run(topic.name, func(t *testing.T) { topic.test(t, open, p) })
		}
	}
}
