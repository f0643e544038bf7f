package dump

type matomo struct{}

func (matomo) pages() ([]string, string) { return nil, "" }
func (matomo) fits(row) bool             { return false }
func (matomo) wanted() string            { return "" }
func (matomo) read(row, *batch) error    { return nil }
