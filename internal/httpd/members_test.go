package httpd_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestAnAdminOfAProjectManagesItsMembers(t *testing.T) {
	f := start(t)
	admin := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	f.signedIn("bob@example.org", weir.RoleNone, false)
	bob := userID(t, f, "bob@example.org")
	a := f.doWith(admin, "POST", f.path("/members"), `{"email":"bob@example.org","role":"viewer"}`)
	wantStatus(t, a, 201)
	if d := cmp.Diff(httpd.MemberBody{ID: bob, Email: "bob@example.org", Name: "U", Role: "viewer"}, decode[httpd.MemberBody](t, a)); d != "" {
		t.Error(d)
	}
	wantError(t, f.doWith(admin, "POST", f.path("/members"), `{"email":"bob@example.org","role":"owner"}`), 400, weir.EINVALID)
	wantStatus(t, f.doWith(admin, "PATCH", f.path("/members/"+bob), `{"role":"editor"}`), 200)
	list := decode[struct{ Members []httpd.MemberBody }](t, f.doWith(admin, "GET", f.path("/members"), "")).Members
	if len(list) != 2 || list[1].Role != "editor" {
		t.Errorf("members = %+v", list)
	}
	me := f.path("/members/" + userID(t, f, "ada@example.org"))
	wantError(t, f.doWith(admin, "DELETE", me, ""), 409, weir.ECONFLICT) // the last admin
	wantError(t, f.doWith(admin, "PATCH", me, `{"role":"viewer"}`), 409, weir.ECONFLICT)
	wantStatus(t, f.doWith(admin, "DELETE", f.path("/members/"+bob), ""), 204)
	wantStatus(t, f.as(f.admin, "DELETE", me, ""), 204) // by who may do everything
	wantError(t, f.doWith(admin, "GET", f.path("/members"), ""), 404, weir.ENOTFOUND)
}

func TestTheOwnerAloneHandsTheServerOver(t *testing.T) {
	f := start(t)
	owner, root := f.signedIn("ada@example.org", weir.RoleNone, true), f.signedIn("bob@example.org", weir.RoleNone, true)
	ada, bob := "/api/v1/admins/"+userID(t, f, "ada@example.org"), "/api/v1/admins/"+userID(t, f, "bob@example.org")
	wantError(t, f.doWith(root, "DELETE", ada, ""), 409, weir.ECONFLICT)
	wantError(t, f.doWith(root, "POST", bob+"/owner", ""), 403, weir.EFORBIDDEN)
	token := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeAdmin, UserID: userID(t, f, "ada@example.org")})
	wantError(t, f.as(token, "POST", bob+"/owner", ""), 403, weir.EFORBIDDEN)
	wantStatus(t, f.doWith(owner, "POST", bob+"/owner", ""), 204)
	wantStatus(t, f.doWith(root, "DELETE", ada, ""), 204)
	wantError(t, f.doWith(owner, "GET", "/api/v1/admins", ""), 403, weir.EFORBIDDEN)
	wantStatus(t, f.doWith(root, "POST", "/api/v1/admins", `{"email":"ada@example.org"}`), 201)
	list := decode[struct{ Admins []httpd.AdminBody }](t, f.doWith(owner, "GET", "/api/v1/admins", "")).Admins
	if len(list) != 2 || list[0].Owner || !list[1].Owner {
		t.Errorf("admins = %+v", list)
	}
}

func TestAQuestionAboutPeopleTakesTheScopePersons(t *testing.T) {
	f := start(t)
	viewer, editor := f.signedIn("v@example.org", weir.RoleViewer, false), f.signedIn("e@example.org", weir.RoleEditor, false)
	for _, body := range []string{
		`{"kind":"trend","from":"-7d","breakdown":"profile_id"}`,
		`{"kind":"trend","from":"-7d","BREAKDOWN":"traits.email"}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"device_id","op":"=","value":"d1"}]}`,
		`{"kind":"trend","from":"-7d","series":[{"math":"unique","of":"session_id"}]}`,
		`{"kind":"pages","from":"-7d","filter":[{"column":"traits.plan","op":"=","value":"pro"}]}`,
		`{"kind":"calls","from":"-7d","breakdown":"profile_id"}`,
	} {
		wantError(t, f.doWith(viewer, "POST", f.path("/query"), body), 403, weir.EFORBIDDEN)
		if a := f.doWith(editor, "POST", f.path("/query"), body); a.status == 403 {
			t.Errorf("an editor's %s: %s", body, a.body)
		}
	}
	for _, body := range []string{
		`{"kind":"trend","from":"-7d","breakdown":"path"}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","value":"profile_id"}]}`,
	} {
		wantStatus(t, f.doWith(viewer, "POST", f.path("/query"), body), 200)
	}
}

func TestALiveStreamShowsPeopleToWhoMaySeeThem(t *testing.T) {
	f := start(t)
	received := live.Received{Events: []insight.EventItem{{ID: "1", Name: "x", ProfileID: "ada"}}, Count: 7}
	remote, err := json.Marshal(received)
	if err != nil {
		t.Fatal(err)
	}
	viewer := f.streamOf(f.signedIn("v@example.org", weir.RoleViewer, false), f.shop.ID)
	editor := f.streamOf(f.signedIn("e@example.org", weir.RoleEditor, false), f.shop.ID)
	for _, data := range []any{received, json.RawMessage(remote)} {
		f.hub.Publish(f.shop.ID, live.Event{Type: live.TypeReceived, Data: data})
		if got := nextEvent(t, viewer); got != "event: received\ndata: {\"events\":[],\"count\":7}" {
			t.Errorf("a viewer gets %q", got)
		}
		if got := nextEvent(t, editor); !strings.Contains(got, `"profile_id":"ada"`) {
			t.Errorf("an editor gets %q", got)
		}
	}
	wantStatus(t, f.as(f.admin, "PATCH", f.path("/members/"+userID(t, f, "e@example.org")), `{"role":"viewer"}`), 200)
	f.hub.Publish(f.shop.ID, live.Event{Type: live.TypeReceived, Data: received})
	if got := nextEvent(t, editor); strings.Contains(got, "ada") {
		t.Errorf("who is an editor no longer gets %q", got)
	}
}

// A stream looks at its rights at once when they change: LiveLook is an hour here.
func TestAStreamEndsAtOnceWithTheRightToRead(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveLook = time.Hour })
	stream := func(token string) func() {
		res, lines := f.watchWith(t.Context(), token)
		wantStatus(t, answer{status: res.StatusCode}, 200)
		nextEvent(t, lines)
		return func() { t.Helper(); ends(t, lines) }
	}
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	ada := userID(t, f, "ada@example.org")
	tok, secret, err := f.meta.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.ScopeRead, UserID: ada})
	if err != nil {
		t.Fatal(err)
	}
	end := stream(secret)
	if err := f.meta.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	end()
	end = stream(newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeRead, UserID: ada}))
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/members/"+ada), ""), 204)
	end()
}
