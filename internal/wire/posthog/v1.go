package posthog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// The newer protocol: one address, credentials in headers, a result for each event.
// Source: posthog-node's dist/capture-v1, and PostHog's rust/capture/src/v1.

// v1Tag is PostHog's word for an error. Decode's errors have it as Details.
type v1Tag string

func v1Errorf(tag v1Tag, format string, args ...any) error {
	err := weir.Errorf(weir.EINVALID, format, args...)
	err.Details = tag
	return err
}

// sentV1 reads the body of a request.
func (p *decoder) sentV1(r *wire.Request) (*wire.Decoded, error) {
	p.start(r, r.Body)
	p.v1 = true
	token := wire.BearerOf(r.Header.Get("Authorization"))
	if token == "" || strings.HasPrefix(token, "phx_") {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "The provided API token is not valid.")
	}
	p.token, p.requestToken = token, true
	p.sdk = wire.Header(r.Header, "PostHog-Sdk-Info")
	p.sentAt, p.hasSentAt = item.ReadMoment([]byte(r.Header.Get("PostHog-Request-Timestamp")))

	if p.Peek() == 0 {
		return nil, v1Errorf("empty_body", "request body is empty")
	}
	created := false
	if p.Peek() == '{' {
		created = p.batchV1()
	} else {
		p.Fail("want an object")
	}
	if !p.Full() {
		p.End()
	}
	if p.Failed() {
		return nil, v1Errorf("request_parsing_error", "Failed to parse request body.")
	}
	if err := p.TooManyEvents(); err != nil {
		return nil, err
	}
	if p.Count() == 0 {
		return nil, v1Errorf("empty_batch", "request batch is empty")
	}
	if !created {
		return nil, v1Errorf("invalid_batch", "invalid batch: created_at is not valid RFC 3339")
	}
	if err := p.checkUUIDs(); err != nil {
		return nil, err
	}
	s := p.result()
	s.State = p.uuids
	return s, nil
}

// batchV1 reads the object at the cursor, and reports whether it has a valid created_at.
func (p *decoder) batchV1() (created bool) {
	batch := false
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		if !ok {
			return false
		}
		switch string(key) {
		case "created_at":
			_, created = item.ParseRFC3339([]byte(p.short()))
		case "historical_migration":
			p.historical = p.ReadBool()
		case "batch":
			if batch || p.Peek() != '[' {
				p.Fail(`want one array of "batch"`)
				return false
			}
			batch = true
			if p.events(); p.Full() {
				return created
			}
		default:
			p.Skip()
		}
	}
	if !batch {
		p.Fail(`want "batch"`)
	}
	return created
}

// entryV1 reads the value of an event's key.
func (p *decoder) entryV1(key []byte) {
	if p.CheckSize(); p.Reason() == wire.ReasonTooLarge && string(key) != "uuid" { // the answer names it
		p.Skip()
		return
	}
	switch string(key) {
	case "event":
		p.Read(item.Name)
		p.kind = kindOf(p.Get(item.Name))
	case "uuid":
		p.Read(item.ID)
	case "distinct_id":
		p.ident(ownDistinct)
	case "timestamp":
		p.ReadTime()
	case "session_id":
		p.Read(item.Session)
	case "options":
		p.options()
	case "properties":
		switch {
		case p.Peek() != '{':
			p.Skip()
			p.Defect(wire.ReasonWrongType, "malformed_event_properties")
		case p.Has(item.Name):
			p.ReadProperties(p.property)
		default:
			p.propertiesAt = p.Note()
		}
	default:
		p.Skip()
	}
}

// options reads the options of an event, which the older protocol has among the properties.
func (p *decoder) options() {
	if p.Peek() != '{' {
		if !p.Null() {
			p.Skip()
			p.Defect(wire.ReasonWrongType, "invalid_options")
		}
		return
	}
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		if !ok {
			return
		}
		switch string(key) {
		case "cookieless_mode":
			p.cookieless = p.ReadBool()
		case "disable_skew_correction":
			p.Stamp.Exact = p.ReadBool()
		case "process_person_profile":
			p.process = p.readTristate()
		default:
			p.Skip()
		}
	}
}

