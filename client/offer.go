package client

import (
	"io"
	"net/http"
)

// The optional interfaces of a ResponseWriter, as bits of an index into offers.
const (
	canFlush = 1 << iota
	canHijack
	canReadFrom
	canCloseNotify
	canPush
)

// offering returns w with the optional interfaces that the ResponseWriter within it has, and
// no others: code asks by type whether it can flush.
func (w *response) offering() http.ResponseWriter {
	index := 0
	if _, ok := w.ResponseWriter.(http.Flusher); ok {
		index |= canFlush
	}
	if _, ok := w.ResponseWriter.(http.Hijacker); ok {
		index |= canHijack
	}
	if _, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		index |= canReadFrom
	}
	if _, ok := w.ResponseWriter.(notifier); ok {
		index |= canCloseNotify
	}
	if _, ok := w.ResponseWriter.(http.Pusher); ok {
		index |= canPush
	}
	return offers[index](w)
}

type (
	fl = http.Flusher
	hj = http.Hijacker
	rf = io.ReaderFrom
	cn = notifier
	pu = http.Pusher
)

// offers makes a writer of each set of interfaces.
var offers = [1 << 5]func(*response) http.ResponseWriter{
	func(w *response) http.ResponseWriter { return w },
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
		}{w, flusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
		}{w, hijacker{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
		}{w, flusher{w}, hijacker{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			rf
		}{w, readerFrom{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			rf
		}{w, flusher{w}, readerFrom{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			rf
		}{w, hijacker{w}, readerFrom{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			rf
		}{w, flusher{w}, hijacker{w}, readerFrom{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			cn
		}{w, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			cn
		}{w, flusher{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			cn
		}{w, hijacker{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			cn
		}{w, flusher{w}, hijacker{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			rf
			cn
		}{w, readerFrom{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			rf
			cn
		}{w, flusher{w}, readerFrom{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			rf
			cn
		}{w, hijacker{w}, readerFrom{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			rf
			cn
		}{w, flusher{w}, hijacker{w}, readerFrom{w}, closeNotifier{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			pu
		}{w, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			pu
		}{w, flusher{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			pu
		}{w, hijacker{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			pu
		}{w, flusher{w}, hijacker{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			rf
			pu
		}{w, readerFrom{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			rf
			pu
		}{w, flusher{w}, readerFrom{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			rf
			pu
		}{w, hijacker{w}, readerFrom{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			rf
			pu
		}{w, flusher{w}, hijacker{w}, readerFrom{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			cn
			pu
		}{w, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			cn
			pu
		}{w, flusher{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			cn
			pu
		}{w, hijacker{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			cn
			pu
		}{w, flusher{w}, hijacker{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			rf
			cn
			pu
		}{w, readerFrom{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			rf
			cn
			pu
		}{w, flusher{w}, readerFrom{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			hj
			rf
			cn
			pu
		}{w, hijacker{w}, readerFrom{w}, closeNotifier{w}, pusher{w}}
	},
	func(w *response) http.ResponseWriter {
		return struct {
			*response
			fl
			hj
			rf
			cn
			pu
		}{w, flusher{w}, hijacker{w}, readerFrom{w}, closeNotifier{w}, pusher{w}}
	},
}
