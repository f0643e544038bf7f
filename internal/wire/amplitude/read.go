package amplitude

import (
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// decoder decodes one request.
type decoder struct {
	item.Builder
	event

	request   *wire.Request
	page      bool // a browser sent the request
	key       string
	sentAt    int64 // the sender's clock, in unix microseconds
	hasSentAt bool
}

func (a *decoder) decode(r *wire.Request, text []byte) (*wire.Decoded, error) {
	a.Open(r, text)
	a.request, a.key, a.sentAt, a.hasSentAt = r, "", 0, false
	a.page = r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")
	events := isForm(r)
	switch {
	case events:
		a.key = body.FormValue(r.Body, "api_key")
		a.readIdentifications()
	case a.Peek() == '{':
		events = a.readRequest()
	default:
		a.Fail("want an object")
	}
	if !a.Full() {
		a.End()
	}
	if a.Failed() {
		return nil, a.Malformed()
	}
	if err := a.TooManyEvents(); err != nil {
		return nil, err
	}
	switch {
	case a.key == "":
		return nil, missing("api_key")
	case !events || a.Count() == 0:
		return nil, missing("events")
	}
	var skew time.Duration
	if a.hasSentAt {
		skew = a.Skew(a.sentAt)
	}
	a.SetTimes(skew, a.Limits.Future)
	if err := refuseWrong(a.Rejected()); err != nil {
		return nil, err
	}
	return &wire.Decoded{Parts: []wire.Part{a.Part(a.key)}, State: len(text)}, nil
}

// missing returns the error of a request that lacks a field.
func missing(field string) error {
	err := weir.Errorf(weir.EINVALID, "Request missing required field: %s", field)
	err.Details = missingField(field)
	return err
}

// readRequest reads {"api_key", "events": […], "client_upload_time"}. It reports whether
// there are events.
func (a *decoder) readRequest() (events bool) {
	for more := a.Begin('}'); more; more = a.More('}') {
		key, ok := a.Key()
		if !ok {
			return false
		}
		switch string(key) {
		case "api_key":
			a.key = string(a.ReadBrief())
		case "client_upload_time":
			a.sentAt, a.hasSentAt = a.Moment()
		case "events":
			if events || a.Peek() != '[' {
				a.Fail(`want one array of "events"`)
				return false
			}
			events = true
			for more := a.Begin(']'); more && !a.Full(); more = a.More(']') {
				a.item(a.readEvent)
			}
			if a.Full() {
				return true
			}
		default:
			a.Skip()
		}
	}
	return events
}

// readIdentifications reads the field of a form: one object, or an array of them.
func (a *decoder) readIdentifications() {
	read := a.readIdentification
	if a.request.Route.Path == pathGroupIdentify {
		read = a.readGroupIdentification
	}
	switch a.Peek() {
	case '{':
		a.item(read)
	case '[':
		for more := a.Begin(']'); more && !a.Full(); more = a.More(']') {
			a.item(read)
		}
	default:
		a.Fail("want an object or an array")
	}
}

// item reads the item at the cursor.
func (a *decoder) item(read func()) {
	a.StartItem()
	a.event = event{}
	if a.Peek() != '{' {
		if a.Skip() {
			a.Defect(wire.ReasonNotObject, "")
			a.FinishItem()
		}
		return
	}
	if read(); !a.Failed() {
		a.finish()
	}
}

// setSender sets whether the visitor's own machine sent the event, or a server.
func (a *decoder) setSender() {
	library, _, _ := strings.Cut(string(a.Get(item.Library)), "/")
	client, app := a.page, false
	switch library {
	case "amplitude-ts", "amplitude-js", "amplitude-ts-gtm", "amplitude-ts-sdk-script":
		client, a.web = true, true
	case "amplitude-react-native-ts", "amplitude-react-native", "amplitude-ios", "amplitude-swift", "amplitude-android", "amplitude-android-kotlin", "amplitude-kotlin",
		"amplitude-flutter", "amplitude-unity", "unity-sdk":
		client, app = true, true
	case "amplitude-node-ts", "amplitude-node", "amplitude-python", "amplitude-go", "amplitude-java", "amplitude-php":
		client = false
	case "":
		a.Put(item.Library, "amplitude")
	}
	a.Client, a.Reported, a.Named = client, !client, app
	switch {
	case string(a.Get(item.IP)) == "$remote":
		if a.Clear(item.IP); !client {
			a.Put(item.IP, a.request.IP)
		}
	case a.web && !a.Has(item.IP): // trackingOptions.ipAddress is off
		if a.Client = false; !a.Has(item.UserAgent) {
			a.Put(item.UserAgent, a.request.UserAgent)
		}
	}
	if a.Has(item.UserAgent) || a.Client && a.page {
		a.Clear(item.OS, item.OSVersion) // Weir reads them from the user agent
	}
	if app {
		a.setDeviceType()
	}
	if len(a.Get(item.Country)) != 2 { // some send its name, not its code
		a.Clear(item.Country, item.Region, item.City)
	}
}

// setDeviceType sets the type of an app's device by its system and model.
func (a *decoder) setDeviceType() {
	switch system := strings.ToLower(string(a.Text(a.platform))); {
	case strings.HasPrefix(string(a.Text(a.model)), "iPad"):
		a.Put(item.DeviceType, weir.DeviceTablet)
	case system == "ios", system == "android":
		a.Put(item.DeviceType, weir.DevicePhone)
	}
}
