package bench

import "time"

// ParseProcess is for tests.
var ParseProcess = parseProcess

// Bodies returns the first n request bodies of connection conn of conns, of batch
// events each.
func Bodies(seed int64, conn, conns, devices, batch, n int, run time.Time) ([]string, error) {
	visits, err := renderVisits(seed)
	if err != nil {
		return nil, err
	}
	g := newGenerator(visits, seed, conn, conns, devices, run)
	var out []string
	for i := range n {
		g.setClock(run.Add(time.Duration(i) * time.Second))
		out = append(out, string(g.appendBody(nil, batch)))
	}
	return out, nil
}

// AppendEvents is for the benchmark of the generator: it returns a function that
// renders a batch into the same buffer again and again.
func AppendEvents(seed int64, batch int, run time.Time) (func() int, error) {
	visits, err := renderVisits(seed)
	if err != nil {
		return nil, err
	}
	g := newGenerator(visits, seed, 0, 1, 10_000, run)
	var buf []byte
	return func() int {
		g.setClock(run)
		buf = g.appendBody(buf[:0], batch)
		return len(buf)
	}, nil
}
