package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A node without the role jobs stores deletions, and leaves them to others.
func TestADeletionThatHasNotBegunIsCancelledOrFailsWithTheReason(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	data := t.TempDir()
	s := serves(t, data, "--roles", "ingest,drain,query")
	t.Setenv("WEIR_URL", s.url)
	made := strings.Fields(weirs(t, "project", "create", "Shop").out)
	d := &deleting{t, s.url, "the administrator's own secret", made[1], made[len(made)-1]}
	d.send("kept", "")
	d.send("wrong", "march")
	before := d.numbers()
	path := "/api/v1/projects/" + d.project

	begun := weirs(t, "delete", "--project", d.project, "--import", "march", "--yes", "--no-wait", "--json")
	var first, second, third deletionAnswer
	if err := json.Unmarshal([]byte(begun.out), &first); err != nil || first.State != "running" {
		t.Fatalf("%+v, %v", begun, err)
	}
	if got := weirs(t, "delete", "--project", d.project, "--cancel", first.ID); got.status != 0 || !strings.Contains(got.out, "state   cancelled\n") {
		t.Errorf("%+v", got)
	}
	if got := weirs(t, "delete", "--project", d.project, "--cancel", first.ID); got.status != 0 { // it is what was asked for
		t.Errorf("%+v", got)
	}
	if got := weirs(t, "delete", "--project", d.project, "--cancel", "none"); got.status != 1 || !strings.Contains(got.stderr, "404") {
		t.Errorf("%+v", got)
	}

	// The filter of another becomes invalid, since its action is deleted. A third one comes after it.
	var action struct{ ID string }
	d.ask("POST", path+"/actions", d.token, `{"name":"Views","any":[{"event":"screen_view"}]}`, &action)
	d.ask("POST", path+"/deletions", d.token, `{"filter":[{"column":"action","op":"=","value":"`+action.ID+`"}],"confirm":6}`, &second)
	d.ask("DELETE", path+"/actions/"+action.ID, d.token, "", nil)
	d.ask("POST", path+"/deletions", d.token, `{"filter":[{"column":"name","op":"=","value":"api_call"}],"confirm":2}`, &third)
	s.stops()

	s = serves(t, data)
	d.url = s.url
	for third.State != "done" {
		d.ask("GET", path+"/deletions/"+third.ID, d.token, "", &third)
	}
	d.ask("GET", path+"/deletions/"+first.ID, d.token, "", &first)
	d.ask("GET", path+"/deletions/"+second.ID, d.token, "", &second)
	if first.State != "cancelled" || second.State != "failed" || !strings.Contains(second.Failure, action.ID) || second.Events != 0 {
		t.Errorf("the first %+v, the second %+v", first, second)
	}
	after := d.numbers()
	if after.Stored != before.Stored-2 || after.Views != before.Views || after.CountedCalls != before.CountedCalls-2 {
		t.Errorf("%+v, before %+v: only the two calls may be gone", after, before)
	}
	t.Setenv("WEIR_URL", s.url)
	for _, ended := range []string{second.ID, third.ID} {
		if got := weirs(t, "delete", "--project", d.project, "--cancel", ended); got.status != 1 || !strings.Contains(got.stderr, "409") {
			t.Errorf("%+v", got)
		}
	}
	if list := weirs(t, "delete", "--project", d.project, "--list"); !strings.Contains(list.out, "failed") || !strings.Contains(list.out, "cancelled") {
		t.Errorf("%+v", list)
	}
}
