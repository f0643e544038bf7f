package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/weir-analytics/weir/client"
)

// The one line is weir.Record: what it wraps is recorded, call by call.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // in life: weir serve
		fmt.Fprint(w, `{"accepted":1,"duplicates":0,"rejected":[]}`)
	}))
	defer server.Close()

	weir, err := client.New(client.Config{URL: server.URL, Key: "wk_…"})
	if err != nil {
		panic(err)
	}
	defer weir.Close(context.Background()) // sends what is still there

	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "user %s\n", r.PathValue("id"))
	})
	handler := weir.Record(mux, client.Consumer(client.KeyConsumer("X-API-Key")))

	// In life: http.ListenAndServe(":8000", handler)
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/users/42", nil))

	if err := weir.Flush(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(weir.Stats().Accepted, "call was counted")
	// Output:
	// 1 call was counted
}

// What calls and other events look like when they are sent: one a line.
func ExampleClient_Send() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		_, _ = io.Copy(os.Stdout, r.Body)
		fmt.Fprint(w, `{"accepted":2,"duplicates":0,"rejected":[]}`)
	}))
	defer server.Close()

	ids := 0
	weir, err := client.New(client.Config{
		URL: server.URL, Key: "wk_…",
		NewID: func(time.Time) string { ids++; return fmt.Sprintf("id-%d", ids) }, // in life: UUIDv7
	})
	if err != nil {
		panic(err)
	}
	defer weir.Close(context.Background())

	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, e := range []client.Event{
		{Time: at, Call: &client.Call{Method: "GET", Route: "/users/{id}", Status: 200, Latency: 12345 * time.Microsecond, Consumer: "acme"}},
		{Time: at, Name: "signup", ProfileID: "ada", Properties: map[string]any{"plan": "pro"}},
	} {
		if err := weir.Send(e); err != nil {
			panic(err)
		}
	}
	if err := weir.Flush(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// POST /v1/events
	// {"id":"id-1","name":"api_call","ts":1714979289000000,"call":{"method":"GET","route":"/users/{id}","status":200,"latency_ms":12.345,"consumer":"acme"},"library":"weir-go/0.1.0"}
	// {"id":"id-2","name":"signup","ts":1714979289000000,"profile_id":"ada","properties":{"plan":"pro"},"library":"weir-go/0.1.0"}
}

// A handler that knows more than the request's outside names route and consumer
// itself.
func ExampleSetConsumer() {
	handler := func(_ http.ResponseWriter, r *http.Request) {
		account := "acme" // what the service's own authentication found
		client.SetConsumer(r.Context(), account)
	}
	_ = handler
}
