package body_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
)

func framed(flag byte, length int, text string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flag}, uint32(length))) + text
}

func TestMessageIsReadWithoutItsHead(t *testing.T) {
	for _, test := range []struct{ sent, want, code string }{
		{framed(0, 3, "abc"), "abc", ""},
		{framed(1, 3, "abc"), "abc", ""},
		{framed(0, 0, ""), "", ""},
		{"", "", weir.EINVALID},
		{"\x00\x00\x00", "", weir.EINVALID},
		{framed(2, 3, "abc"), "", weir.EINVALID},
		{framed(0, 4, "abc"), "abc", weir.EINVALID},
		{framed(0, 3, "abcd"), "abc", weir.EINVALID},
		{framed(0, 0, "x"), "", weir.EINVALID},
		{framed(0, 1<<32-1, "abc"), "", weir.ETOOLARGE},
		{framed(0, 11, strings.Repeat("x", 11)), "", weir.ETOOLARGE},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.sent), iotest.OneByteReader(strings.NewReader(test.sent)), iotest.DataErrReader(strings.NewReader(test.sent))} {
			got, err := io.ReadAll(body.Message(r, 10))
			if string(got) != test.want || weir.ErrorCode(err) != test.code {
				t.Errorf("%q: %q, %v; want %q, %q", test.sent, got, err, test.want, test.code)
			}
		}
	}
}

// Whatever is sent: no more than the length says, within the limit, or an error.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", framed(0, 3, "abc"), framed(1, 0, ""), framed(0, 2, "abc"), framed(0, 1<<31, "x")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		const most = 20
		got, err := io.ReadAll(body.Message(bytes.NewReader(sent), most))
		if len(got) > most || len(got) > len(sent) {
			t.Fatalf("%d bytes of %d", len(got), len(sent))
		}
		if err == nil && string(sent[1:]) != framed(0, len(got), string(got))[1:] {
			t.Fatalf("%q is read as %q", sent, got)
		}
		// As the body of a request: a message is a body like others.
		b, err := body.Read(body.Message(bytes.NewReader(sent), most), "", wire.DefaultLimits())
		if code := weir.ErrorCode(err); err != nil && code != weir.EINVALID && code != weir.ETOOLARGE {
			t.Fatal(err)
		}
		b.Release()
	})
}
