package coldtest

import (
	"math/rand/v2"

	weir "github.com/weir-analytics/weir"
)

// operatorTests are the operators of each type of column that filters do not have already.
func operatorTests() []weir.Condition {
	var cs []weir.Condition
	for _, column := range []string{"path", "country", "consumer", "properties.plan", "properties.ü", "error", "channel", "groups.company"} {
		for _, op := range []string{"not in", "not contains", "starts with", "matches", "not matches", "is set", "is not set"} {
			c := weir.Condition{Column: column, Op: op}
			switch op {
			case "not in":
				c.Values = []string{"US", "pro", "/", "", "search", "acme-1"}
			case "not contains", "starts with":
				c.Values = []string{map[bool]string{true: "/b", false: "p"}[column == "path"]}
			case "matches", "not matches":
				c.Values = []string{`^(/[^/]+){2}$|^[A-Z]{2}$|(?i)PRO|ü.+`}
			}
			cs = append(cs, c)
		}
	}
	for _, column := range []string{"status", "latency_ms", "revenue", "properties.amount", "properties.plan"} {
		for _, op := range []string{">=", "<="} {
			cs = append(cs, weir.Condition{Column: column, Op: op, Values: []string{"200"}}, weir.Condition{Column: column, Op: op, Values: []string{"6.5"}})
		}
		cs = append(cs, weir.Condition{Column: column, Op: "is set"}, weir.Condition{Column: column, Op: "is not set"},
			weir.Condition{Column: column, Op: "not in", Values: []string{"200", "404", "7"}})
	}
	for i := range cs {
		if n := &cs[i]; n.Column == "status" && len(n.Values) == 1 && n.Values[0] == "6.5" {
			n.Values = []string{"500"}
		}
	}
	return append(cs, weir.Condition{Column: "bot", Op: "is set"}, weir.Condition{Column: "action", Op: "not in", Values: []string{"calls", "odd"}})
}

// tree is a random filter: conditions, and groups of them in each other.
func tree(r *rand.Rand, tests []weir.Condition, depth int) weir.Condition {
	if depth == 0 || r.IntN(3) == 0 {
		return tests[r.IntN(len(tests))]
	}
	var group weir.Filter
	for range 1 + r.IntN(3) {
		group = append(group, tree(r, tests, depth-1))
	}
	switch r.IntN(3) {
	case 0:
		return weir.Condition{All: group}
	case 1:
		return weir.Condition{Any: group}
	}
	return weir.Condition{Not: group}
}
