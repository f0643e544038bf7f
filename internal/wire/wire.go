// Package wire decodes what SDKs send into events: it reads a request body,
// parses it and says, item by item, what is wrong with it. It stores nothing
// and asks nobody.
//
// Each protocol is one or a few files that begin with its name: native.go is
// Weir's own POST /v1/events, the others are vendors', each a [Protocol]: its
// routes, what a request means, and the answer that its SDKs wait for. What they
// share is vendor-neutral: [ReadBody] reads and decompresses within [Limits],
// scan.go walks JSON, reader.go and properties.go read an item's values and note
// its first defect, draft.go gathers them to an event, instant.go reads times,
// reason.go names what can be wrong.
//
// A body that is wrong as a whole is an error and nothing of it is taken. An
// item that is wrong is a [weir.Rejection], and the others are taken. What is
// repaired and what is refused stands in DESIGN.md.
package wire
