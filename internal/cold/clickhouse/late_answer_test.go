package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
)

// A question that ran out of time leaves its answer on the connection, when the server sends it. The next
// question must not get it: it may be another project's.
func TestTheAnswerOfAQuestionThatRanOutOfTimeIsNobodyElses(t *testing.T) {
	s := openAt(t, clickhousetest.Start(t).URL("weir"))
	for i := range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		rows, err := s.Query(ctx, "SELECT 1000 + sleep(0.1)")
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			_ = rows.Close()
		}
		cancel()
		if err == nil {
			t.Fatal("the question did not run out of time")
		}
		// Those that follow take the connections that are free.
		for j := range 3 {
			want := int64(i*10 + j)
			rows, err := s.Query(t.Context(), "SELECT CAST(? AS BIGINT)", want)
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			var got int64
			for rows.Next() {
				if err := rows.Scan(&got); err != nil {
					t.Fatal(err)
				}
			}
			if err := rows.Err(); err != nil || got != want {
				t.Fatalf("round %d: %d, %v, want %d", i, got, err, want)
			}
			_ = rows.Close()
		}
	}
}
