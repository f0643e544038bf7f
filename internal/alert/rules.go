package alert

import (
	"context"
	"net/netip"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// RuleStore stores the alerts of projects. *meta.Store is one.
type RuleStore interface {
	Alerts(ctx context.Context, projectID string) ([]*weir.Alert, error)
	Alert(ctx context.Context, projectID, id string) (*weir.Alert, error)
	CreateAlert(ctx context.Context, a weir.Alert, most int) (*weir.Alert, error)
	ChangeAlert(ctx context.Context, was *weir.Alert, a weir.Alert, entries []weir.AlertEntry) (*weir.Alert, error)
	DeleteAlert(ctx context.Context, projectID, id string) error
	SilenceAlert(ctx context.Context, a *weir.Alert) error
	AlertHistory(ctx context.Context, projectID, id string, before int64, limit int) ([]weir.AlertEntry, error)
	AlertTargets(ctx context.Context, alertID string) ([]weir.AlertChannel, error)
}

// RulesConfig are the parts that Rules use.
type RulesConfig struct {
	Store    RuleStore
	Counters Counters
	Insights Insights       // nil on a node that does not answer questions
	Allow    []netip.Prefix // private networks with webhooks
	Sender   *Sender
	Clock    weir.Clock
}

// Rules creates, changes, lists and tests the alerts of projects. It is safe for concurrent use.
type Rules struct {
	RulesConfig
	meter meter
}

// NewRules returns Rules with the parts.
func NewRules(c RulesConfig) *Rules { return &Rules{c, meter{c.Counters, c.Insights}} }

// List returns a project's alerts, oldest first.
func (r *Rules) List(ctx context.Context, p *weir.Project) ([]*weir.Alert, error) {
	return r.Store.Alerts(ctx, p.ID)
}

// Get returns one of them. Errors: ENOTFOUND.
func (r *Rules) Get(ctx context.Context, p *weir.Project, id string) (*weir.Alert, error) {
	return r.Store.Alert(ctx, p.ID, id)
}

// Create makes an alert. Its webhooks' secrets are in the answer, this once.
// Errors: EINVALID, ECONFLICT when the project has MaxAlerts.
func (r *Rules) Create(ctx context.Context, p *weir.Project, spec weir.AlertSpec) (*weir.Alert, error) {
	Defaults(&spec)
	if err := r.validate(ctx, p, &spec); err != nil {
		return nil, err
	}
	for _, c := range spec.Channels {
		if c.ID != "" {
			return nil, weir.Errorf(weir.EINVALID, "channels: a new alert's have no ids yet")
		}
	}
	a := weir.Alert{ProjectID: p.ID, AlertSpec: spec}
	a.Status = weir.AlertStatus{State: weir.AlertOK, Since: r.Clock.Now()}
	return r.Store.CreateAlert(ctx, a, MaxAlerts)
}

// validate checks a spec and measures once, so that a question that cannot be asked is
// rejected now, rather than failing every minute.
func (r *Rules) validate(ctx context.Context, p *weir.Project, spec *weir.AlertSpec) error {
	if err := Check(spec, r.Allow); err != nil {
		return err
	}
	for _, c := range spec.Channels {
		if c.Kind == weir.AlertByEmail && r.Sender.Mails == nil {
			return weir.Errorf(weir.EINVALID, "this server has no mail server to send with: --smtp names one")
		}
	}
	if cold(spec) && r.Insights == nil {
		return nil // another node will ask
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	now := r.Clock.Now()
	// Only an error of the question counts: any other may be over at the next check.
	if _, err := r.meter.read(ctx, p, spec, now.Add(-grace).Truncate(every), now); weir.ErrorCode(err) == weir.EINVALID {
		return weir.Wrap(err, weir.EINVALID, "measure: %s", weir.ErrorMessage(err))
	}
	return nil
}

// Change calls fn with the spec of an alert, and stores the result. If fn changes the measure
// or the condition, the alert starts again in the state ok: its incident ends, and the channels
// that got a message about the incident get one that it is over. Errors: EINVALID, ENOTFOUND, ECONFLICT, and fn's.
func (r *Rules) Change(ctx context.Context, p *weir.Project, id string, fn func(*weir.AlertSpec) error) (*weir.Alert, error) {
	for attempt := 0; ; attempt++ {
		was, err := r.Store.Alert(ctx, p.ID, id)
		if err != nil {
			return nil, err
		}
		a := *was
		a.Channels = append([]weir.AlertChannel(nil), was.Channels...)
		if err := fn(&a.AlertSpec); err != nil {
			return nil, err
		}
		if err := r.validate(ctx, p, &a.AlertSpec); err != nil {
			return nil, err
		}
		var entries []weir.AlertEntry
		if anew(&was.AlertSpec, &a.AlertSpec) {
			entries = r.reset(&a)
		}
		changed, err := r.Store.ChangeAlert(ctx, was, a, entries)
		if weir.ErrorCode(err) == weir.ECONFLICT && attempt < 3 {
			continue // a check changed the alert meanwhile
		}
		return changed, err
	}
}

// anew says whether what was counted of an alert counts no more.
func anew(was, is *weir.AlertSpec) bool {
	a, b := was.Measure, is.Measure
	return was.Enabled != is.Enabled || was.Window != is.Window || was.Condition != is.Condition ||
		was.For != is.For || was.ClearFor != is.ClearFor || was.MinVolume != is.MinVolume || was.NoData != is.NoData ||
		a.Kind != b.Kind || a.Insight != b.Insight || a.Value != b.Value || a.Event != b.Event || a.Route != b.Route || a.Math != b.Math || a.Property != b.Property || !weir.Filter(a.Filter).Equal(b.Filter)
}

// reset puts an alert back to its beginning, and is what its history says of that.
func (r *Rules) reset(a *weir.Alert) []weir.AlertEntry {
	now := r.Clock.Now()
	e := weir.AlertEntry{Kind: weir.AlertChanged, At: now, From: a.Status.State, To: weir.AlertOK, Incident: a.Status.Incident, Silenced: a.Silenced(now)}
	s := move(a.Status, weir.AlertOK, 0, now)
	s.CheckedTo, s.SettlesAt, s.Reading, s.Error = time.Time{}, time.Time{}, weir.AlertReading{}, ""
	a.Status = s
	return []weir.AlertEntry{e}
}

// Delete deletes an alert, its history and what is on its way. Errors: ENOTFOUND.
func (r *Rules) Delete(ctx context.Context, p *weir.Project, id string) error {
	return r.Store.DeleteAlert(ctx, p.ID, id)
}

// Silence stops the messages of an alert until then; a time that is past ends the silence. Errors: EINVALID, ENOTFOUND.
func (r *Rules) Silence(ctx context.Context, p *weir.Project, id string, until time.Time) (*weir.Alert, error) {
	now := r.Clock.Now()
	if until.Sub(now) > weir.MaxAlertSilence {
		return nil, weir.Errorf(weir.EINVALID, "until: a year from now at most; disable the alert instead")
	}
	a, err := r.Store.Alert(ctx, p.ID, id)
	if err != nil {
		return nil, err
	}
	if a.SilencedUntil = until.UTC().Truncate(time.Microsecond); !until.After(now) {
		a.SilencedUntil = time.Time{}
	}
	return a, r.Store.SilenceAlert(ctx, a)
}

// History is a page of what happened, newest first, before a seq, 0 for the newest.
// next is the seq for the page after, 0 when there is none. Errors: ENOTFOUND.
func (r *Rules) History(ctx context.Context, p *weir.Project, id string, before int64, limit int) (entries []weir.AlertEntry, next int64, err error) {
	entries, err = r.Store.AlertHistory(ctx, p.ID, id, before, limit+1)
	if err == nil && len(entries) > limit {
		entries = entries[:limit]
		next = entries[limit-1].Seq
	}
	return entries, next, err
}

// Tried is what became of a test message to a channel.
type Tried struct {
	Channel weir.AlertChannel // without its secret
	Err     error             // nil when it was delivered
}

// Test sends a test message to each of an alert's channels, now and once. Errors:
// ENOTFOUND, EINVALID without channels, ERATELIMITED.
func (r *Rules) Test(ctx context.Context, p *weir.Project, id string) ([]Tried, error) {
	a, err := r.Store.Alert(ctx, p.ID, id)
	if err != nil {
		return nil, err
	}
	if len(a.Channels) == 0 {
		return nil, weir.Errorf(weir.EINVALID, "the alert has no channels to send to")
	}
	wait, _, err := r.Sender.Limiter.Take(ctx, "alert-test:"+p.ID, fleet.Limit{Every: time.Minute, Burst: 10}, 1)
	if err != nil {
		return nil, weir.Wrap(err, weir.EUNAVAILABLE, "the limit of tests cannot be looked at")
	}
	if wait > 0 {
		return nil, weir.Errorf(weir.ERATELIMITED, "that were many tests: the next may go in %s", wait.Round(time.Second))
	}
	targets, err := r.Store.AlertTargets(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	now := r.Clock.Now()
	s := a.Status
	s.CheckedTo = now.Add(-grace).Truncate(every)
	m := r.Sender.Texts.message(weir.AlertTestMessage, p, a, &s, 0, now)
	m.ID += "." + now.Format("20060102T150405.000000")
	tried := make([]Tried, len(targets))
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	var all sync.WaitGroup
	for i, c := range targets {
		all.Go(func() {
			d := weir.AlertDelivery{Key: m.ID + "." + c.ID, ProjectID: p.ID, AlertID: a.ID, Channel: c, Message: m, CreatedAt: now}
			tried[i].Err = r.Sender.send(ctx, &d)
			c.Secret = ""
			tried[i].Channel = c
		})
	}
	all.Wait()
	return tried, nil
}
