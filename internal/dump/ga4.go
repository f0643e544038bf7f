package dump

type ga4 struct{}

func (ga4) pages() ([]string, string) { return nil, "" }
func (ga4) fits(row) bool             { return false }
func (ga4) wanted() string            { return "" }
func (ga4) read(row, *batch) error    { return nil }
