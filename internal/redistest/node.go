package redistest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/servertest"
)

// node is a line of CLUSTER NODES.
type node struct {
	id     string
	addr   string // host:port
	flags  []string
	epoch  int
	linked bool
	slots  [][2]int // first and last
}

// nodes is the cluster as s sees it.
func (s *Server) nodes() ([]node, error) {
	reply, err := s.look("CLUSTER", "NODES")
	if err != nil {
		return nil, err
	}
	var all []node
	for line := range strings.Lines(reply) {
		n, err := parseNode(line)
		if err != nil {
			return nil, servertest.Final("line of CLUSTER NODES: %q: %w", line, err)
		}
		all = append(all, n)
	}
	return all, nil
}

// parseNode reads "id ip:port@busport[,hostname] flags master ping pong epoch
// link [slot | first-last | [slot->-id] …]" (https://redis.io/docs/latest/commands/cluster-nodes/).
func parseNode(line string) (node, error) {
	f := strings.Fields(line)
	if len(f) < 8 {
		return node{}, fmt.Errorf("%d fields", len(f))
	}
	n := node{id: f[0], flags: strings.Split(f[2], ","), linked: f[7] == "connected"}
	n.addr, _, _ = strings.Cut(f[1], "@")
	var err error
	if n.epoch, err = strconv.Atoi(f[6]); err != nil {
		return node{}, err
	}
	for _, r := range f[8:] {
		if strings.HasPrefix(r, "[") {
			continue // on its way
		}
		first, last, ranged := strings.Cut(r, "-")
		if !ranged {
			last = first
		}
		var s [2]int
		if s[0], err = strconv.Atoi(first); err != nil {
			return node{}, err
		}
		if s[1], err = strconv.Atoi(last); err != nil {
			return node{}, err
		}
		n.slots = append(n.slots, s)
	}
	return n, nil
}

// is says whether the node has one of the flags.
func (n node) is(flags ...string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return slices.Contains(n.flags, f) })
}

func (n node) owns(slot int) bool {
	return slices.ContainsFunc(n.slots, func(s [2]int) bool { return s[0] <= slot && slot <= s[1] })
}
