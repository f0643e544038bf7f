package httpd

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

// MeasureBody is what an alert measures.
type MeasureBody struct {
	Kind     string      `json:"kind" enum:"events,calls,error_rate,success_rate,visitors,live_visitors,insight" doc:"rates are 0 to 1, of calls with a known status: those of 400 and above, or those below"`
	Event    string      `json:"event,omitempty" maxLength:"200" doc:"events, insight trend: of this name alone"`
	Route    string      `json:"route,omitempty" maxLength:"200" doc:"calls, rates: of this route alone"`
	Insight  string      `json:"insight,omitempty" maxLength:"20"`
	Value    string      `json:"value,omitempty" maxLength:"40"`
	Math     string      `json:"math,omitempty" enum:"total,unique,sum,avg,min,max,median,p90,p95,p99" doc:"insight trend"`
	Property string      `json:"property,omitempty" maxLength:"200" doc:"insight trend: for sum, avg, …: a numeric column such as latency_ms, or properties.NAME"`
	Filter   weir.Filter `json:"filter,omitempty" maxItems:"20" doc:"all must hold; answered by the cold tier"`
}

// AlertConditionBody is when an alert fires.
type AlertConditionBody struct {
	Op      string   `json:"op" enum:"above,below"`
	Value   float64  `json:"value" doc:"the threshold; with against, of the change in percent: -30 is a drop by 30 %"`
	Clear   *float64 `json:"clear,omitempty" doc:"the alert is clear at this and beyond, on the other side; between the two nothing changes. The threshold itself when missing"`
	Against string   `json:"against,omitempty" enum:"previous,day,week" doc:"compare with the same length of time just before, or when the project's clock showed the same a day or a week ago"`
}

// ChannelInput is where an alert's messages go.
type ChannelInput struct {
	ID   string `json:"id,omitempty" doc:"of a channel that stays, with its secret; leave it out to add one"`
	Type string `json:"type" enum:"webhook,email"`
	URL  string `json:"url,omitempty" maxLength:"2000" doc:"webhook; with the id, it stays as it is when missing"`
	To   string `json:"to,omitempty" maxLength:"254" doc:"email: one address; with the id, it stays as it is when missing"`
}

// NewAlertBody is an alert to make.
type NewAlertBody struct {
	Name      string             `json:"name" doc:"1 to 100 characters"`
	Enabled   *bool              `json:"enabled,omitempty" doc:"true when missing"`
	Measure   MeasureBody        `json:"measure"`
	Window    int                `json:"window,omitempty" minimum:"0" maximum:"1440" doc:"minutes that a value is of, the last whole ones; 5 when missing"`
	Condition AlertConditionBody `json:"condition"`
	For       int                `json:"for,omitempty" minimum:"0" maximum:"60" doc:"checks in a row, one a minute, that the condition must hold; 1 when missing"`
	ClearFor  int                `json:"clear_for,omitempty" minimum:"0" maximum:"60" doc:"checks in a row that it must be clear; 1 when missing"`
	MinVolume int64              `json:"min_volume,omitempty" minimum:"0" maximum:"9007199254740992" doc:"events, calls or (of the insight pages) visits in the window below which the alert neither fires nor clears; in a comparison the larger of the two windows counts"`
	NoData    string             `json:"no_data,omitempty" enum:"keep,ok,fire" doc:"what a window without a value says: nothing, that it is clear, or that the condition holds; keep when missing"`
	Channels  []ChannelInput     `json:"channels,omitempty" maxItems:"10"`
}

