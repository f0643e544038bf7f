package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/client"
)

// TestAPathWithoutPatternHasAForm reads the cases that the clients for Node and
// Python are tested with too.
func TestAPathWithoutPatternHasAForm(t *testing.T) {
	raw, err := os.ReadFile("../clients/testdata/forms.json")
	if err != nil {
		t.Fatal(err)
	}
	var forms map[string]string
	if err := json.Unmarshal(raw, &forms); err != nil {
		t.Fatal(err)
	}
	for path, want := range forms {
		if got := client.Form(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestFormsAreBounded(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	h := c.Record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/scan") {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	ask := func(path string) { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)) }
	word := func(i int) string { return strings.Repeat("x", i%30) + fmt.Sprintf("%c", 'a'+i/30) }
	for i := range 500 {
		ask("/scan/" + word(i))
	}
	for i := range 500 {
		ask("/real/" + word(i))
	}
	ask("/real/" + word(0))
	shut(t, c)
	routes := map[string]int{}
	for _, e := range f.all() {
		routes[e.Call.Route]++
	}
	if len(routes) != 201 || routes["other"] != 500+300 || routes["/real/"+word(0)] != 2 {
		t.Errorf("%d routes, %d other", len(routes), routes["other"])
	}
}
