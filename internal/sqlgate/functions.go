package sqlgate

// FunctionKind says where a function may stand.
type FunctionKind uint8

// Kinds of functions.
const (
	Scalar     FunctionKind = iota
	Aggregate               // and as a window function, with OVER
	WindowOnly              // with OVER alone
)

// Function is a function that statements may call. Its SQL is as Dialect.Function says, or special.
type Function struct {
	Name string
	Kind FunctionKind
	Args string // for people
	Doc  string

	// takes are the kinds of the arguments, one letter each: t text, i whole number, n number, b boolean, m time,
	// j JSON, x anything, and in capitals a value that stands there as such: T, I, N. After | they may be missing; *
	// is as often as one likes.
	takes   string
	returns Kind
	// as says that the result has the kind of an argument: that number, from 1. 0 is returns.
	as int
	// special writes the call in place of a template.
	special func(w *writer, c *call, f *Function, args []value) value
}

// Functions are all functions, in the order of the manual.
var Functions = []Function{
	{Name: "count", Kind: Aggregate, Args: "* | [DISTINCT] x", Doc: "how many rows, or values that are not NULL", takes: "|x", returns: Int, special: countCall},
	{Name: "count_if", Kind: Aggregate, Args: "condition", Doc: "how many rows for which it holds", takes: "b", returns: Int},
	{Name: "sum", Kind: Aggregate, Args: "x", takes: "n", as: 1, special: sumCall},
	{Name: "avg", Kind: Aggregate, Args: "x", takes: "n", returns: Float},
	{Name: "min", Kind: Aggregate, Args: "x", takes: "x", as: 1},
	{Name: "max", Kind: Aggregate, Args: "x", takes: "x", as: 1},
	{Name: "median", Kind: Aggregate, Args: "x", takes: "n", returns: Float, special: quantileCall},
	{Name: "quantile", Kind: Aggregate, Args: "x, q", Doc: "exact, with q of 0 to 1: 0.95 is p95", takes: "nN", returns: Float, special: quantileCall},
	{Name: "stddev", Kind: Aggregate, Args: "x", Doc: "of a sample", takes: "n", returns: Float},
	{Name: "arg_min", Kind: Aggregate, Args: "x, by", Doc: "x of the row with the least by", takes: "xx", as: 1, special: argCall},
	{Name: "arg_max", Kind: Aggregate, Args: "x, by", Doc: "x of the row with the greatest by", takes: "xx", as: 1, special: argCall},
	{Name: "any_value", Kind: Aggregate, Args: "x", takes: "x", as: 1},

	{Name: "row_number", Kind: WindowOnly, returns: Int},
	{Name: "rank", Kind: WindowOnly, returns: Int},
	{Name: "dense_rank", Kind: WindowOnly, returns: Int},
	{Name: "lag", Kind: WindowOnly, Args: "x [, n]", takes: "x|I", as: 1},
	{Name: "lead", Kind: WindowOnly, Args: "x [, n]", takes: "x|I", as: 1},
	{Name: "first_value", Kind: WindowOnly, Args: "x", takes: "x", as: 1},
	{Name: "last_value", Kind: WindowOnly, Args: "x", takes: "x", as: 1},

	{Name: "coalesce", Args: "x, …", Doc: "the first that is not NULL", takes: "x*", as: 1, special: sameKinds},
	{Name: "nullif", Args: "x, y", Doc: "NULL where they are equal, else x", takes: "xx", as: 1, special: sameKinds},
	{Name: "greatest", Args: "x, …", takes: "xx*", as: 1, special: sameKinds},
	{Name: "least", Args: "x, …", takes: "xx*", as: 1, special: sameKinds},

	{Name: "abs", Args: "x", takes: "n", returns: Float},
	{Name: "round", Args: "x [, digits]", takes: "n|I", returns: Float},
	{Name: "floor", Args: "x", takes: "n", returns: Float},
	{Name: "ceil", Args: "x", takes: "n", returns: Float},
	{Name: "sqrt", Args: "x", takes: "n", returns: Float},
	{Name: "exp", Args: "x", takes: "n", returns: Float},
	{Name: "power", Args: "x, y", takes: "nn", returns: Float},

	{Name: "lower", Args: "text", takes: "t", returns: Text},
	{Name: "upper", Args: "text", takes: "t", returns: Text},
	{Name: "trim", Args: "text", takes: "t", returns: Text},
	{Name: "length", Args: "text", Doc: "in characters", takes: "t", returns: Int},
	{Name: "left", Args: "text, n", takes: "tI", returns: Text},
	{Name: "right", Args: "text, n", takes: "tI", returns: Text},
	{Name: "substring", Args: "text, from [, n]", Doc: "from counts from 1", takes: "tI|I", returns: Text, special: substringCall},
	{Name: "concat", Args: "text, …", Doc: "NULL if one is NULL, as ||", takes: "x*", returns: Text, special: concatCall},
	{Name: "contains", Args: "text, part", takes: "tt", returns: Bool, special: searchCall},
	{Name: "starts_with", Args: "text, part", takes: "tt", returns: Bool, special: searchCall},
	{Name: "ends_with", Args: "text, part", takes: "tt", returns: Bool},
	{Name: "strpos", Args: "text, part", Doc: "where it begins, from 1; 0 if it is not there", takes: "tt", returns: Int},
	{Name: "replace", Args: "text, from, to", takes: "tTT", returns: Text, special: replaceCall},
	{Name: "split_part", Args: "text, separator, n", Doc: "part n, from 1", takes: "tTI", returns: Text, special: splitCall},
	{Name: "regexp_matches", Args: "text, pattern", Doc: "RE2; matches anywhere", takes: "tT", returns: Bool, special: patternCall},
	{Name: "regexp_extract", Args: "text, pattern [, group]", takes: "tT|I", returns: Text, special: patternCall},
	{Name: "regexp_replace", Args: "text, pattern, to", Doc: "all matches; \\1 is the first group", takes: "tTT", returns: Text, special: patternCall},

	{Name: "now", Doc: "the time of the question, UTC", returns: Time, special: nowCall},
	{Name: "local", Args: "time", Doc: "what the clocks of the project's timezone showed", takes: "m", returns: Time, special: localCall},
	{Name: "date_trunc", Args: "unit, time", Doc: "to the begin of its minute, hour, day, week (from Monday), month, quarter or year", takes: "Tm", returns: Time, special: unitCall},
	{Name: "date_part", Args: "unit, time", Doc: "year, quarter, month, week, day, isodow (1 is Monday), hour, minute or second; also extract(hour FROM time)", takes: "Tm", returns: Int, special: unitCall},
	{Name: "date_diff", Args: "unit, from, to", Doc: "how many begins of a second, minute, hour or day are between", takes: "Tmm", returns: Int, special: unitCall},
	{Name: "epoch", Args: "time", Doc: "seconds since 1970", takes: "m", returns: Float, special: epochCall},
	{Name: "strftime", Args: "time, format", Doc: "of %Y %m %d %H %M %S %j", takes: "mT", returns: Text, special: formatCall},

	{Name: "->>", Args: "JSON, name", takes: "xT", returns: Text, special: memberCall},
}

// synonyms are other names of functions.
var synonyms = map[string]string{
	"countif": "count_if", "mean": "avg", "quantile_cont": "quantile", "argmin": "arg_min", "argmax": "arg_max", "min_by": "arg_min", "max_by": "arg_max",
	"stddev_samp": "stddev", "ceiling": "ceil", "pow": "power", "lcase": "lower", "ucase": "upper", "substr": "substring", "len": "length", "char_length": "length",
	"datetrunc": "date_trunc", "datepart": "date_part", "datediff": "date_diff", "regexp_like": "regexp_matches", "ifnull": "coalesce", "any": "any_value",
}

// functionsByName are all functions, with their synonyms.
func functionsByName() map[string]*Function {
	m := map[string]*Function{}
	for i := range Functions {
		m[Functions[i].Name] = &Functions[i]
	}
	for other, name := range synonyms {
		m[other] = m[name]
	}
	return m
}
