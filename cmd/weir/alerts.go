package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/insight"
	"golang.org/x/sync/errgroup"
)

// alertFlags are the flags of alerts, part of those of serve.
type alertFlags struct {
	SMTP         string         `name:"smtp" env:"WEIR_SMTP" placeholder:"URL" help:"Mail server: smtp://USER:PASSWORD@HOST:587 or smtps://…; with smtp, ?tls=starttls, opportunistic or none. Better given as WEIR_SMTP than on the command line."`
	MailFrom     string         `env:"WEIR_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of mails, as Weir <weir@example.org>."`
	MailsPerHour int            `default:"60" env:"WEIR_MAILS_PER_HOUR" help:"Most mails of a project's alerts in an hour; more wait."`
	Private      []netip.Prefix `name:"allow-private-webhooks" env:"WEIR_ALLOW_PRIVATE_WEBHOOKS" placeholder:"CIDR,…" help:"Networks that are not public and that webhooks may be in; none by default."`
}

func (f *alertFlags) check() error {
	if f.MailsPerHour < 1 || f.MailsPerHour > 100_000 {
		return fmt.Errorf("--mails-per-hour: 1 to 100000, not %d", f.MailsPerHour)
	}
	_, err := f.mail()
	return err
}

// mail is nil without a server.
func (f *alertFlags) mail() (*deliver.Mail, error) {
	switch {
	case f.SMTP == "" && f.MailFrom == "":
		return nil, nil //nolint:nilnil // no mail is no fault
	case f.SMTP == "" || f.MailFrom == "":
		return nil, errors.New("--smtp and --mail-from go together")
	}
	m, err := deliver.NewMail(deliver.MailOptions{URL: f.SMTP, From: f.MailFrom})
	if err != nil {
		return nil, fmt.Errorf("--smtp, --mail-from: %w", err)
	}
	return m, nil
}

// alerting checks alerts and delivers what they say.
type alerting struct {
	rules     *alert.Rules
	evaluator *alert.Evaluator // nil unless the node does scheduled work
	courier   *alert.Courier
}

// newAlerting makes the parts; engine is nil on a node that answers no questions.
func (s *server) newAlerting(engine *insight.Engine) *alerting {
	var insights alert.Insights
	if engine != nil {
		insights = alert.EngineInsights{Engine: engine}
	}
	sender := &alert.Sender{
		Webhooks: deliver.NewWebhook(deliver.WebhookOptions{Allow: s.cmd.Private, Agent: "Weir/" + version}),
		Limiter:  s.shared.limiter, MailsPerHour: s.cmd.MailsPerHour, Texts: alert.English(),
	}
	if u := s.cmd.PublicURL; u != nil {
		sender.Address = publicAddress(u)
	}
	if mail, _ := s.cmd.mail(); mail != nil { // check looked at the error
		sender.Mails = mail
	}
	a := &alerting{rules: alert.NewRules(alert.RulesConfig{
		Store: s.meta, Counters: s.hot, Insights: insights, Allow: s.cmd.Private, Sender: sender,
	})}
	if !s.cmd.has(roleJobs) {
		return a
	}
	metrics := alert.NewMetrics(s.reg)
	a.courier = alert.NewCourier(s.meta, sender, nil, s.log, metrics, nil)
	a.evaluator = alert.NewEvaluator(alert.Config{
		Store: s.meta, Counters: s.hot, Insights: insights, Log: s.log, Metrics: metrics, Texts: sender.Texts, Wake: a.courier.Wake,
		Behind: s.behind, Today: s.today,
		Once: func(ctx context.Context, name string, ttl time.Duration) (bool, error) { return s.once(name)(ctx, ttl) },
	})
	return a
}

// behind says whether events that this node accepted wait for the hot tier.
func (s *server) behind() bool {
	if s.spill == nil {
		return false
	}
	n, _, _ := s.spill.Pending()
	return n > 0
}

// today returns the time by which old data is deleted. It is the clock's time, except that
// a clock that jumped forward by more than a day counts only after it has run for a day.
func (s *server) today(ctx context.Context) (time.Time, error) {
	t, err := s.meta.Today(ctx)
	return t.Time, err
}

// run checks and delivers until ctx is done.
func (a *alerting) run(ctx context.Context) error {
	if a.evaluator == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.evaluator.Run(ctx) })
	g.Go(func() error { return a.courier.Run(ctx) })
	return g.Wait()
}
