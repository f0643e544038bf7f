package deletion

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
)

// Spec names the events that a deletion deletes. At least one field is set.
type Spec struct {
	Filter   weir.Filter `json:"filter,omitempty"`
	From     time.Time   `json:"from,omitzero"`
	To       time.Time   `json:"to,omitzero"`
	ImportID string      `json:"import_id,omitempty"`
}

// check refuses a spec of all events. Error: EINVALID.
func (s *Spec) check() error {
	if len(s.Filter) == 0 && s.From.IsZero() && s.To.IsZero() && s.ImportID == "" {
		return weir.Errorf(weir.EINVALID, "say which events: a filter, from, to or import_id")
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return weir.Errorf(weir.EINVALID, "from must be before to")
	}
	return s.Filter.Validate()
}

// Conditions returns the filter with the import.
func (s *Spec) Conditions() weir.Filter {
	if s.ImportID == "" {
		return s.Filter
	}
	return append(append(weir.Filter{}, s.Filter...), weir.Condition{Column: "import_id", Op: "=", Values: []string{s.ImportID}})
}

// Steps of a deletion: see package cold.
const (
	asked     = cold.DeletionAsked
	selected  = cold.DeletionSelected
	done      = cold.DeletionDone
	failed    = cold.DeletionFailed
	cancelled = cold.DeletionCancelled
)

// States of a deletion.
const (
	Running   = "running"
	Done      = "done"
	Failed    = "failed"    // its filter became invalid before its events were selected: none was deleted
	Cancelled = "cancelled" // before its events were selected: none was deleted
)

// storedSpec is the text of a deletion's spec in the table deletions.
type storedSpec struct {
	Spec
	Failure string `json:"failure,omitempty"`
}

// Deletion is a deletion with the step that it has reached.
type Deletion struct {
	ID        string
	ProjectID string
	Spec      Spec
	Before    time.Time // what was received before is deleted
	By        string    // who asked for it
	State     string
	Failure   string // why it failed
	Numbers
	ChangedAt time.Time // when the state was reached
}

// Numbers are those of the events that a deletion deletes.
type Numbers struct {
	Events, Visits, Days int64
}

// Selector finds stored events. An insight.Engine is one, behind a few lines that translate.
type Selector interface {
	// Count returns the numbers of the events that match. Error: EINVALID.
	Count(ctx context.Context, p *weir.Project, s Spec) (Numbers, error)
	// Page returns the next events that match and were received before a time, in the order of quarter, shard, seq and id; after is nil at first.
	Page(ctx context.Context, p *weir.Project, s Spec, before time.Time, after *weir.EventRow, limit int) ([]weir.EventRow, error)
	// Complete waits until all that was acknowledged is in the cold tier. Error: EUNAVAILABLE.
	Complete(ctx context.Context) error
	// Invalidate drops stored answers.
	Invalidate(ctx context.Context, p *weir.Project)
}

// Hot is what a deletion needs of a hot tier.
type Hot interface {
	Shards() int
	States(ctx context.Context, shard int, keys []string) ([][]byte, error)
	hot.Corrector
}

// Config is what Deletions need.
type Config struct {
	Cold   Store
	Hot    Hot
	Select Selector
	Locks  fleet.Locks // of all nodes
	Clock  weir.Clock
	Logger *slog.Logger
	// Projects lists all projects.
	Projects func(context.Context) ([]*weir.Project, error)
	// Report computes the reports of days again that are stored; nil if there are none.
	Report func(ctx context.Context, p *weir.Project, first, last weir.Date) error
}

// Deletions deletes events. It is safe for concurrent use.
type Deletions struct {
	Config
	wake chan struct{}
}

// New returns Deletions. Those that are asked for are only done while Run runs on some node.
func New(c Config) *Deletions { return &Deletions{c, make(chan struct{}, 1)} }

