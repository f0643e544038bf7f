package matomo_test

import (
	"bytes"
	"image"
	"image/gif"
	"net/http"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestMatomoGolden(t *testing.T) { wiretest.Golden(t, matomo.Protocol{}) }

func post(t *testing.T, body string) *wire.Request {
	t.Helper()
	return wiretest.Request(t, matomo.Protocol{}, "POST", "/matomo.php", http.Header{"Content-Type": {"application/json"}}, []byte(body))
}

func TestMatomoBulkIsAnsweredByWhatEachProjectTook(t *testing.T) {
	r := post(t, `{"requests":["?idsite=1&rec=1&url=a","?idsite=2&rec=1&url=b","?idsite=1&rec=1&url=c"]}`)
	for _, c := range []struct {
		err    error
		status int
		body   string
	}{
		{nil, 200, `{"status":"success","tracked":3,"invalid":0}`},
		{weir.Errorf(weir.EUNAUTHORIZED, "no such site"), 200, `{"status":"success","tracked":2,"invalid":1}`},
		{weir.Errorf(weir.EUNAVAILABLE, "full"), 503, `{"status":"error","tracked":2,"invalid":1}`},
	} {
		sent, err := matomo.Protocol{}.Decode(r)
		if err != nil || len(sent.Parts) != 2 {
			t.Fatalf("%v, %+v", err, sent)
		}
		sent.Parts[1].Err = c.err
		if out := (matomo.Protocol{}).Answer(r, sent); out.Status != c.status || string(out.Body) != c.body {
			t.Errorf("%v: %d %s", c.err, out.Status, out.Body)
		}
	}
}

func TestMatomoMarksWhatIsLongPastAsHistorical(t *testing.T) {
	for body, want := range map[string]bool{
		`{"requests":["?idsite=1&rec=1&cdt=1700000000"],"token_auth":"wk_1"}`:                               true,
		`{"requests":["?idsite=1&rec=1&cdt=2026-03-01+11:00:00"],"token_auth":"wk_1"}`:                      false,
		`{"requests":["?idsite=1&rec=1&cdt=1700000000","?idsite=2&rec=1&url=a"],"token_auth":"wk_1"}`:       false,
		`{"requests":["?idsite=1&rec=1&cdt=1700000000","?idsite=1&rec=1&url=a"],"token_auth":"not a key"}`:  false,
		`{"requests":["?idsite=1&rec=1&cdt=1700000000","?idsite=1&rec=1&url=a"],"token_auth":"wk_another"}`: true,
	} {
		sent, err := matomo.Protocol{}.Decode(post(t, body))
		if err != nil || (sent.From == wire.FromLog) != want {
			t.Errorf("%s: %v, %+v", body, err, sent)
		}
	}
}

// The image is the one that Matomo itself answers with.
func TestMatomoImageIsAGIFOfOnePixel(t *testing.T) {
	r := post(t, "idsite=1&rec=1")
	sent, err := matomo.Protocol{}.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	out := matomo.Protocol{}.Answer(r, sent)
	img, err := gif.Decode(bytes.NewReader(out.Body))
	if err != nil || len(out.Body) != 43 || img.Bounds() != image.Rect(0, 0, 1, 1) {
		t.Fatalf("%d bytes, %v", len(out.Body), err)
	}
}

func TestOrderHasOneIDHoweverOftenItIsSent(t *testing.T) {
	id := func(query string) string {
		sent, err := matomo.Protocol{}.Decode(wiretest.Request(t, matomo.Protocol{}, "GET", "/matomo.php?idsite=wk_key&rec=1&idgoal=0&_id=0123456789abcdef&"+query, http.Header{}, nil))
		if err != nil {
			t.Fatal(err)
		}
		return sent.Parts[0].Events[0].Event.ID
	}
	if a, b := id("ec_id=o-1&revenue=5&rand=1"), id("ec_id=o-1&revenue=5&rand=2"); a != b || a == id("ec_id=o-2&revenue=5&rand=1") {
		t.Errorf("ids %q and %q of one order", a, b)
	}
}
