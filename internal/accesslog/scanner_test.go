package accesslog_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/accesslog"
)

type scanned struct {
	Line    int
	Text    string
	TooLong bool
}

func scan(t *testing.T, r io.Reader) (got []scanned, err error) {
	t.Helper()
	s := accesslog.NewScanner(r)
	for s.Next() {
		text := string(s.Bytes())
		if len(text) > 20 {
			text = text[:20]
		}
		got = append(got, scanned{s.Line(), text, errors.Is(s.TooLong(), accesslog.ErrTooLong)})
	}
	if s.Next() {
		t.Error("there is a line after the end")
	}
	return got, s.Err()
}

func TestLinesAreNumberedAsInAnEditor(t *testing.T) {
	got, err := scan(t, strings.NewReader("\xEF\xBB\xBFone\r\n\n  \t\r\nfour\nfive"))
	if err != nil {
		t.Fatal(err)
	}
	want := []scanned{{1, "one", false}, {4, "four", false}, {5, "five", false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALineThatIsTooLongIsCutAndTheRestIsRead(t *testing.T) {
	long := strings.Repeat("x", 3*accesslog.MaxLine)
	exact := strings.Repeat("y", accesslog.MaxLine)
	got, err := scan(t, strings.NewReader("one\n"+long+"\n"+exact+"\r\n"+exact+"z\nfive\n"+long))
	if err != nil {
		t.Fatal(err)
	}
	want := []scanned{
		{1, "one", false},
		{2, long[:20], true},
		{3, exact[:20], false},
		{4, exact[:20], true},
		{5, "five", false},
		{6, long[:20], true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAReaderThatFailsGivesTheWholeLinesBeforeIt(t *testing.T) {
	broken := errors.New("disk on fire")
	got, err := scan(t, io.MultiReader(strings.NewReader("one\nhalf"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if diff := cmp.Diff([]scanned{{1, "one", false}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