// Dry returns the numbers of the events that a deletion would delete. Error: EINVALID.
func (d *Deletions) Dry(ctx context.Context, p *weir.Project, s Spec) (Numbers, error) {
	if err := s.check(); err != nil {
		return Numbers{}, err
	}
	if err := d.Select.Complete(ctx); err != nil {
		return Numbers{}, err
	}
	return d.Select.Count(ctx, p, s)
}

// Begin stores that the events are to be deleted. confirm is the number of events that the
// asker expects: more are not deleted. Run deletes them. Errors: EINVALID, ECONFLICT if there
// are more, EUNAVAILABLE.
func (d *Deletions) Begin(ctx context.Context, p *weir.Project, s Spec, confirm int64, by string) (*Deletion, error) {
	n, err := d.Dry(ctx, p, s)
	if err != nil {
		return nil, err
	}
	if n.Events > confirm {
		return nil, weir.Errorf(weir.ECONFLICT, "%d events match, and %d are confirmed: look at them, then confirm %d", n.Events, confirm, n.Events)
	}
	spec, err := json.Marshal(storedSpec{Spec: s})
	if err != nil {
		return nil, fmt.Errorf("deletion: %w", err)
	}
	now := d.Clock.Now().UTC().Truncate(time.Microsecond)
	row := cold.DeletionStep{
		ProjectID: p.ID, ID: strings.ToLower(rand.Text()[:12]), Step: asked, Before: now, Spec: string(spec), By: by,
		Events: n.Events, Visits: n.Visits, Days: n.Days, ChangedAt: now,
	}
	if err := d.note(ctx, row); err != nil {
		return nil, err
	}
	select {
	case d.wake <- struct{}{}:
	default: // it is awake
	}
	return deletionOf(&row)
}

func (d *Deletions) note(ctx context.Context, row cold.DeletionStep) error {
	token := fmt.Sprintf("delete/%s/step/%d", row.ID, row.Step)
	if err := d.Cold.Add(ctx, token, cold.Additions{Steps: []cold.DeletionStep{row}}); err != nil {
		return fmt.Errorf("deletion: %w", err)
	}
	return nil
}

func deletionOf(row *cold.DeletionStep) (*Deletion, error) {
	out := &Deletion{
		ID: row.ID, ProjectID: row.ProjectID, Before: row.Before, By: row.By, State: Running, ChangedAt: row.ChangedAt,
		Numbers: Numbers{row.Events, row.Visits, row.Days},
	}
	if ended, ok := map[int32]string{done: Done, failed: Failed, cancelled: Cancelled}[row.Step]; ok {
		out.State = ended
	}
	var spec storedSpec
	if err := json.Unmarshal([]byte(row.Spec), &spec); err != nil {
		return nil, fmt.Errorf("deletion %s: %w", row.ID, err)
	}
	out.Spec, out.Failure = spec.Spec, spec.Failure
	return out, nil
}

// maxListed bounds List.
const maxListed = 200

// List returns the project's deletions, the newest first, 200 at most.
func (d *Deletions) List(ctx context.Context, p *weir.Project) ([]*Deletion, error) {
	rows, err := steps(ctx, d.Cold, "project_id = ?", p.ID)
	if err != nil {
		return nil, err
	}
	out := make([]*Deletion, 0, len(rows))
	for i := len(rows) - 1; i >= 0 && len(out) < maxListed; i-- {
		one, err := deletionOf(&rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Get returns a deletion. Error: ENOTFOUND.
func (d *Deletions) Get(ctx context.Context, p *weir.Project, id string) (*Deletion, error) {
	rows, err := steps(ctx, d.Cold, "project_id = ? AND id = ?", p.ID, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no deletion %q", id)
	}
	return deletionOf(&rows[0])
}

// steps returns the last step of each deletion for which a condition holds.
func steps(ctx context.Context, from cold.Reader, where string, args ...any) ([]cold.DeletionStep, error) {
	out, err := cold.DeletionSteps(ctx, from, where, args...)
	if err != nil {
		return nil, fmt.Errorf("deletion: %w", err)
	}
	return out, nil
}
