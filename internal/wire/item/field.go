package item

// Field is a text field of an event.
type Field uint8

// The text fields of an event.
const (
	ID Field = iota
	Name
	Profile
	Device
	Session
	URL
	Path
	Origin
	Title
	Referrer
	IP
	UserAgent
	UTMSource
	UTMMedium
	UTMCampaign
	UTMTerm
	UTMContent
	Country
	Region
	City
	Browser
	BrowserVersion
	OS
	OSVersion
	DeviceType
	Language
	Library
	Currency
	Alias // the former id of an identify event; becomes the property $alias
	FieldCount
)

// PropertyGroups is the property for the groups that an event belongs to: an object of type
// to id, or to ids.
const PropertyGroups = "$groups"
