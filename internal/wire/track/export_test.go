package track

// IsOpenPanel is isOpenPanel for tests.
var IsOpenPanel = isOpenPanel
