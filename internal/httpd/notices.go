package httpd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/meta"
)

// notice is a mail to the owner of an account about a change of how to sign in to it. They may not
// have made it themselves.
type notice int

const (
	passwordChanged notice = iota
	passwordReset
	factorOn
	factorOff
	factorReset
	recoveryCodesChanged
	providerLinked
	providerUnlinked
	signedOut
)

// noticeTexts are the texts of all notices in one language, as whole sentences. {email} is filled in.
type noticeTexts struct {
	Subjects, Changes map[notice]string
	// What a notice says besides: when and from where ({when}, {place}), and what to do.
	When, From, NotYou, NotYouByAdmin string
}

var englishNotices = noticeTexts{
	Subjects: map[notice]string{
		passwordChanged:      "Weir: your password was changed",
		passwordReset:        "Weir: your password was changed by a link",
		factorOn:             "Weir: your account has a second factor now",
		factorOff:            "Weir: your second factor was removed",
		factorReset:          "Weir: an administrator removed your second factor",
		recoveryCodesChanged: "Weir: you have new recovery codes",
		providerLinked:       "Weir: your account has a new way to sign in",
		providerUnlinked:     "Weir: an administrator removed a way to sign in",
		signedOut:            "Weir: an administrator signed you out everywhere",
	},
	Changes: map[notice]string{
		passwordChanged:      "The password of your account of Weir, {email}, was changed. All its other sessions have ended.",
		passwordReset:        "The password of your account of Weir, {email}, was changed by a link that was made to reset it. All its sessions have ended.",
		factorOn:             "A second factor was set up for your account of Weir, {email}. All its other sessions have ended.",
		factorOff:            "The second factor of your account of Weir, {email}, was removed. All its other sessions have ended.",
		factorReset:          "An administrator removed the second factor of your account of Weir, {email}. All its sessions have ended.",
		recoveryCodesChanged: "New recovery codes were made for your account of Weir, {email}. The former ones are not good any more.",
		providerLinked:       "Somebody signed in to your account of Weir, {email}, with the identity provider for the first time. From now on they can sign in that way.",
		providerUnlinked:     "An administrator removed the identity at the provider from your account of Weir, {email}.",
		signedOut:            "An administrator ended all sessions of your account of Weir, {email}. Sign in again.",
	},
	When:          "When: {when}",
	From:          "From: {place}",
	NotYou:        "If it was not you, choose another password now, and tell an administrator of your server.",
	NotYouByAdmin: "If you do not know why, ask an administrator of your server.",
}

// byAdmin are the notices of what an administrator did: from where they did it is not said.
var byAdmin = map[notice]bool{factorReset: true, providerUnlinked: true, signedOut: true}

// notify sends a notice to the owner of an account, after the answer, if there is a mail server.
func (s *Server) notify(ctx context.Context, u *meta.Account, n notice) {
	at := s.place(callOf(ctx).request)
	now := s.cfg.Clock.Now()
	s.sendWithin(ctx, &s.notices, func(context.Context) (*Mail, error) {
		return noticeMail(englishNotices, u.Email, n, now, at, callOf(ctx).id), nil
	})
}

// notifyID is notify for the account of an id.
func (s *Server) notifyID(ctx context.Context, userID string, n notice) {
	if s.cfg.Mail == nil {
		return
	}
	u, err := s.cfg.Directory.User(ctx, userID)
	if err != nil {
		s.log.WarnContext(ctx, "a mail was not sent", "user", userID, "error", err)
		return
	}
	s.notify(ctx, u, n)
}

func noticeMail(in noticeTexts, email string, n notice, now time.Time, at meta.Place, request string) *Mail {
	place := slices.DeleteFunc([]string{at.Network, at.Country, at.Device}, func(text string) bool { return text == "" })
	lines := []string{in.Changes[n], "", in.When}
	last := in.NotYouByAdmin
	if !byAdmin[n] {
		lines, last = append(lines, in.From), in.NotYou
	}
	lines = append(lines, "", last, "")
	fill := strings.NewReplacer("{email}", email, "{when}", now.UTC().Format("2006-01-02 15:04 MST"), "{place}", strings.Join(place, ", "))
	return &Mail{Key: "notice-" + fleet.Digest(request+email), To: email, Subject: fill.Replace(in.Subjects[n]), Text: fill.Replace(strings.Join(lines, "\n"))}
}