// uuidCost is the memory for an id besides its text, in bytes: in a slice that doubles, in a
// set, and in the answer.
const uuidCost = 160

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// finishV1 notes what is wrong with an event by v1's rules, and its uuid.
func (p *decoder) finishV1() {
	id := strings.TrimSpace(string(p.Get(item.ID)))
	p.ReserveMemory(uuidCost + 3*int64(len(id)))
	p.uuids = append(p.uuids, id)
	who := p.ownText(ownDistinct)
	left := len(who) - len(bytes.TrimLeft(who, jsonSpace))
	p.own[ownDistinct] = p.own[ownDistinct].Cut(left, max(left, len(bytes.TrimRight(who, jsonSpace))))
	if p.Has(item.Name) && p.hasOwn(ownDistinct) && !p.Stamp.Given {
		p.Defect(wire.ReasonTimeInvalid, "timestamp")
	}
}

// checkUUIDs returns an error if an event has no UUID, or two have the same.
func (p *decoder) checkUUIDs() error {
	seen := make(map[uuid.UUID]struct{}, len(p.uuids))
	for _, id := range p.uuids {
		if id == "" {
			return v1Errorf("missing_event_uuid", "event submitted without a uuid")
		}
		u, err := uuid.Parse(id)
		if err != nil {
			return v1Errorf("invalid_event_uuid", "event submitted with an invalid uuid")
		}
		if _, again := seen[u]; again {
			return v1Errorf("duplicate_event_uuid", "duplicate event uuid: %s", u)
		}
		seen[u] = struct{}{}
	}
	return nil
}

// v1Drops are PostHog's words for a dropped event, by Weir's reasons. For other reasons the
// answer has Weir's word.
var v1Drops = map[string]string{
	wire.ReasonNameMissing:  "missing_event_name",
	wire.ReasonIDMissing:    "missing_distinct_id",
	wire.ReasonTimeInvalid:  "invalid_event_timestamp",
	wire.ReasonTooLarge:     "event_too_big",
	wire.ReasonNotObject:    "malformed_event",
	wire.ReasonDuplicateKey: "malformed_event_properties",
}

// answerV1 returns the result of each event. Duplicates are ok.
func answerV1(r *wire.Request, s *wire.Decoded) wire.Response {
	uuids, _ := s.State.([]string)
	why, retry := make(map[int]string), make(map[int]bool)
	for _, part := range s.Parts {
		for _, rejected := range part.Rejected {
			retry[rejected.Index] = rejected.Reason == wire.ReasonQuota
			switch word := v1Drops[rejected.Reason]; {
			case rejected.Reason == wire.ReasonWrongType:
				why[rejected.Index] = rejected.Detail
			case word != "":
				why[rejected.Index] = word
			default:
				why[rejected.Index] = rejected.Reason
			}
		}
	}
	body := []byte(`{"results":{`)
	for i, id := range uuids {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(jsonscan.AppendString(body, []byte(id)), `:{"result":`...)
		if word, dropped := why[i]; dropped {
			result := `"drop","details":`
			if retry[i] {
				result = `"retry","details":`
			}
			body = append(jsonscan.AppendString(append(body, result...), []byte(word)), '}')
		} else {
			body = append(body, `"ok"}`...)
		}
	}
	return wire.Response{Status: http.StatusOK, ContentType: "application/json", Header: requestID(r), Body: append(body, "}}"...)}
}

// requestID returns the header with the request's id, which the answer repeats.
func requestID(r *wire.Request) http.Header {
	id := r.Header.Get("PostHog-Request-Id")
	if id == "" || len(id) > 128 {
		return nil
	}
	return http.Header{"Posthog-Request-Id": {id}}
}

// v1Errors are PostHog's words for errors without a v1Tag, by status.
var v1Errors = map[int]string{
	http.StatusBadRequest:            "request_decoding_error",
	http.StatusUnauthorized:          "invalid_api_token",
	http.StatusRequestEntityTooLarge: "payload_too_large",
	http.StatusUnsupportedMediaType:  "unsupported_encoding",
	http.StatusTooManyRequests:       "rate_limited",
	http.StatusServiceUnavailable:    "service_unavailable",
}

// refuseV1 returns the reply to an error.
func refuseV1(r *wire.Request, status int, err *weir.Error) wire.Response {
	word, ok := v1Errors[status]
	if tag, tagged := err.Details.(v1Tag); tagged {
		word = string(tag)
	} else if !ok {
		word = "internal_error"
	}
	body, _ := json.Marshal(struct { // two texts always marshal
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{word, err.Message})
	return wire.Response{Status: status, ContentType: "application/json", Header: requestID(r), Body: body}
}
