package alert

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
)

const (
	lookEvery  = 5 * time.Second // for messages of other nodes, and those that are due again
	claimFor   = 3 * time.Minute // longer than a delivery may take
	sendTime   = time.Minute
	atOnce     = 16
	firstRetry = 10 * time.Second
	lastRetry  = time.Hour
	giveUp     = 24 * time.Hour // after a message was made
	leastTries = 8              // before it is given up: three hours of them, whatever the clock shows
	maxDetail  = 300
)

// Outbox keeps messages until they are delivered. *meta.Store is one.
type Outbox interface {
	ClaimAlertDeliveries(ctx context.Context, lease time.Duration, limit int) ([]weir.AlertDelivery, error)
	DropAlertDelivery(ctx context.Context, d *weir.AlertDelivery, entry *weir.AlertEntry) error
	PutOffAlertDelivery(ctx context.Context, key string, due time.Time, attempts int) error
	AlertBacklog(ctx context.Context) (n int, oldest time.Time, err error)
}

// Courier delivers the messages of the outbox, at least once each. Several nodes
// may have one: a message that one of them took is not given to another until it
// must have ended.
type Courier struct {
	outbox  Outbox
	sender  *Sender
	clock   weir.Clock
	log     *slog.Logger
	metrics *Metrics
	wake    chan struct{}
	jitter  func() float64 // 0 to 1
}

// NewCourier makes one. jitter spreads the attempts, from 0 to 1; nil is at random.
func NewCourier(o Outbox, s *Sender, clock weir.Clock, log *slog.Logger, m *Metrics, jitter func() float64) *Courier {
	if jitter == nil {
		jitter = rand.Float64
	}
	return &Courier{outbox: o, sender: s, clock: clock, log: log, metrics: m, wake: make(chan struct{}, 1), jitter: jitter}
}

// Wake says that there is a message. It does not block.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run delivers messages until ctx is done. It then waits for the running deliveries and returns
// nil. Messages that were not delivered stay in the outbox.
func (c *Courier) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		for c.Deliver(ctx) > 0 {
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-c.wake:
		}
	}
}

// Deliver sends the messages that are due, at most atOnce, all at the same time. It returns
// their number, delivered or not.
func (c *Courier) Deliver(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	due, err := c.outbox.ClaimAlertDeliveries(ctx, claimFor, atOnce)
	if err != nil {
		c.failed(ctx, "look for messages", err)
	}
	var all sync.WaitGroup
	for i := range due {
		all.Go(func() { c.deliver(ctx, &due[i]) })
	}
	all.Wait()
	n, oldest, err := c.outbox.AlertBacklog(ctx)
	if err != nil {
		c.failed(ctx, "count the messages", err)
		return len(due)
	}
	c.metrics.waiting.Set(float64(n))
	age := 0.0
	if n > 0 {
		age = max(c.clock.Now().Sub(oldest).Seconds(), 0)
	}
	c.metrics.oldest.Set(age)
	return len(due)
}

func (c *Courier) deliver(ctx context.Context, d *weir.AlertDelivery) {
	limited, cancel := context.WithTimeout(ctx, sendTime)
	err := c.sender.send(limited, d)
	cancel()
	// What became of it is stored though the server may be stopping.
	ctx = context.WithoutCancel(ctx)
	result := c.settle(ctx, d, err)
	c.metrics.deliveries.WithLabelValues(d.Channel.Kind, result).Inc()
}

// settle stores what became of an attempt, and names it.
func (c *Courier) settle(ctx context.Context, d *weir.AlertDelivery, err error) string {
	now := c.clock.Now()
	var result string
	var wait limited
	switch {
	case err == nil:
		result, err = delivered, c.outbox.DropAlertDelivery(ctx, d, nil)
	case errors.As(err, &wait) && now.Sub(d.CreatedAt) < giveUp:
		result, err = putOff, c.outbox.PutOffAlertDelivery(ctx, d.Key, now.Add(min(max(wait.wait, time.Second), lastRetry)), d.Attempts)
	case deliver.Final(err) || now.Sub(d.CreatedAt) >= giveUp && (d.Attempts+1 >= leastTries || errors.As(err, &wait)):
		c.log.Warn("a message about an alert is given up", "alert", d.AlertID, "channel", d.Channel.ID, "attempts", d.Attempts+1, "error", err)
		entry := weir.AlertEntry{
			Kind: weir.AlertUndelivered, At: now, From: d.Message.State, To: d.Message.State, Incident: d.Message.Incident,
			Detail: clip(Destination(d.Channel)+": "+err.Error(), maxDetail),
		}
		result, err = givenUp, c.outbox.DropAlertDelivery(ctx, d, &entry)
	default:
		c.log.Info("a message about an alert was not delivered; trying again", "alert", d.AlertID, "channel", d.Channel.ID, "attempts", d.Attempts+1, "error", err)
		result, err = retried, c.outbox.PutOffAlertDelivery(ctx, d.Key, now.Add(c.backoff(d.Attempts)), d.Attempts+1)
	}
	if err != nil {
		c.failed(ctx, "store what became of a message", err, "alert", d.AlertID)
	}
	return result
}

// backoff is how long to wait after an attempt: three times as long as after the
// one before, up to an hour, and up to a fifth more.
func (c *Courier) backoff(before int) time.Duration {
	d := firstRetry
	for range before {
		if d *= 3; d >= lastRetry {
			d = lastRetry
			break
		}
	}
	return d + time.Duration(c.jitter()*float64(d)/5)
}

// Destination is where a channel leads, without what may be secret of it: a
// webhook's path often is.
func Destination(c weir.AlertChannel) string {
	if c.Kind == weir.AlertByEmail {
		return c.To
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.Kind
	}
	return u.Scheme + "://" + u.Host
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (c *Courier) failed(ctx context.Context, step string, err error, more ...any) {
	if ctx.Err() != nil {
		return // the server stops
	}
	c.metrics.failures.Inc()
	c.log.Error("messages about alerts may wait", append(more, "step", step, "error", err)...)
}
