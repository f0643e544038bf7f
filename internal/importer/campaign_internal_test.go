package importer

import (
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/accesslog"
)

func TestALogLinePassesOnItsCampaignAndNoOtherQuery(t *testing.T) {
	for uri, want := range map[string]string{
		"/shop?token=secret&utm_source=news&UTM_Medium=email": `"path":"/shop?utm_source=news&utm_medium=email"`,
		"/shop?gclid=a%20b":                             `"path":"/shop?gclid=a%20b"`,
		"/shop?token=secret":                            `"path":"/shop"`,
		"/shop?utm_source=" + strings.Repeat("x", 1100): `"path":"/shop"`,
	} {
		line := string(appendCall(nil, "1", &accesslog.Entry{URI: uri, Path: "/shop", Status: 200}))
		if !strings.Contains(line, want) || !strings.Contains(line, `"route":"/shop"`) || strings.Contains(line, "secret") {
			t.Errorf("%s: %s, want %s", uri, line, want)
		}
	}
}
