package sharedpath

// IsOpenPanel is isOpenPanel for tests.
var IsOpenPanel = isOpenPanel

// IsMixpanel is isMixpanel for tests.
var IsMixpanel = isMixpanel
