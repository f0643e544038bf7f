package wire

// Protocols are all that Weir speaks besides its own.
func Protocols() []Protocol {
	return []Protocol{
		Plausible{},
		Matomo{},
		Segment{},
		GA4{},
		PostHog{},
		OpenPanel{},
		Track{PostHog: PostHog{}, OpenPanel: OpenPanel{}},
		Umami{},
	}
}
