// Package wire decodes what SDKs send into events: it reads a request body,
// parses it and says, item by item, what is wrong with it. It stores nothing
// and knows no routes.
//
// Each protocol is one or two files that begin with its name: native.go is
// Weir's own POST /v1/events. What they share is vendor-neutral: [ReadBody]
// reads and decompresses within [Limits], scan.go walks JSON, reader.go and
// properties.go read an item's values and note its first defect, instant.go
// reads times, reason.go names what can be wrong.
//
// A body that is wrong as a whole is an error and nothing of it is taken. An
// item that is wrong is a [weir.Rejection], and the others are taken. What is
// repaired and what is refused stands in DESIGN.md.
package wire
