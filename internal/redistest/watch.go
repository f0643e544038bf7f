package redistest

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// hurry makes the running sentinels look and publish more often than every ten and every
// two seconds, so that tests wait less. A restart resets this.
func (g *Sentinel) hurry() {
	g.t.Helper()
	for _, s := range g.Sentinels {
		if s.PID() != 0 {
			s.Do("SENTINEL", "DEBUG", "INFO-PERIOD", "200", "PUBLISH-PERIOD", "500")
		}
	}
}

// seesWell is nil when a sentinel sees every running server and sentinel as it
// should be.
func (g *Sentinel) seesWell(s, master *Server) error {
	for _, list := range []struct {
		kind, role string
		of         []*Server
	}{
		{"MASTERS", "master", []*Server{master}},
		{"REPLICAS", "slave", g.Servers},
		{"SENTINELS", "", g.Sentinels},
	} {
		seen, err := s.instances(list.kind)
		if err != nil {
			return err
		}
		for _, other := range list.of {
			if other == s || other.PID() == 0 || other == master && list.kind == "REPLICAS" {
				continue
			}
			i, flags := seen[other.Addr], seen[other.Addr]["flags"]
			switch {
			case i == nil:
				return fmt.Errorf("%s does not know %s", s.Addr, other.Addr)
			case strings.Contains(flags, "down"), strings.Contains(flags, "disconnected"), strings.Contains(flags, "failover"):
				return fmt.Errorf("%s sees %s as %s", s.Addr, other.Addr, flags)
			case list.role != "" && i["role-reported"] != list.role:
				return fmt.Errorf("%s has heard that %s is a %s", s.Addr, other.Addr, i["role-reported"])
			case list.role == "slave" && i["master-link-status"] != "ok":
				return fmt.Errorf("%s has heard that %s has no link to its master", s.Addr, other.Addr)
			}
		}
	}
	return nil
}

// instances returns the answer of SENTINEL MASTERS, REPLICAS or SENTINELS, by address.
func (s *Server) instances(kind string) (map[string]map[string]string, error) {
	args := []string{"SENTINEL", kind}
	if kind != "MASTERS" {
		args = append(args, masterName)
	}
	words, err := s.ask(glance, args...)
	if err != nil {
		return nil, err
	}
	// name, value, field, value …; each instance begins with its name.
	var instance map[string]string
	all := make(map[string]map[string]string)
	for pair := range slices.Chunk(words, 2) {
		if pair[0] == "name" {
			instance = make(map[string]string)
		}
		instance[pair[0]] = pair[1]
		if pair[0] == "port" {
			all[net.JoinHostPort(instance["ip"], pair[1])] = instance
		}
	}
	return all, nil
}

// follow is nil when every running server is the master or in step with it.
func (g *Sentinel) follow(master *Server) error {
	for _, s := range g.Servers {
		if s.PID() == 0 {
			continue
		}
		if err := s.isIn(master); err != nil {
			return err
		}
	}
	return nil
}

// isIn is nil for the master itself, and for a replica in step with it.
func (s *Server) isIn(master *Server) error {
	role, err := s.look("ROLE")
	if err != nil {
		return err
	}
	want := "master\n"
	if s != master {
		host, port := master.hostPort()
		want = "slave\n" + host + "\n" + port + "\n"
	}
	if !strings.HasPrefix(role, want) {
		return fmt.Errorf("%s is %q, not yet %q", s.Addr, role, want)
	}
	return s.followsWell()
}
