// Package wire is the contract of the protocols that SDKs speak: what a [Protocol] is, what
// a request may hold ([Limits]) and use ([Budget]), and why an item is rejected ([Reasons]).
//
//	jsonscan   reads JSON
//	body       reads and decompresses a request's body
//	item       makes events of a request's items
//	native     Weir's own events
//	otlp       OpenTelemetry's traces
//	posthog …  a folder for each vendor
//	protocols  lists the vendors
//	wiretest   runs a protocol for tests
//
// A body that is wrong as a whole is an error, and nothing of it is stored. An item that is
// wrong is a [weir.Rejection], and the others are stored. DESIGN.md says what is rejected
// and what is repaired.
package wire
