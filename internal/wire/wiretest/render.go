package wiretest

import (
	"encoding/json"
	"flag"
	"fmt"
	"reflect"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Update is the flag that writes golden files.
var Update = flag.Bool("update", false, "write what was decoded to testdata")

// Now is the time at which requests of tests come.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// Render writes what Events returned, a line per field that is not zero.
func Render(in []weir.Incoming, rejected []weir.Rejection, err error) string {
	var b strings.Builder
	for _, i := range in {
		fmt.Fprintf(&b, "event %d\n", i.Index)
		renderStruct(&b, "", reflect.ValueOf(i.Event))
		renderStruct(&b, "Source.", reflect.ValueOf(i.Source))
	}
	for _, r := range rejected {
		fmt.Fprintf(&b, "rejected %d %s", r.Index, r.Reason)
		if r.Detail != "" {
			fmt.Fprintf(&b, " (%s)", r.Detail)
		}
		b.WriteByte('\n')
	}
	if err != nil {
		fmt.Fprintf(&b, "error %s: %s\n", weir.ErrorCode(err), weir.ErrorMessage(err))
	}
	return b.String()
}

func renderStruct(b *strings.Builder, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		f, name := v.Field(i), prefix+v.Type().Field(i).Name
		if f.IsZero() {
			continue
		}
		switch x := f.Interface().(type) {
		case time.Time:
			fmt.Fprintf(b, "  %s: %s\n", name, x.Format(time.RFC3339Nano))
		case *weir.Call:
			fmt.Fprintf(b, "  %s:\n", name)
			renderStruct(b, "  "+name+".", f.Elem())
		case json.RawMessage:
			fmt.Fprintf(b, "  %s: %s\n", name, x)
		default:
			fmt.Fprintf(b, "  %s: %v\n", name, x)
		}
	}
}
