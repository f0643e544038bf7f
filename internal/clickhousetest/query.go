package clickhousetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/weir-analytics/weir/internal/servertest"
)

// Do runs one statement as the user "default", over HTTP, and returns what it
// answers: unless it has a FORMAT, a line per row, with tabs between the columns,
// without the last line's end. An error is fatal.
func (s *Server) Do(sql string) string {
	s.t.Helper()
	answer, err := s.Try(sql)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// Try is Do that returns the error: one of ClickHouse has its words ("Code: 60.
// DB::Exception: Unknown table …"). It is safe for concurrent use.
func (s *Server) Try(sql string) (string, error) {
	// Not the test's own context: cleanups ask too, after it has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), servertest.Patience)
	defer cancel()
	return s.ask(ctx, sql)
}

func (s *Server) ask(ctx context.Context, sql string) (string, error) {
	answer, err := s.post(ctx, sql)
	if err != nil {
		return "", fmt.Errorf("clickhousetest: %s: %.200s: %w", s.Addr, sql, err)
	}
	return strings.TrimSuffix(answer, "\n"), nil
}

// post sends a statement: https://clickhouse.com/docs/interfaces/http
func (s *Server) post(ctx context.Context, sql string) (string, error) {
	// The server holds the answer back to its end, so that the status is right for
	// an error in the midst of it.
	target := "http://" + s.HTTP + "/?wait_end_of_query=1"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", errors.New(strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
