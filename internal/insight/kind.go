package insight

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// kinds are the sorts of insight. A new one is a spec in the root package, a plan with an
// answer here, and its line in this table: the API, its description, alerts and the
// cache read the table.
var kinds = []kind{trendKind, pagesKind, callsKind, growthKind, funnelKind, lifecycleKind, stickinessKind, retentionKind}

// kind is all that one sort of insight is.
type kind struct {
	name weir.Kind

	// question and answer are the types of its JSON. The API's description follows
	// from them.
	question, answer reflect.Type

	// decode reads the JSON of a question strictly and fills in what the sender may
	// leave out.
	decode func(body []byte) (weir.Question, error)
	// plan checks a question. Error: EINVALID.
	plan func(e *Engine, p *weir.Project, q weir.Question) (plan, error)
	// empty returns an answer to read JSON into; copy a shallow copy of an answer.
	empty func() Answer
	copy  func(Answer) Answer
	// totals are what alerts can measure; nil if there is nothing.
	totals *totals
}

// plan is a question that was checked, with all that does not need the cold tier: its
// buckets, columns and limits. It is made once. SQL is written from it later, when the
// identities of the project are known.
type plan interface {
	// needed returns what the engine has to provide.
	needed() needs
	// answer reads the cold tier. It sets all of the answer
	// but the kind and Meta.
	answer(ctx context.Context, r *reader) (Answer, error)
}

// needs stand in each plan.
type needs struct {
	bytes      int64 // the most memory that the answer takes
	identities bool  // the answer depends on which device or former id belongs to whom
}

func (n needs) needed() needs { return n }

// Answer is the answer of any kind: *Trend, *Pages, *Calls and so on.
type Answer interface{ about() *About }

// About stands at the end of the answer of each kind.
type About struct {
	Kind        weir.Kind `json:"kind" doc:"that of the question"`
	BotsLeftOut *int64    `json:"bots_left_out,omitempty" doc:"of an answer that counts people: how many bots are left out of it, distinct over the range"`
	Meta
}

func (a *About) about() *About { return a }

// newKind makes a kind of Q, its question, and A, its answer. defaults fills in what the
// sender of a question may leave out; it may be nil.
func newKind[Q weir.Question, A any, P interface {
	*A
	Answer
}](name weir.Kind, defaults func(*Q), plan func(e *Engine, p *weir.Project, q Q) (plan, error),
) kind {
	return kind{
		name: name, question: reflect.TypeFor[Q](), answer: reflect.TypeFor[A](), plan: planOf(plan),
		decode: func(body []byte) (weir.Question, error) {
			var q Q
			d := json.NewDecoder(bytes.NewReader(body))
			d.DisallowUnknownFields()
			if err := d.Decode(&q); err != nil {
				if weir.ErrorCode(err) == weir.EINVALID {
					return nil, err
				}
				return nil, weir.Wrap(err, weir.EINVALID, "a question of kind %s: %s", name, strings.TrimPrefix(err.Error(), "json: "))
			}
			if defaults != nil {
				defaults(&q)
			}
			return q, nil
		},
		empty: func() Answer { return P(new(A)) },
		copy:  func(a Answer) Answer { c := *a.(P); return P(&c) },
	}
}

func planOf[Q weir.Question](own func(e *Engine, p *weir.Project, q Q) (plan, error)) func(*Engine, *weir.Project, weir.Question) (plan, error) {
	return func(e *Engine, p *weir.Project, q weir.Question) (plan, error) {
		of, ok := q.(Q)
		if !ok {
			return nil, fmt.Errorf("insight: a question of kind %s is a %T", q.Kind(), q)
		}
		return own(e, p, of)
	}
}

// kindNamed returns a kind. Error: EINVALID if there is none of the name.
func kindNamed(name weir.Kind) (*kind, error) {
	known := make([]string, len(kinds))
	for i := range kinds {
		if known[i] = string(kinds[i].name); kinds[i].name == name {
			return &kinds[i], nil
		}
	}
	last := len(known) - 1
	return nil, weir.Errorf(weir.EINVALID, "unknown kind %.40q: use %s or %s", string(name), strings.Join(known[:last], ", "), known[last])
}

