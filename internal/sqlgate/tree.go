package sqlgate

// query is WITH … body ORDER BY … LIMIT ….
type query struct {
	at     int
	with   []cte
	body   body
	order  []orderItem
	limit  *int64
	offset int64
}

type cte struct {
	at      int
	name    string
	columns []string // nil: those of the query
	query   *query
}

// body is a *selection, a *setOperation or a *query in parentheses.
type body interface{ isBody() }

type selection struct {
	at       int
	distinct bool
	items    []item
	from     source // nil: one row
	where    expr
	group    []expr
	having   expr
}

type setOperation struct {
	at          int
	operator    string // UNION, INTERSECT, EXCEPT
	all         bool
	left, right body
}

func (*selection) isBody()    {}
func (*setOperation) isBody() {}
func (*query) isBody()        {}

// item is an element of a SELECT's list: an expression, or *, or table.*.
type item struct {
	at    int
	star  bool
	table string // of table.*
	expr  expr
	alias string
}

type orderItem struct {
	expr  expr
	desc  bool
	nulls string // "", FIRST or LAST
}

// source is what stands in FROM: a *tableName, a *derived or a *join.
type source interface{ isSource() }

type tableName struct {
	at          int
	name, alias string
}

type derived struct {
	at    int
	query *query
	alias string
}

type join struct {
	at          int
	kind        string // INNER, LEFT, RIGHT, FULL, CROSS
	left, right source
	on          expr
	using       []string
}

func (*tableName) isSource() {}
func (*derived) isSource()   {}
func (*join) isSource()      {}

// expr is an expression.
type expr interface{ pos() int }

type place int

func (p place) pos() int { return int(p) }

type (
	// literal is a value: string, int64, float64, bool or nil.
	literal struct {
		place
		value any
	}
	// column is a name: of a column, of a table and a column, or of those and members of JSON.
	column struct {
		place
		parts []string // words in small letters
		raw   []string // as they are written, for members of JSON
	}
	// unary is NOT or -.
	unary struct {
		place
		operator string
		x        expr
	}
	binary struct {
		place
		operator string
		x, y     expr
	}
	isNull struct {
		place
		not bool
		x   expr
	}
	betweenExpr struct {
		place
		not       bool
		x, lo, hi expr
	}
	inList struct {
		place
		not  bool
		x    expr
		list []expr
	}
	inQuery struct {
		place
		not   bool
		x     expr
		query *query
	}
	like struct {
		place
		not, anyCase bool
		x, pattern   expr
	}
	exists struct {
		place
		query *query
	}
	subquery struct {
		place
		query *query
	}
	caseExpr struct {
		place
		x         expr // nil: each WHEN is a condition
		when      []expr
		then      []expr
		otherwise expr
	}
	cast struct {
		place
		x   expr
		to  Kind
		day bool // to a date: the time is cut to the day
	}
	intervalExpr struct {
		place
		n    int64
		unit string
	}
	call struct {
		place
		name     string
		distinct bool
		star     bool
		args     []expr
		filter   expr
		over     *window
	}
)

type window struct {
	partition []expr
	order     []orderItem
	frame     string // in words of ours
}
