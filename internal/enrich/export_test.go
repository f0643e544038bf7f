package enrich

// NormalPath is for tests.
var NormalPath = normalPath
