package accesslog

import "fmt"

// auto parses a log whose format is not known. The first format that can read one of the log's
// first lines reads all that follow.
type auto struct {
	choices []choice
	took    func(Format)
	chosen  Parser
}

type choice struct {
	format Format
	parser Parser
}

func newAuto(o Options) (Parser, error) {
	p := &auto{took: o.Took}
	for i := range formats {
		f := &formats[i]
		if f.only {
			continue
		}
		one, err := f.parser(o)
		if err != nil {
			return nil, fmt.Errorf("accesslog: format %s: %w", f.name, err)
		}
		p.choices = append(p.choices, choice{f.name, one})
	}
	return &container{inner: p}, nil
}

func (p *auto) Parse(line []byte, e *Entry) error {
	if p.chosen != nil {
		return p.chosen.Parse(line, e)
	}
	var left error
	for _, c := range p.choices {
		err := c.parser.Parse(line, e)
		if l, ok := c.parser.(*layout); ok && err == nil && l.rest == restSeconds && !l.timed {
			continue // "combined" is enough
		}
		if err == nil {
			p.chosen, p.choices = c.parser, nil
			if p.took != nil {
				p.took(c.format)
			}
			return nil
		}
		if isLeftOut(err) {
			left = err
		}
	}
	if left != nil {
		return left
	}
	return syntaxError(0, "no known format reads this line: name the log's with --format")
}
