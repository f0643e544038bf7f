package sharedpath

// IsOpenPanel is isOpenPanel for tests.
var IsOpenPanel = isOpenPanel

// IsMixpanel is isMixpanel for tests.
var IsMixpanel = isMixpanel

// IsAmplitude is isAmplitude for tests.
var IsAmplitude = isAmplitude
