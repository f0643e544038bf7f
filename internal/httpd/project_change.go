package httpd

import (
	"context"
	"reflect"
	"strings"

	weir "github.com/weir-analytics/weir"
)

type changeInput struct {
	ID   string `path:"id" doc:"the project's id"`
	Body struct {
		Name     *string `json:"name,omitempty" nullable:"false" doc:"1 to 100 characters"`
		Timezone *string `json:"timezone,omitempty" nullable:"false" minLength:"1" maxLength:"100" doc:"IANA name. Questions use it at once. The counters of hours and days are counted again from the stored events, see counters; reports of the last days follow within the hour"`

		RetentionDays *int `json:"retention_days,omitempty" nullable:"false" minimum:"0" maximum:"36500" doc:"days before today that events are kept for; 0 is for ever. What is older is deleted within the hour"`

		LimitKey *string `json:"limit_key,omitempty" nullable:"false" maxLength:"20" doc:"most events by one write key, such as 1000/s; off for any number; empty for the server's"`
		LimitIP  *string `json:"limit_ip,omitempty" nullable:"false" maxLength:"20" doc:"most requests from one address, such as 600/m; off for any number; empty for the server's"`
		Quota    *int64  `json:"quota,omitempty" nullable:"false" minimum:"0" maximum:"1000000000000" doc:"most events of a calendar month in the project's timezone; 0 for any number"`
		Over     *string `json:"over,omitempty" nullable:"false" enum:"refuse,sample,flag" doc:"what becomes of more"`
		Sample   *int    `json:"sample,omitempty" nullable:"false" minimum:"1" maximum:"99" doc:"percent of the devices that are kept under the policy sample"`

		Sites []string `json:"sites,omitempty" nullable:"false" maxItems:"100" doc:"names of the project besides its write keys, for vendors' SDKs; all of them: others are taken from it. 1 to 255 bytes each, without comma, space and slash; case and a leading www. do not count. A name is one project's on this server"`

		URLRules *weir.URLRules `json:"url_rules,omitempty" nullable:"false" doc:"which paths, and which routes of calls, are one page: all of the rules, in the place of those before. Answers apply them when they are computed; stored events keep their paths"`

		AddressFilters []string `json:"address_filters,omitempty" nullable:"false" maxItems:"200" doc:"addresses and networks, such as 203.0.113.5, 203.0.113.0/24 or 2001:db8::/48, whose events are left out from now on; all of them: others are taken from it"`

		BotEvents    *string  `json:"bot_events,omitempty" nullable:"false" enum:"keep,drop" doc:"what happens to events of bots from now on: keep, which marks them, or drop"`
		BotAgents    []string `json:"bot_agents,omitempty" nullable:"false" maxItems:"50" doc:"texts of 3 to 255 bytes: a user agent that contains one is a bot's, in upper or lower case; all of them"`
		NotBotAgents []string `json:"not_bot_agents,omitempty" nullable:"false" maxItems:"50" doc:"the same for user agents that are no bot's; these count first; all of them"`
	} `doc:"what is missing stays"`
}

