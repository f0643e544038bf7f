package wire

// What tests look at from outside.
var (
	LZBase64    = lzBase64
	IsOpenPanel = isOpenPanel
)
