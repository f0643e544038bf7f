package body_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// BenchmarkReadBody reads a batch of 100 events, plain and gzipped.
func BenchmarkReadBody(b *testing.B) {
	text := wiretest.NativeBatch(100)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(text)
	_ = z.Close()
	for name, sent := range map[string]string{"plain": string(text), "gzip": packed.String()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := body.Read(strings.NewReader(sent), "", wire.DefaultLimits())
				if err != nil {
					b.Fatal(err)
				}
				got.Release()
			}
		})
	}
}
