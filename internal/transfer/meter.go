package transfer

import "sync"

// meter reports the progress of a run. It is safe for concurrent use.
type meter struct {
	tell  func(Progress) // nil: nobody listens
	total int64

	mu      sync.Mutex
	now     Progress
	before  int64 // rows of the days that are behind
	current int64 // rows of the day at hand
}

// begin begins a day, or begins it again.
func (m *meter) begin(project string, d day) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Project, m.now.Day, m.current = project, d.time(), 0
}

// add counts rows of the day.
func (m *meter) add(rows int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current += int64(rows)
	m.say()
}

// end ends a day that had so many rows: those that were there already count too.
func (m *meter) end(rows int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.current = m.before+rows, 0
	m.say()
}

func (m *meter) say() {
	if m.tell == nil {
		return
	}
	m.now.Rows, m.now.Total = min(m.before+m.current, m.total), m.total
	m.tell(m.now)
}
