package httpd

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// SentEvent describes an event as POST /v1/events takes it, which package wire
// reads without reflection. Other keys are passed over.
type SentEvent struct {
	_              struct{}        `additionalProperties:"true"`
	ID             string          `json:"id,omitempty" doc:"sending it again under the same id adds nothing"`
	Name           string          `json:"name" minLength:"1" maxLength:"255"`
	TS             any             `json:"ts,omitempty" doc:"RFC 3339, or seconds or milliseconds since 1970; the time of arrival when missing"`
	ProfileID      string          `json:"profile_id,omitempty"`
	DeviceID       string          `json:"device_id,omitempty"`
	SessionID      string          `json:"session_id,omitempty"`
	URL            string          `json:"url,omitempty"`
	Path           string          `json:"path,omitempty"`
	Title          string          `json:"title,omitempty"`
	Referrer       string          `json:"referrer,omitempty"`
	IP             string          `json:"ip,omitempty" doc:"the visitor's; the sender's when missing"`
	UserAgent      string          `json:"user_agent,omitempty" doc:"the visitor's; the sender's when missing"`
	Language       string          `json:"language,omitempty" doc:"BCP 47"`
	Library        string          `json:"library,omitempty" doc:"the sending library, as name/version"`
	Origin         string          `json:"origin,omitempty" doc:"of the page, https://example.com; follows from url"`
	UTMSource      string          `json:"utm_source,omitempty" doc:"follows from url, as the other four do"`
	UTMMedium      string          `json:"utm_medium,omitempty"`
	UTMCampaign    string          `json:"utm_campaign,omitempty"`
	UTMTerm        string          `json:"utm_term,omitempty"`
	UTMContent     string          `json:"utm_content,omitempty"`
	Country        string          `json:"country,omitempty" doc:"ISO 3166-1 alpha-2; follows from ip"`
	Region         string          `json:"region,omitempty"`
	City           string          `json:"city,omitempty"`
	Browser        string          `json:"browser,omitempty" doc:"follows from user_agent, as the next five do"`
	BrowserVersion string          `json:"browser_version,omitempty"`
	OS             string          `json:"os,omitempty"`
	OSVersion      string          `json:"os_version,omitempty"`
	DeviceType     string          `json:"device_type,omitempty" enum:"phone,tablet,desktop,tv"`
	Bot            bool            `json:"bot,omitempty"`
	Revenue        float64         `json:"revenue,omitempty"`
	Currency       string          `json:"currency,omitempty" doc:"ISO 4217"`
	Properties     json.RawMessage `json:"properties,omitempty" doc:"a JSON object"`
	Call           *SentCall       `json:"call,omitempty" doc:"of an api_call"`
}

// TransformSchema says in which forms the time may be.
func (SentEvent) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["ts"].OneOf = []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeNumber}}
	return s
}

// SentCall is what an api_call says of the request.
type SentCall struct {
	_         struct{} `additionalProperties:"true"`
	Method    string   `json:"method,omitempty"`
	Route     string   `json:"route,omitempty"`
	Status    int      `json:"status,omitempty"`
	LatencyMS float64  `json:"latency_ms,omitempty"`
	Consumer  string   `json:"consumer,omitempty"`
}
