package hot

import "time"

// Inquiry is one request for numbers of a project.
type Inquiry struct {
	Tables  []Question
	Devices []Bucket  // buckets whose distinct devices to count, without bots: see BotsOf
	Live    time.Time // count the devices that were live at this time; zero: do not
}

// Question asks for the members of a dimension in some buckets of a grain.
type Question struct {
	Grain     Grain
	Dimension Dimension
	Starts    []time.Time // of the buckets, as Grain.Start has them; each once
	Top       int         // rows at most, 0 for all
	Only      string      // if not "", this member alone
	AlsoCount Dimension   // if not 0: each row also has its member's sum in this dimension

	// Named, if not nil, returns the name of a member of an open dimension. Members with one
	// name are one row, which has it as its member. It is for one question at a time.
	Named func(member string) string
}

// Findings answer an Inquiry, in its order.
type Findings struct {
	Tables  []Table
	Devices []int64
	Live    int
}

// Table answers a Question. All its counts by bucket are in the order of Starts,
// with zeros where nothing was counted.
type Table struct {
	Rows    []Row   // most counted first, then by name
	Others  []int64 // by bucket: what is not in Rows
	Rest    int64   // the part of Others beyond MaxMembers: the members are not stored
	Members int     // that have any count, in Rows or not
}

// Row is one member of a table.
type Row struct {
	Member    string
	Sum       int64
	Counts    []int64 // by bucket
	AlsoCount int64   // the member's sum in Question.AlsoCount
}

// Sum returns all that the table counts.
func (t *Table) Sum() (n int64) {
	for _, r := range t.Rows {
		n += r.Sum
	}
	for _, c := range t.Others {
		n += c
	}
	return n
}
