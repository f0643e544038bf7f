package posthog

// LZBase64 is lzBase64 for tests.
var LZBase64 = lzBase64
