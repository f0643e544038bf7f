package wire

// Reasons that are no defect of the event.
const (
	ReasonQuota   = "quota_exceeded" // the quota of its month is used up: it may be sent again when the month is over
	ReasonSampled = "sampled_out"    // its device is not in the sample that is kept of a month over its quota

	ReasonAddress = "address_filtered" // the project refuses the events of its address
	ReasonBot     = "bot_dropped"      // it is a bot's, and the project refuses those
)

// Filtered returns whether an event was left out since its project wants it so: it is not to be
// sent again, and nothing is wrong with it or its sender.
func Filtered(reason string) bool { return reason == ReasonAddress || reason == ReasonBot }

// Reasons of a rejection: stable words, which the metric carries too.
const (
	ReasonMalformed     = "malformed_json"      // a line of NDJSON is not JSON
	ReasonNotObject     = "not_an_object"       // the item is JSON, but no object
	ReasonTooLarge      = "event_too_large"     // over Limits.Event
	ReasonNameMissing   = "name_missing"        // absent, null or ""
	ReasonNameTooLong   = "name_too_long"       // over Limits.Name
	ReasonIDTooLong     = "id_too_long"         // over Limits.ID
	ReasonStringTooLong = "string_too_long"     // over Limits.String or Limits.URL
	ReasonWrongType     = "wrong_type"          // Detail names the field
	ReasonDuplicateKey  = "duplicate_key"       // the same key twice in one object
	ReasonInvalidUTF8   = "invalid_utf8"        // in a string that would be stored
	ReasonNUL           = "nul_byte"            // \u0000 in a string that would be stored
	ReasonNumber        = "number_out_of_range" // no finite double, a negative latency, or a size that is not whole
	ReasonTimeInvalid   = "ts_invalid"          // neither RFC 3339 nor a unix time
	ReasonTimeFuture    = "ts_future"           // over Limits.Future ahead
	ReasonTimeAncient   = "ts_ancient"          // before Limits.Oldest
	ReasonCurrency      = "currency_invalid"    // not three letters
	ReasonStatus        = "status_invalid"      // not a whole number, 0 or 100 to 599
	ReasonCallElsewhere = "call_on_other_event" // call on an event not named api_call
	ReasonTooMany       = "properties_too_many" // over Limits.Properties
	ReasonTooDeep       = "properties_too_deep" // over Limits.Depth
)

// Reasons lists all of them, for a metric that starts each at zero.
func Reasons() []string {
	return []string{
		ReasonMalformed, ReasonNotObject, ReasonTooLarge, ReasonNameMissing, ReasonNameTooLong,
		ReasonIDTooLong, ReasonStringTooLong, ReasonWrongType, ReasonDuplicateKey, ReasonInvalidUTF8,
		ReasonNUL, ReasonNumber, ReasonTimeInvalid, ReasonTimeFuture, ReasonTimeAncient,
		ReasonCurrency, ReasonStatus, ReasonCallElsewhere, ReasonTooMany, ReasonTooDeep,
	}
}

// Reasons that only vendors' protocols have.
const (
	ReasonUnsupported = "unsupported" // what Weir does not keep, such as a replay; Detail names it
	ReasonIDMissing   = "id_missing"  // who it was about, where a vendor asks for that
)

// VendorReasons lists them.
func VendorReasons() []string { return []string{ReasonUnsupported, ReasonIDMissing} }

// Reasons that only OpenTelemetry's spans have.
const (
	ReasonNotServer = "span_not_server" // not of kind SERVER: no call that was answered here
	ReasonSpanID    = "span_id_invalid" // no trace id of 16 bytes or span id of 8, or only zeros
)

// SpanReasons lists them.
func SpanReasons() []string { return []string{ReasonNotServer, ReasonSpanID} }
