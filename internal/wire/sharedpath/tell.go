package sharedpath

import "github.com/weir-analytics/weir/internal/wire/jsonscan"

const openPanelHeader = "Openpanel-Client-Id"

// isOpenPanel reports whether a body comes from OpenPanel's SDKs: it is an object with a key
// "clientId", or with "type" and "payload" and without a token.
func isOpenPanel(text []byte) bool {
	if text = jsonscan.Trim(text); len(text) == 0 || text[0] != '{' {
		return false
	}
	var s jsonscan.Scanner
	s.Reset(text)
	var kind, payload, token, client bool
	eachKey(&s, func(key []byte) (done bool) {
		switch string(key) {
		case "clientId":
			client = true
		case "type":
			kind = true
		case "payload":
			payload = true
		case "token", "$token", "api_key":
			token = true
		}
		return client
	})
	return client || !s.Failed() && kind && payload && !token
}

// isMixpanel reports whether a text comes from Mixpanel's SDKs rather than from PostHog's. It
// looks at the object, or at the first one of an array. PostHog's events have other keys
// than "event" and "properties" beside these, or "$lib" among the properties, where
// Mixpanel's have "mp_lib". Changes of traits are Mixpanel's if the project stands in
// "$token". A request that both could have sent is Mixpanel's, because SDKs of PostHog do not
// send to these addresses any more.
func isMixpanel(text []byte) bool {
	var s jsonscan.Scanner
	s.Reset(jsonscan.Trim(text))
	if s.Peek() == '[' && !s.Begin(']') || s.Peek() != '{' {
		return false
	}
	mixpanel, postHog := false, false
	eachKey(&s, func(key []byte) (done bool) {
		switch string(key) {
		case "properties":
			if s.Peek() == '{' {
				m := s.Mark()
				eachKey(&s, func(key []byte) bool {
					mixpanel = mixpanel || string(key) == "token" || string(key) == "mp_lib"
					postHog = postHog || string(key) == "$lib"
					return postHog
				})
				if !s.Failed() {
					s.Seek(m)
				}
			}
		case "$token":
			mixpanel = true
		case "api_key", "token", "batch", "uuid", "timestamp", "distinct_id", "offset":
			postHog = true
		}
		return postHog
	})
	return mixpanel && !postHog
}

// isAmplitude reports whether a text comes from Amplitude's SDKs: it is an object with
// "events", where PostHog's has "batch", or an event's own keys.
func isAmplitude(text []byte) bool {
	var s jsonscan.Scanner
	if s.Reset(jsonscan.Trim(text)); s.Peek() != '{' {
		return false
	}
	amplitude, postHog := false, false
	eachKey(&s, func(key []byte) (done bool) {
		switch string(key) {
		case "events":
			amplitude = true
		case "batch", "event":
			postHog = true
		}
		return amplitude || postHog
	})
	return amplitude
}

// eachKey calls see at each value of the object at the cursor, and skips the value. It stops
// when see returns true.
func eachKey(s *jsonscan.Scanner, see func(key []byte) (done bool)) {
	for more := s.Begin('}'); more; more = s.More('}') {
		key, ok := s.Key()
		if !ok || see(key) {
			return
		}
		s.Skip()
	}
}
