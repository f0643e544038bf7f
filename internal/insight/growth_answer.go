package insight

import "time"

// Growth is the answer of kind growth.
type Growth struct {
	Points  []GrowthPoint     `json:"points" nullable:"false" doc:"oldest first"`
	Totals  GrowthTotals      `json:"totals"`
	Compare *GrowthComparison `json:"compare,omitempty"`
	About
}

// GrowthPoint is what became of a project's persons in the bucket that starts at
// Time. Active is the sum of New, Returning and Resurrecting.
type GrowthPoint struct {
	Time         time.Time `json:"time"`
	New          int64     `json:"new" doc:"persons whose first ever event is in the bucket"`
	Active       int64     `json:"active" doc:"distinct persons"`
	Returning    int64     `json:"returning" doc:"active in the bucket before too"`
	Resurrecting int64     `json:"resurrecting" doc:"active at some time before, but not in the bucket before"`
	Dormant      int64     `json:"dormant" doc:"active in the bucket before and not in this one; negative"`
	Cumulative   int64     `json:"cumulative" doc:"persons ever seen, up to the bucket's end"`
	Net          int64     `json:"net" doc:"new + resurrecting + dormant: by how many there are more active persons than in the bucket before"`

	DailyActive   int64 `json:"daily_active" doc:"distinct persons of the bucket's last day"`
	WeeklyActive  int64 `json:"weekly_active" doc:"distinct persons of the 7 days that end with the bucket"`
	MonthlyActive int64 `json:"monthly_active" doc:"distinct persons of the 30 days that end with the bucket"`

	SignupValues
}

// SignupValues are persons by their first ever event of signing up.
type SignupValues struct {
	Signups          int64    `json:"signups" doc:"persons who signed up"`
	SignupsActive    *int64   `json:"signups_active" doc:"those of them who were active in the bucket after; null where that is not in the range"`
	SignupActiveRate *float64 `json:"signup_active_rate" doc:"signups_active among signups, 0 to 1; null without any"`
}

// GrowthTotals are over the whole range; what is of a day, a week or a month is as
// at its end.
type GrowthTotals struct {
	New           int64 `json:"new"`
	Active        int64 `json:"active" doc:"distinct persons"`
	Cumulative    int64 `json:"cumulative" doc:"persons ever seen, up to the range's end"`
	Net           int64 `json:"net" doc:"by how many there are more active persons in the last bucket than in the one before the first"`
	DailyActive   int64 `json:"daily_active"`
	WeeklyActive  int64 `json:"weekly_active"`
	MonthlyActive int64 `json:"monthly_active"`

	SignupValues
}

// GrowthComparison is the same over an earlier range. Its points stand beside those of the
// answer with the same index.
type GrowthComparison struct {
	From   time.Time     `json:"from"`
	To     time.Time     `json:"to"`
	Points []GrowthPoint `json:"points" nullable:"false"`
	Totals GrowthTotals  `json:"totals"`
}
