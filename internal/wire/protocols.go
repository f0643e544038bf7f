package wire

// Protocols are all that Weir speaks besides its own.
func Protocols() []Protocol {
	return []Protocol{
		Plausible{},
		Umami{},
	}
}
