package client_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// plain hides what the recorder can do.
type plain struct{ http.ResponseWriter }

type canFlush struct{}

func (canFlush) Flush() {}

type canHijack struct{}

func (canHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errors.New("no") }

type canReadFrom struct{}

func (canReadFrom) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

type canNotify struct{}

func (canNotify) CloseNotify() <-chan bool { return closed }

var closed = make(chan bool)

type canPush struct{}

func (canPush) Push(string, *http.PushOptions) error { return http.ErrNotSupported }

// abilities returns a letter for each optional interface of a writer, which it tries out.
func abilities(t *testing.T, w http.ResponseWriter) (can string) {
	t.Helper()
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
		can += "F"
	}
	if h, ok := w.(http.Hijacker); ok {
		if _, _, err := h.Hijack(); err == nil {
			t.Error("the error is lost")
		}
		can += "H"
	}
	if r, ok := w.(io.ReaderFrom); ok {
		if n, err := r.ReadFrom(strings.NewReader("abc")); n != 3 || err != nil {
			t.Error(n, err)
		}
		can += "R"
	}
	if c, ok := w.(interface{ CloseNotify() <-chan bool }); ok {
		if c.CloseNotify() != closed {
			t.Error("another channel")
		}
		can += "C"
	}
	if p, ok := w.(http.Pusher); ok {
		if err := p.Push("/", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
		can += "P"
	}
	return can
}

func TestTheWriterCanDoWhatTheServersCan(t *testing.T) {
	type (
		W = http.ResponseWriter
		F = canFlush
		H = canHijack
		R = canReadFrom
		C = canNotify
		P = canPush
	)
	w := plain{httptest.NewRecorder()}
	for want, writer := range map[string]W{
		"": w,
		"F": struct {
			W
			F
		}{W: w},
		"H": struct {
			W
			H
		}{W: w},
		"FH": struct {
			W
			F
			H
		}{W: w},
		"R": struct {
			W
			R
		}{W: w},
		"FR": struct {
			W
			F
			R
		}{W: w},
		"HR": struct {
			W
			H
			R
		}{W: w},
		"FHR": struct {
			W
			F
			H
			R
		}{W: w},
		"C": struct {
			W
			C
		}{W: w},
		"FC": struct {
			W
			F
			C
		}{W: w},
		"HC": struct {
			W
			H
			C
		}{W: w},
		"FHC": struct {
			W
			F
			H
			C
		}{W: w},
		"RC": struct {
			W
			R
			C
		}{W: w},
		"FRC": struct {
			W
			F
			R
			C
		}{W: w},
		"HRC": struct {
			W
			H
			R
			C
		}{W: w},
		"FHRC": struct {
			W
			F
			H
			R
			C
		}{W: w},
		"P": struct {
			W
			P
		}{W: w},
		"FP": struct {
			W
			F
			P
		}{W: w},
		"HP": struct {
			W
			H
			P
		}{W: w},
		"FHP": struct {
			W
			F
			H
			P
		}{W: w},
		"RP": struct {
			W
			R
			P
		}{W: w},
		"FRP": struct {
			W
			F
			R
			P
		}{W: w},
		"HRP": struct {
			W
			H
			R
			P
		}{W: w},
		"FHRP": struct {
			W
			F
			H
			R
			P
		}{W: w},
		"CP": struct {
			W
			C
			P
		}{W: w},
		"FCP": struct {
			W
			F
			C
			P
		}{W: w},
		"HCP": struct {
			W
			H
			C
			P
		}{W: w},
		"FHCP": struct {
			W
			F
			H
			C
			P
		}{W: w},
		"RCP": struct {
			W
			R
			C
			P
		}{W: w},
		"FRCP": struct {
			W
			F
			R
			C
			P
		}{W: w},
		"HRCP": struct {
			W
			H
			R
			C
			P
		}{W: w},
		"FHRCP": struct {
			W
			F
			H
			R
			C
			P
		}{W: w},
	} {
		c := to(t, &fake{}, nil)
		c.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if got := abilities(t, w); got != want {
				t.Errorf("the writer can %q, the server's %q", got, want)
			}
		})).ServeHTTP(writer, httptest.NewRequest("GET", "/", nil))
		shut(t, c)
	}
}
