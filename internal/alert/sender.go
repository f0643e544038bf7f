package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Webhooks posts. A *deliver.Webhook does.
type Webhooks interface {
	Send(ctx context.Context, p deliver.Post) error
}

// Mails sends mail. A *deliver.Mail does.
type Mails interface {
	Send(ctx context.Context, l deliver.Letter) error
}

// Sender sends a message to a channel, once.
type Sender struct {
	Webhooks Webhooks
	Mails    Mails // nil where the server sends none
	Limiter  fleet.Limiter
	// MailsPerHour is the most mails of a project in an hour.
	MailsPerHour int
	Texts        Texts
	// Address is where people reach the server, such as https://weir.example.com: messages
	// lead there. "" is unknown.
	Address string
}

// limited is why a mail has to wait.
type limited struct{ wait time.Duration }

func (l limited) Error() string {
	return fmt.Sprintf("the project's limit of mails is reached; the next may go in %s", l.wait.Round(time.Second))
}

// send sends a message to its channel. The error is a limited if it was not tried, because the
// project's limit of mails is reached.
func (s *Sender) send(ctx context.Context, d *weir.AlertDelivery) error {
	message := d.Message
	if s.Address != "" {
		message.URL = s.Address + "/p/" + url.PathEscape(message.Project.ID)
	}
	if d.Channel.Kind == weir.AlertByWebhook {
		body, err := json.Marshal(message)
		if err != nil {
			return fmt.Errorf("write the message: %w", err)
		}
		return s.Webhooks.Send(ctx, deliver.Post{
			URL: d.Channel.URL, Secret: d.Channel.Secret, Type: d.Message.Type, Key: d.Key, Body: body,
		})
	}
	if s.Mails == nil {
		return weir.Errorf(weir.EUNAVAILABLE, "this server has no mail server to send with: --smtp names one")
	}
	limit := fleet.Limit{Every: time.Hour / time.Duration(s.MailsPerHour), Burst: s.MailsPerHour}
	wait, _, err := s.Limiter.Take(ctx, "alert-mail:"+d.ProjectID, limit, 1)
	if err != nil {
		return fmt.Errorf("look at the limit of mails: %w", err)
	}
	if wait > 0 {
		return limited{wait}
	}
	letter, err := s.Texts.letter(&message, d.Key, d.Channel.To)
	if err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	return s.Mails.Send(ctx, letter)
}
