package memory_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/memory"
)

var everything = memory.Uses{Hot: true, Cold: true}

func divide(t *testing.T, total memory.Size, u memory.Uses) memory.Parts {
	t.Helper()
	p, err := memory.Divide(total, u)
	if err != nil {
		t.Fatalf("%s: %v", total, err)
	}
	return p
}

func TestPartsAddUpToAtMostTheTotalForEverySize(t *testing.T) {
	for _, u := range []memory.Uses{everything, {Hot: true}, {Cold: true}, {}, {Hot: true, Cold: true, ColdLimit: 72 * memory.MB}} {
		for total := memory.Least; total <= 64*memory.GB; total += 1 + total/500 {
			p := divide(t, total, u)
			if sum := p.Program + p.Go + p.Hot + p.Cold + p.ColdExtra; sum > total {
				t.Fatalf("%+v: parts of %d add up to %d: %+v", u, total, sum, p)
			}
			if sum := p.Bodies + p.Batches + p.Visits + p.Presence + p.Counts + p.IDs + p.Pages + p.Answers + p.Kept; sum > p.Go*78/100 {
				t.Fatalf("%+v: of Go's %d, %d is given away: %+v", u, p.Go, sum, p)
			}
			if sum := p.HotCache + p.HotTables; sum > p.Hot {
				t.Fatalf("%+v: of Pebble's %d, %d is given away", u, p.Hot, sum)
			}
			if (p.Hot > 0) != u.Hot || (p.Cold > 0) != u.Cold || p.Go < 96*memory.MB {
				t.Fatalf("%+v: %d: %+v", u, total, p)
			}
		}
	}
}

func TestNoPartShrinksWhenTheTotalGrows(t *testing.T) {
	last := divide(t, memory.Least, everything)
	for total := memory.Least; total <= 64*memory.GB; total += 1 + total/500 {
		p := divide(t, total, everything)
		for name, of := range map[string]func(memory.Parts) memory.Size{
			"Go": func(p memory.Parts) memory.Size { return p.Go }, "Hot": func(p memory.Parts) memory.Size { return p.Hot },
			"Cold": func(p memory.Parts) memory.Size { return p.Cold }, "Bodies": func(p memory.Parts) memory.Size { return p.Bodies },
			"Batches": func(p memory.Parts) memory.Size { return p.Batches }, "Visits": func(p memory.Parts) memory.Size { return p.Visits },
			"Answers": func(p memory.Parts) memory.Size { return p.Answers },
		} {
			if of(p)+2 < of(last) { // percentages are rounded down
				t.Fatalf("%s: %s of %d falls from %d to %d", total, name, total, of(last), of(p))
			}
		}
		last = p
	}
}

func TestASizeThatIsTooSmallIsRefusedWithTheLeastThatIsNot(t *testing.T) {
	for _, c := range []struct {
		total memory.Size
		u     memory.Uses
		says  string
	}{
		{memory.Least - 1, everything, "give the process 384MB or more"},
		{memory.MB, memory.Uses{}, "give the process 208MB or more"},
		{memory.GB, memory.Uses{Hot: true, Cold: true, ColdLimit: 32 * memory.MB}, "DuckDB cannot work with 32MB: give it 64MB or more"},
		{512 * memory.MB, memory.Uses{Hot: true, Cold: true, ColdLimit: 2 * memory.GB}, "with 2000MB for DuckDB: give the process 2520MB or more, or DuckDB less"},
	} {
		_, err := memory.Divide(c.total, c.u)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s of %+v: %v, want %q", c.total, c.u, err, c.says)
		}
	}
}

func TestSizesAreReadAndThoseThatAreNoneAreRefused(t *testing.T) {
	for text, want := range map[string]memory.Size{"512MB": 512_000_000, "512 MB": 512_000_000, "1.5GiB": 3 << 29, "2TB": 2_000_000_000_000, "64KiB": 65536} {
		var got memory.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "512", "MB", "-1MB", "0MB", "NaNGB", "infGB", "1e30GB", "512mb", "512M", "512MB "} {
		var got memory.Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestTheDefaultIsAShareOfWhatThisMachineHas(t *testing.T) {
	got, err := memory.Available()
	if err != nil || got < 100*memory.MB || got > 100_000*memory.GB {
		t.Errorf("%d, %v", got, err)
	}
}

func TestTheManualsTableIsHowItIsDivided(t *testing.T) {
	manual, err := os.ReadFile("../../docs/memory.md")
	if err != nil {
		t.Fatal(err)
	}
	least, half, two := divide(t, memory.Least, everything), divide(t, 512*memory.MB, everything), divide(t, 2*memory.GB, everything)
	for name, of := range map[string]func(memory.Parts) memory.Size{
		"program": func(p memory.Parts) memory.Size { return p.Program }, "go": func(p memory.Parts) memory.Size { return p.Go },
		"hot": func(p memory.Parts) memory.Size { return p.Hot }, "cold": func(p memory.Parts) memory.Size { return p.Cold },
		"cold_extra": func(p memory.Parts) memory.Size { return p.ColdExtra }, "bodies": func(p memory.Parts) memory.Size { return p.Bodies },
		"batches": func(p memory.Parts) memory.Size { return p.Batches }, "visits": func(p memory.Parts) memory.Size { return p.Visits },
		"presence": func(p memory.Parts) memory.Size { return p.Presence }, "counts": func(p memory.Parts) memory.Size { return p.Counts },
		"ids": func(p memory.Parts) memory.Size { return p.IDs }, "pages": func(p memory.Parts) memory.Size { return p.Pages },
		"answers":      func(p memory.Parts) memory.Size { return p.Answers },
		"kept_answers": func(p memory.Parts) memory.Size { return p.Kept },
	} {
		row := fmt.Sprintf("| `%s` | %d | %d | %d |", name, whole(of(least)), whole(of(half)), whole(of(two)))
		if !strings.Contains(string(manual), "\n"+row) {
			t.Errorf("docs/memory.md lacks the row %s", row)
		}
	}
}

func whole(s memory.Size) int64 { return int64((s + memory.MB/2) / memory.MB) }
