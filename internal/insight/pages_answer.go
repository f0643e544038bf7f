package insight

// Pages is the answer of kind pages.
type Pages struct {
	Pages  []Page     `json:"pages" nullable:"false" doc:"most viewed first"`
	Totals PageTotals `json:"totals" doc:"over all paths, also those that the limit left out"`
	About
}

// Page is one path.
type Page struct {
	Path     string   `json:"path"`
	Views    int64    `json:"views"`
	Visitors int64    `json:"visitors" doc:"distinct persons"`
	PageTime *float64 `json:"page_time_ms" doc:"mean; null when no view of it was closed"`
	Entries  int64    `json:"entries" doc:"visits that began here"`
	Exits    int64    `json:"exits" doc:"visits whose last page it was"`

	BounceRate *float64 `json:"bounce_rate" doc:"bounces among the visits that began here, 0 to 1; null when none did"`

	// Conversions is nil unless a goal is asked for.
	Conversions    *int64   `json:"conversions,omitempty" doc:"with a goal: visits that began here and reached it"`
	ConversionRate *float64 `json:"conversion_rate,omitempty" doc:"of the visits that began here, 0 to 1; missing when none did"`
}

// PageTotals are over all paths, also those that the limit left out.
type PageTotals struct {
	Views         int64    `json:"views"`
	Visitors      int64    `json:"visitors"`
	Visits        int64    `json:"visits"`
	BounceRate    *float64 `json:"bounce_rate" doc:"among visits with a screen view, 0 to 1; null without a visit"`
	VisitDuration *float64 `json:"visit_duration_ms" doc:"mean; null without a visit"`

	Goal *GoalTotals `json:"goal,omitempty" doc:"when a goal is asked for"`
}