// ChangeAlertBody is what of an alert changes.
type ChangeAlertBody struct {
	Name      *string             `json:"name,omitempty"`
	Enabled   *bool               `json:"enabled,omitempty"`
	Measure   *MeasureBody        `json:"measure,omitempty" doc:"the whole of it"`
	Window    *int                `json:"window,omitempty"`
	Condition *AlertConditionBody `json:"condition,omitempty" doc:"the whole of it"`
	For       *int                `json:"for,omitempty"`
	ClearFor  *int                `json:"clear_for,omitempty"`
	MinVolume *int64              `json:"min_volume,omitempty"`
	NoData    *string             `json:"no_data,omitempty" enum:"keep,ok,fire"`
	Channels  *[]ChannelInput     `json:"channels,omitempty" maxItems:"10" doc:"all of them: one that is left out is removed"`
}

// ChannelBody is a channel as clients see one.
type ChannelBody struct {
	ID     string `json:"id"`
	Type   string `json:"type" enum:"webhook,email"`
	URL    string `json:"url,omitempty" doc:"viewers see its host alone, as the rest is often a secret"`
	To     string `json:"to,omitempty"`
	Secret string `json:"secret,omitempty" doc:"that a webhook's messages are signed with; shown once, when the channel is made"`
}

// AlertBody is an alert as clients see one.
type AlertBody struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Enabled       bool               `json:"enabled"`
	Measure       MeasureBody        `json:"measure"`
	Window        int                `json:"window"`
	Condition     AlertConditionBody `json:"condition"`
	For           int                `json:"for"`
	ClearFor      int                `json:"clear_for"`
	MinVolume     int64              `json:"min_volume"`
	NoData        string             `json:"no_data" enum:"keep,ok,fire"`
	Channels      []ChannelBody      `json:"channels" nullable:"false"`
	Silenced      bool               `json:"silenced"`
	SilencedUntil *time.Time         `json:"silenced_until,omitempty"`
	CreatedAt     time.Time          `json:"created_at"`
	UpdatedAt     time.Time          `json:"updated_at"`

	State     string     `json:"state" enum:"ok,pending,firing,clearing"`
	Since     time.Time  `json:"since" doc:"when it took the state"`
	Incident  int64      `json:"incident" doc:"how often it fired"`
	CheckedTo *time.Time `json:"checked_to,omitempty" doc:"the end of the last window that was looked at"`
	weir.AlertReading
	Error string `json:"error,omitempty" doc:"why the last check could not be made"`
}

// AlertEntryBody is an entry of an alert's history.
type AlertEntryBody struct {
	Kind     string    `json:"kind" enum:"moved,changed,undelivered" doc:"from one state to another; begun anew by a change of the alert; a message was given up"`
	At       time.Time `json:"at"`
	From     string    `json:"from" enum:"ok,pending,firing,clearing"`
	To       string    `json:"to" enum:"ok,pending,firing,clearing"`
	Incident int64     `json:"incident"`
	Silenced bool      `json:"silenced"`
	weir.AlertReading
	Detail string `json:"detail,omitempty"`
}

// AlertTestBody is what became of a test message.
type AlertTestBody struct {
	Channel   ChannelBody `json:"channel"`
	Delivered bool        `json:"delivered"`
	Error     string      `json:"error,omitempty"`
}

func (b *MeasureBody) measure() weir.AlertMeasure {
	return weir.AlertMeasure{
		Kind: weir.MeasureKind(b.Kind), Event: b.Event, Route: b.Route, Insight: weir.Kind(b.Insight), Value: weir.AlertValue(b.Value), Math: weir.Math(b.Math), Property: b.Property, Filter: b.Filter,
	}
}

func (b *AlertConditionBody) condition() weir.AlertCondition {
	c := weir.AlertCondition{Op: b.Op, Value: b.Value, Clear: b.Value, Against: weir.Against(b.Against)}
	if b.Clear != nil {
		c.Clear = *b.Clear
	}
	return c
}

func (b *NewAlertBody) spec() (weir.AlertSpec, error) {
	channels, err := channelsFrom(b.Channels, nil)
	return weir.AlertSpec{
		Name: b.Name, Enabled: b.Enabled == nil || *b.Enabled, Measure: b.Measure.measure(), Window: b.Window, Condition: b.Condition.condition(),
		For: b.For, ClearFor: b.ClearFor, MinVolume: b.MinVolume, NoData: weir.NoData(b.NoData), Channels: channels,
	}, err
}

