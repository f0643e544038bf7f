package e2e_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The script for Segment's snippet is that of the package: only its compression is ours.
func TestSegmentsScriptIsThatOfItsPackage(t *testing.T) {
	t.Parallel()
	needSDKs(t, false)
	files, err := filepath.Glob("../internal/wire/segment/script/*.js.gz")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		packed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".gz")
		want, err := os.ReadFile("../tools/sdk/node_modules/@segment/analytics-next/dist/umd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the package's", name)
		}
	}
}
