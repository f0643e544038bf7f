package coldtest

import "os"

// long says whether questions are asked in their long form, which WEIR_TEST_LONG asks
// for: each in every timezone, and many at random. In the short form each of those that
// are listed is asked in one of the timezones, and a quarter as many at random.
func long() bool { return os.Getenv("WEIR_TEST_LONG") != "" }

// rounds is n in the long form, and a quarter of it in the short one.
func rounds(n int) int {
	if long() {
		return n
	}
	return (n + 3) / 4
}

// rounds is how many random questions to ask: fewer of an engine that runs a part of the suite.
func (a *asker) rounds(n int) int {
	if long() || a.of <= 1 {
		return rounds(n)
	}
	return (rounds(n) + 7) / 8
}

// mine says whether the question of the number is to be asked in this timezone.
func (a *asker) mine(i int) bool { return long() || i%a.turns == a.turn }

// asks returns whether to ask the question of the number, of a list whose questions
// differ little. An engine that runs a part of the suite is asked one of four.
func (a *asker) asks(i int) bool { return long() || a.of <= 1 || i%4 == a.turn%4 }
