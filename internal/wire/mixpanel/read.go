package mixpanel

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
	event   // the event that is read
	profile // or the change of traits

	request *wire.Request
	page    bool   // a browser sent the request
	nowhere bool   // do not look up the country by the address
	token   string // of the project, as the items say it
	mixed   bool   // items with different tokens
	dropped string // what was sent that Weir does not store
	reply   *reply
}

func (m *decoder) decode(r *wire.Request, text []byte) (*wire.Decoded, error) {
	m.Open(r, text)
	m.request = r
	m.reply = &reply{verbose: body.Param(r, "verbose") == "1", strict: r.Route.Path == pathImport && r.Query().Get("strict") == "1"}
	m.page = r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")
	m.nowhere = body.Param(r, "ip") == "0"
	m.token, m.mixed, m.dropped = "", false, ""
	switch m.Peek() {
	case '[':
		for more := m.Begin(']'); more && !m.Full(); more = m.More(']') {
			m.item()
		}
	case '{':
		m.lines()
	default:
		m.Fail("want an object or an array")
	}
	if !m.Full() {
		m.End()
	}
	if m.Failed() {
		return nil, m.Malformed()
	}
	if err := m.TooManyEvents(); err != nil {
		return nil, err
	}
	if m.Count() == 0 {
		return nil, weir.Errorf(weir.EINVALID, "the request has no item")
	}
	return m.result()
}

// lines reads one object. An import may have more, each on a line of its own.
func (m *decoder) lines() {
	for !m.Full() {
		if m.item(); m.Failed() || m.request.Route.Path != pathImport {
			return
		}
		if m.Space(); m.Peek() != '{' {
			return
		}
	}
}

func (m *decoder) result() (*wire.Decoded, error) {
	r := m.request
	if m.mixed {
		return nil, weir.Errorf(weir.EINVALID, "the items of one request have different tokens: send a request for each project")
	}
	if m.token == "" && r.Route.Path == pathImport {
		m.token = importToken(r)
	}
	if m.token == "" {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "token is missing: use the project's write key as Mixpanel's project token")
	}
	past := r.Route.Path == pathImport
	var skew time.Duration
	if sentAt, ok := item.ReadMoment([]byte(r.Query().Get("_"))); ok && !past {
		skew = m.Skew(sentAt)
	}
	m.SetTimes(skew, m.Limits.Future)
	return &wire.Decoded{Parts: []wire.Part{m.Part(m.token)}, Unsupported: m.dropped, From: wire.FromLogIf(past), State: m.reply}, nil
}

// item reads the item at the cursor.
func (m *decoder) item() {
	m.StartItem()
	if m.Peek() != '{' {
		if m.Skip() {
			m.Defect(wire.ReasonNotObject, "")
			m.finishItem()
		}
		return
	}
	switch m.request.Route.Path {
	case pathEngage, pathGroups:
		m.readProfile()
	default:
		m.readEvent()
	}
}

// finishItem is FinishItem. In a strict import it notes the id of a rejected item.
func (m *decoder) finishItem() (stored bool) {
	if stored = m.FinishItem(); !stored && m.reply.strict && m.ReserveMemory(int64(len(m.Get(item.ID))+64)) {
		m.reply.faults = append(m.reply.faults, fault{m.Count() - 1, string(m.Get(item.ID))})
	}
	return stored
}

// noteToken reads the token of an item's project.
func (m *decoder) noteToken() {
	switch t := m.ReadBrief(); {
	case len(t) == 0:
	case m.token == "":
		m.token = string(t)
	case string(t) != m.token:
		m.mixed = true
	}
}

// setSender sets where an item comes from. library is the SDK's name, version its version;
// an empty library is unknown.
func (m *decoder) setSender(library, version string) {
	client := m.page
	switch library {
	case "web":
		library, client = "browser", true
	case "swift", "iphone", "android", "react-native", "flutter", "unity":
		client = true
		m.Named = true
	case "node", "python", "php", "ruby", "jvm", "java", "go", "dotnet":
		client = false
	}
	m.Client, m.Reported = client, !client
	if m.Named {
		m.setDeviceType()
	}
	switch {
	case library == "":
		m.Put(item.Library, "mixpanel")
	case version == "":
		m.Put(item.Library, "mixpanel-", library)
	default:
		m.Put(item.Library, "mixpanel-", library, "/", version)
	}
	if m.Client && m.nowhere { // no address at all, or that of the request would be looked up
		m.Clear(item.IP)
		if m.Client = false; !m.Has(item.UserAgent) {
			m.Put(item.UserAgent, m.request.UserAgent)
		}
	}
}

// setDeviceType sets the type of an app's device by its system and model.
func (m *decoder) setDeviceType() {
	switch system := strings.ToLower(string(m.Get(item.OS))); {
	case strings.HasPrefix(string(m.Text(m.model)), "iPad"), system == "ipados":
		m.Put(item.DeviceType, weir.DeviceTablet)
	case system == "ios", system == "iphone os", system == "android":
		m.Put(item.DeviceType, weir.DevicePhone)
	}
}