// apply changes a spec as the body says.
func (b *ChangeAlertBody) apply(s *weir.AlertSpec) (err error) {
	set(&s.Name, b.Name)
	set(&s.Enabled, b.Enabled)
	set(&s.Window, b.Window)
	set(&s.For, b.For)
	set(&s.ClearFor, b.ClearFor)
	set(&s.MinVolume, b.MinVolume)
	if b.NoData != nil {
		s.NoData = weir.NoData(*b.NoData)
	}
	if b.Condition != nil {
		s.Condition = b.Condition.condition()
	}
	if b.Measure != nil {
		s.Measure = b.Measure.measure()
	}
	if b.Channels != nil {
		s.Channels, err = channelsFrom(*b.Channels, s.Channels)
	}
	return err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// channelsFrom are channels; one that stays leads where it did unless the input
// says otherwise, as who reads it may not have been shown where.
func channelsFrom(in []ChannelInput, was []weir.AlertChannel) ([]weir.AlertChannel, error) {
	out := make([]weir.AlertChannel, len(in))
	for i, c := range in {
		out[i] = weir.AlertChannel{ID: c.ID, Kind: c.Type, URL: c.URL, To: c.To}
		if c.ID == "" || c.URL != "" || c.To != "" {
			continue
		}
		known := false
		for _, w := range was {
			if w.ID == c.ID {
				out[i].URL, out[i].To, known = w.URL, w.To, true
			}
		}
		if !known {
			return nil, weir.Errorf(weir.EINVALID, "channels[%d]: the alert has no channel of this id: leave the id out to add one", i)
		}
	}
	return out, nil
}

func (s *Server) channelBody(ctx context.Context, c weir.AlertChannel) ChannelBody {
	b := ChannelBody{ID: c.ID, Type: c.Kind, URL: c.URL, To: c.To, Secret: c.Secret}
	if c.URL != "" && !callOf(ctx).may.Has(weir.ScopeWrite) {
		b.URL = alert.Destination(c)
	}
	return b
}

func (s *Server) alertBody(ctx context.Context, a *weir.Alert) AlertBody {
	loc := projectOf(ctx).Location()
	b := AlertBody{
		ID: a.ID, Name: a.Name, Enabled: a.Enabled, Window: a.Window, For: a.For, ClearFor: a.ClearFor, MinVolume: a.MinVolume, NoData: string(a.NoData),
		Measure: MeasureBody{
			Kind: string(a.Measure.Kind), Event: a.Measure.Event, Route: a.Measure.Route,
			Insight: string(a.Measure.Insight), Value: string(a.Measure.Value), Math: string(a.Measure.Math), Property: a.Measure.Property, Filter: a.Measure.Filter,
		},
		Condition: AlertConditionBody{Op: a.Condition.Op, Value: a.Condition.Value, Clear: &a.Condition.Clear, Against: string(a.Condition.Against)},
		Channels:  make([]ChannelBody, len(a.Channels)), Silenced: a.Silenced(s.cfg.Clock.Now()),
		CreatedAt: a.CreatedAt.In(loc), UpdatedAt: a.UpdatedAt.In(loc),
		State: string(a.Status.State), Since: a.Status.Since.In(loc), Incident: a.Status.Incident, AlertReading: a.Status.Reading, Error: a.Status.Error,
	}
	for i, c := range a.Channels {
		b.Channels[i] = s.channelBody(ctx, c)
	}
	if !a.SilencedUntil.IsZero() {
		until := a.SilencedUntil.In(loc)
		b.SilencedUntil = &until
	}
	if !a.Status.CheckedTo.IsZero() {
		to := a.Status.CheckedTo.In(loc)
		b.CheckedTo = &to
	}
	return b
}
