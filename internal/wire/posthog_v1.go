package wire

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
	weir "github.com/weir-analytics/weir"
)

// The newer protocol: one address, credentials in headers, a result for each event.
// Source: posthog-node's dist/capture-v1, and PostHog's rust/capture/src/v1.

// v1Tag is the word for an error, as Details of what Decode returns.
type v1Tag string

func v1Errorf(tag v1Tag, format string, args ...any) error {
	err := weir.Errorf(weir.EINVALID, format, args...)
	err.Details = tag
	return err
}

// sentV1 reads the body of a request.
func (p *posthog) sentV1(r *Request) (*Decoded, error) {
	p.start(r, r.Body)
	p.v1 = true
	token := bearerOf(r.Header.Get("Authorization"))
	if token == "" || strings.HasPrefix(token, "phx_") {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "The provided API token is not valid.")
	}
	p.token, p.requestToken = token, true
	p.sdk = header(r.Header, "PostHog-Sdk-Info")
	p.sentAt, p.hasSentAt = readMoment([]byte(r.Header.Get("PostHog-Request-Timestamp")))

	if p.peek() == 0 {
		return nil, v1Errorf("empty_body", "request body is empty")
	}
	created := false
	if p.peek() == '{' {
		created = p.batchV1()
	} else {
		p.fail("want an object")
	}
	if p.fault == "" && p.items <= p.limits.Events {
		if p.space(); p.pos < len(p.data) {
			p.fail("want nothing after the value")
		}
	}
	if p.fault != "" {
		return nil, v1Errorf("request_parsing_error", "Failed to parse request body.")
	}
	if err := p.tooManyEvents(); err != nil {
		return nil, err
	}
	if p.items == 0 {
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

// batchV1 reads the object at pos, and says whether it tells when it was made.
func (p *posthog) batchV1() (created bool) {
	batch := false
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		if !ok {
			return false
		}
		switch string(key) {
		case "created_at":
			_, created = parseRFC3339([]byte(p.short()))
		case "historical_migration":
			p.historical = p.truth()
		case "batch":
			if batch || p.peek() != '[' {
				p.fail(`want one array of "batch"`)
				return false
			}
			batch = true
			if p.events(); p.items > p.limits.Events {
				return created
			}
		default:
			p.skip()
		}
	}
	if !batch {
		p.fail(`want "batch"`)
	}
	return created
}

// entryV1 reads the value of an event's key.
func (p *posthog) entryV1(key []byte) {
	if p.measure(); p.reason == ReasonTooLarge && string(key) != "uuid" { // the answer names it
		p.skip()
		return
	}
	switch string(key) {
	case "event":
		p.read(fieldName)
		p.kind = posthogKindOf(p.get(fieldName))
	case "uuid":
		p.read(fieldID)
	case "distinct_id":
		p.ident(ownDistinct)
	case "timestamp":
		p.timed()
	case "session_id":
		p.read(fieldSession)
	case "options":
		p.options()
	case "properties":
		switch {
		case p.peek() != '{':
			p.skip()
			p.defect(ReasonWrongType, "malformed_event_properties")
		case p.has(fieldName):
			p.readProperties(p.property)
		default:
			p.propertiesAt = p.pos
			p.skip()
		}
	default:
		p.skip()
	}
}

// options reads what stood among the properties before.
func (p *posthog) options() {
	if p.peek() != '{' {
		if !p.null() {
			p.skip()
			p.defect(ReasonWrongType, "invalid_options")
		}
		return
	}
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		if !ok {
			return
		}
		switch string(key) {
		case "cookieless_mode":
			p.cookieless = p.truth()
		case "disable_skew_correction":
			p.stamp.exact = p.truth()
		case "process_person_profile":
			p.process = p.either()
		default:
			p.skip()
		}
	}
}

// uuidCost is what an id takes beside its text: in a slice that doubles, a set, and the
// answer, in bytes.
const uuidCost = 160

// finishV1 notes what is wrong with an event by v1's rules, and its uuid.
func (p *posthog) finishV1() {
	id := strings.TrimSpace(string(p.get(fieldID)))
	p.afford(uuidCost + 3*int64(len(id)))
	p.uuids = append(p.uuids, id)
	who := &p.own[ownDistinct]
	for who.from < who.to && isSpace(p.text[who.from]) {
		who.from++
	}
	for who.from < who.to && isSpace(p.text[who.to-1]) {
		who.to--
	}
	if p.has(fieldName) && who.from < who.to && !p.stamp.given {
		p.defect(ReasonTimeInvalid, "timestamp")
	}
}

// checkUUIDs wants each event to have one, and no two the same.
func (p *posthog) checkUUIDs() error {
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

// v1Drops are the words for why an event was dropped, by Weir's reasons. Others are
// Weir's own.
var v1Drops = map[string]string{
	ReasonNameMissing:  "missing_event_name",
	ReasonIDMissing:    "missing_distinct_id",
	ReasonTimeInvalid:  "invalid_event_timestamp",
	ReasonTooLarge:     "event_too_big",
	ReasonNotObject:    "malformed_event",
	ReasonDuplicateKey: "malformed_event_properties",
}

// answerV1 says what became of each event. Those seen before are ok.
func answerV1(r *Request, s *Decoded) Response {
	uuids, _ := s.State.([]string)
	why, retry := make(map[int]string), make(map[int]bool)
	for _, part := range s.Parts {
		for _, rejected := range part.Rejected {
			retry[rejected.Index] = rejected.Reason == ReasonQuota
			switch word := v1Drops[rejected.Reason]; {
			case rejected.Reason == ReasonWrongType:
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
		body = append(appendQuoted(body, []byte(id)), `:{"result":`...)
		if word, dropped := why[i]; dropped {
			result := `"drop","details":`
			if retry[i] {
				result = `"retry","details":`
			}
			body = append(appendQuoted(append(body, result...), []byte(word)), '}')
		} else {
			body = append(body, `"ok"}`...)
		}
	}
	return Response{Status: http.StatusOK, ContentType: "application/json", Header: requestID(r), Body: append(body, "}}"...)}
}

// requestID is the header that names the request, sent back.
func requestID(r *Request) http.Header {
	id := r.Header.Get("PostHog-Request-Id")
	if id == "" || len(id) > 128 {
		return nil
	}
	return http.Header{"Posthog-Request-Id": {id}}
}

// v1Errors are the words for errors that no tag says more of.
var v1Errors = map[int]string{
	http.StatusBadRequest:            "request_decoding_error",
	http.StatusUnauthorized:          "invalid_api_token",
	http.StatusRequestEntityTooLarge: "payload_too_large",
	http.StatusUnsupportedMediaType:  "unsupported_encoding",
	http.StatusTooManyRequests:       "rate_limited",
	http.StatusServiceUnavailable:    "service_unavailable",
}

// refuseV1 is what is wrong with a request as a whole.
func refuseV1(r *Request, status int, err *weir.Error) Response {
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
	return Response{Status: status, ContentType: "application/json", Header: requestID(r), Body: body}
}
