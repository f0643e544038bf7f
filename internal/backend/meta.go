package backend

import "github.com/weir-analytics/weir/internal/meta/postgres"

// Meta is a meta store that is not open yet. Its fields say what it is like.
type Meta struct {
	Where  string // what meta.Open takes; it may hold a password
	File   string // on this machine; "" for a server
	Shared bool   // it is a server: other nodes can use it too, and it may be unavailable

	Name      string // of a server, for logs
	Pool      int    // its most connections
	Plaintext bool   // others on the network may read along
}

// postgresMeta returns a meta store in PostgreSQL.
func postgresMeta(url, _ string) (Meta, error) {
	c, err := postgres.Parse(url)
	if err != nil {
		return Meta{}, err
	}
	return Meta{Where: url, Shared: true, Name: c.Address(), Pool: c.Pool(), Plaintext: !c.Encrypted()}, nil
}