func (s *Server) changeProject(ctx context.Context, in *changeInput) (*projectOutput, error) {
	p, b := *projectOf(ctx), &in.Body // the project is shared
	bots := b.BotEvents != nil || b.BotAgents != nil || b.NotBotAgents != nil
	limits := b.LimitKey != nil || b.LimitIP != nil || b.Quota != nil || b.Over != nil || b.Sample != nil
	if !limits && !bots && b.AddressFilters == nil && b.Name == nil && b.Timezone == nil && b.RetentionDays == nil && b.Sites == nil && b.URLRules == nil {
		return nil, weir.Errorf(weir.EINVALID, "say what to change: name, timezone, retention_days, limit_key, limit_ip, quota, over, sample, sites, url_rules, address_filters, bot_events, bot_agents or not_bot_agents")
	}
	if err := in.check(&p); err != nil {
		return nil, err
	}
	if b.Sites != nil { // before the others, since only a site may be another project's
		if err := s.cfg.Directory.SetSites(ctx, p.ID, b.Sites); err != nil {
			return nil, err
		}
	}
	if b.Timezone != nil {
		if err := s.cfg.Directory.SetTimezone(ctx, p.ID, *b.Timezone); err != nil {
			return nil, err
		}
		now, err := s.cfg.Directory.Project(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		p = *now
	}
	if b.Name != nil {
		if err := s.cfg.Directory.Rename(ctx, p.ID, *b.Name); err != nil {
			return nil, err
		}
		p.Name = strings.TrimSpace(*b.Name)
	}
	if b.URLRules != nil {
		var err error
		if p.URLRules, err = b.URLRules.Normal(); err != nil {
			return nil, err
		}
		if err := s.cfg.Directory.SetURLRules(ctx, p.ID, p.URLRules); err != nil {
			return nil, err
		}
	}
	if b.AddressFilters != nil {
		var err error
		if p.AddressFilters, err = weir.ParseAddressFilters(b.AddressFilters); err != nil {
			return nil, err
		}
		if err := s.cfg.Directory.SetAddressFilters(ctx, p.ID, p.AddressFilters); err != nil {
			return nil, err
		}
	}
	if bots {
		var err error
		if p.BotRules, err = s.cfg.Directory.ChangeBotRules(ctx, p.ID, in.bots); err != nil {
			return nil, err
		}
	}
	if limits {
		var err error
		if p.Limits, err = s.cfg.Directory.ChangeLimits(ctx, p.ID, in.limits); err != nil {
			return nil, err
		}
	}
	if b.RetentionDays != nil {
		if err := s.cfg.Directory.SetRetention(ctx, p.ID, *b.RetentionDays); err != nil {
			return nil, err
		}
		p.RetentionDays = *b.RetentionDays
	}
	callOf(ctx).acted("", "changed", strings.Join(in.changed(), ","))
	return s.projectOutput(ctx, &p)
}

// changed returns the names of what the body changes.
func (in *changeInput) changed() (names []string) {
	b := reflect.ValueOf(in.Body)
	for i := range b.NumField() {
		if !b.Field(i).IsNil() {
			name, _, _ := strings.Cut(b.Type().Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// check looks at all that may be wrong before anything is changed: all is changed or nothing.
// Error: EINVALID.
func (in *changeInput) check(p *weir.Project) error {
	l, bots := p.Limits, p.BotRules
	if err := in.limits(&l); err != nil {
		return err
	}
	in.bots(&bots)
	if _, err := l.Normal(); err != nil {
		return err
	}
	if _, err := bots.Normal(); err != nil {
		return err
	}
	if in.Body.Timezone != nil {
		if err := (&weir.Project{Timezone: *in.Body.Timezone}).Resolve(); err != nil {
			return err
		}
	}
	if in.Body.URLRules != nil {
		if _, err := in.Body.URLRules.Normal(); err != nil {
			return err
		}
	}
	_, err := weir.ParseAddressFilters(in.Body.AddressFilters)
	return err
}

// bots changes what the body names.
func (in *changeInput) bots(r *weir.BotRules) {
	if in.Body.BotEvents != nil {
		r.Drop = *in.Body.BotEvents == dropBots
	}
	if in.Body.BotAgents != nil {
		r.Agents = in.Body.BotAgents
	}
	if in.Body.NotBotAgents != nil {
		r.NotAgents = in.Body.NotBotAgents
	}
}

// limits changes what the body names. Error: EINVALID.
func (in *changeInput) limits(l *weir.Limits) error {
	for _, r := range []struct {
		name string
		text *string
		to   *weir.Rate
	}{{"limit_key", in.Body.LimitKey, &l.Key}, {"limit_ip", in.Body.LimitIP, &l.IP}} {
		if r.text == nil {
			continue
		}
		var err error
		if *r.to, err = weir.ParseRate(*r.text); err != nil {
			return weir.Wrap(err, weir.EINVALID, "%s: %s", r.name, weir.ErrorMessage(err))
		}
	}
	if in.Body.Quota != nil {
		l.Quota = *in.Body.Quota
	}
	if in.Body.Over != nil {
		l.Over = weir.Overflow(*in.Body.Over)
	}
	if in.Body.Sample != nil {
		l.Sample = *in.Body.Sample
	}
	return nil
}
