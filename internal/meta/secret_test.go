package meta_test

import (
	"bytes"
	"testing"
)

func TestASecretIsRandomAndTheSameForAllWhoShareTheStore(t *testing.T) {
	f := open(t)
	devices := must(f.Secret(t.Context(), "devices"))(t)
	if len(devices) != 32 {
		t.Fatalf("a key of %d bytes", len(devices))
	}
	if again := must(reopen(t, f).Secret(t.Context(), "devices"))(t); !bytes.Equal(again, devices) {
		t.Error("another process has another key")
	}
	if other := must(f.Secret(t.Context(), "sessions"))(t); bytes.Equal(other, devices) {
		t.Error("two names have one key")
	}
	if other := must(open(t).Secret(t.Context(), "devices"))(t); bytes.Equal(other, devices) {
		t.Error("two stores have one key")
	}
}