// Shape says which types the JSON of a kind has.
type Shape struct {
	Kind             weir.Kind
	Question, Answer reflect.Type
}

// Shapes returns the shapes of all kinds.
func Shapes() []Shape {
	shapes := make([]Shape, len(kinds))
	for i, k := range kinds {
		shapes[i] = Shape{k.name, k.question, k.answer}
	}
	return shapes
}

// Tidy returns the JSON of a question in the one form that Decode reads. A member's name
// may be written in any case. A member that is empty (null, "", [], {}, 0 or false) and
// that only other kinds take is left out, as a form for all kinds sends it. What is not a
// JSON object stays as it is.
func Tidy(body []byte) []byte {
	var sent map[string]json.RawMessage
	if json.Unmarshal(body, &sent) != nil || sent == nil {
		return body
	}
	known := map[string]bool{"kind": true, "freshness": true}
	for _, k := range kinds {
		for _, name := range memberNames(k.question) {
			known[name] = true
		}
	}
	members := make(map[string]json.RawMessage, len(sent))
	for _, name := range slices.Sorted(maps.Keys(sent)) { // capitals first: a name that is written as it should be wins
		to := name
		if lower := strings.ToLower(name); known[lower] {
			to = lower
		}
		members[to] = sent[name]
	}
	var name weir.Kind
	if json.Unmarshal(members["kind"], &name) != nil {
		return body
	}
	k, err := kindNamed(name)
	if err != nil {
		return body
	}
	own := append(memberNames(k.question), "kind", "freshness")
	maps.DeleteFunc(members, func(name string, value json.RawMessage) bool {
		return known[name] && !slices.Contains(own, name) && isEmpty(value)
	})
	tidy, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return tidy
}

// memberNames returns the names of the members in the JSON of a question.
func memberNames(question reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(question) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func isEmpty(value json.RawMessage) bool {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return false
	}
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return reflect.ValueOf(v).IsZero()
}

// Decode reads a question in the form that the API takes: the JSON of its type, with
// "kind", and with "from" and "to" as weir.ParseRange reads them. Without "to" it is up to
// now, or what "from" says. "freshness" is the asker's, and is skipped. See Tidy for what else is
// accepted. Error: EINVALID.
func Decode(body []byte, now time.Time, loc *time.Location) (weir.Question, error) {
	var head struct {
		Kind     weir.Kind     `json:"kind"`
		From     string        `json:"from"`
		To       string        `json:"to"`
		Interval weir.Interval `json:"interval"`
	}
	var members map[string]json.RawMessage
	body = Tidy(body)
	for _, into := range []any{&members, &head} {
		if err := json.Unmarshal(body, into); err != nil {
			return nil, weir.Wrap(err, weir.EINVALID, "a question is a JSON object with kind, from and what its kind takes")
		}
	}
	k, err := kindNamed(head.Kind)
	if err != nil {
		return nil, err
	}
	if head.From == "" {
		return nil, weir.Errorf(weir.EINVALID, "from is missing")
	}
	from, to, err := weir.ParseRange(head.From, head.To, now, loc)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = weir.EndOfNow(now, head.Interval, loc)
	}
	delete(members, "kind")
	delete(members, "freshness")
	delete(members, "from")
	delete(members, "to")
	own, err := json.Marshal(members)
	if err != nil {
		return nil, weir.Wrap(err, weir.EINVALID, "a question of kind %s is not JSON", k.name)
	}
	q, err := k.decode(own)
	if err != nil {
		return nil, err
	}
	base := q.Base()
	base.From, base.To = from, to
	q = q.WithBase(base)
	return q, q.Validate()
}

// defaultToDay is the interval of questions that need one and name none.
func defaultToDay(c *weir.Common) {
	if c.Interval == "" {
		c.Interval = weir.Day
	}
}
