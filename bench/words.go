package bench

// The site that visits are of. Lists are ordered by popularity.

type page struct{ path, title string }

const origin = "https://shop.example.com"

var pages = []page{
	{"/", "Home"},
	{"/products", "Products"},
	{"/products/espresso-machine", "Espresso machine"},
	{"/pricing", "Pricing"},
	{"/blog", "Blog"},
	{"/products/burr-grinder", "Burr grinder"},
	{"/cart", "Your cart"},
	{"/docs/getting-started", "Getting started"},
	{"/blog/water-matters", "Why water matters"},
	{"/checkout", "Checkout"},
	{"/products/pour-over-kettle", "Pour-over kettle"},
	{"/account/orders", "Your orders"},
	{"/docs/descaling", "Descaling"},
	{"/blog/roasting-at-home", "Roasting at home"},
	{"/support/contact", "Contact"},
	{"/products/milk-frother", "Milk frother"},
	{"/about", "About us"},
	{"/blog/the-right-grind", "The right grind"},
	{"/account/settings", "Settings"},
	{"/legal/privacy", "Privacy"},
}

var referrers = []string{
	"",
	"https://www.google.com/",
	"",
	"https://news.ycombinator.com/",
	"https://www.bing.com/",
	"https://www.reddit.com/r/coffee/",
	"https://chatgpt.com/",
	"https://partner.example.net/reviews",
}

type route struct {
	method, route string
	status        int
	median        float64 // milliseconds
}

var routes = []route{
	{"GET", "/api/v2/products", 200, 18},
	{"GET", "/api/v2/products/{id}", 200, 9},
	{"GET", "/api/v2/cart", 200, 12},
	{"POST", "/api/v2/cart/items", 201, 31},
	{"GET", "/api/v2/search", 200, 74},
	{"POST", "/api/v2/orders", 201, 160},
	{"GET", "/api/v2/orders/{id}", 200, 22},
	{"PATCH", "/api/v2/account", 200, 40},
	{"DELETE", "/api/v2/cart/items/{id}", 204, 27},
	{"POST", "/api/v2/login", 200, 210},
}

var (
	consumers = []string{"web-app", "ios-app", "android-app", "partner-acme", "partner-globex", "internal-reports"}
	regions   = []string{"eu-central", "us-east", "ap-south"}
	plans     = []string{"free", "team", "business"}
	themes    = []string{"light", "dark"}
	queries   = []string{"grinder", "espresso", "filter paper", "kettle 1 l", "descaler", "decaf beans"}
	buttons   = []string{"buy_now", "learn_more", "newsletter", "share", "compare"}
)

// browser is what a user agent says, in the words that enrichment uses.
type browser struct {
	userAgent                        string
	name, version, os, osVersion, on string
}

var browsers = []browser{
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "Chrome", "138.0", "Windows", "10", "desktop"},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Safari", "18.5", "iOS", "18.5", "phone"},
	{"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome", "138.0", "Android", "15", "phone"},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari", "18.5", "macOS", "10.15.7", "desktop"},
	{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "140.0", "Linux", "", "desktop"},
	{"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1", "Safari", "17.6", "iOS", "17.6", "tablet"},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", "Edge", "138.0", "Windows", "10", "desktop"},
}

type place struct{ country, region, city, language string }

var places = []place{
	{"DE", "Berlin", "Berlin", "de-DE"},
	{"US", "California", "San Francisco", "en-US"},
	{"FR", "Île-de-France", "Paris", "fr-FR"},
	{"GB", "England", "London", "en-GB"},
	{"IN", "Karnataka", "Bengaluru", "en-IN"},
	{"BR", "São Paulo", "São Paulo", "pt-BR"},
	{"JP", "Tokyo", "Tokyo", "ja-JP"},
	{"NL", "North Holland", "Amsterdam", "nl-NL"},
	{"PL", "Mazovia", "Warsaw", "pl-PL"},
	{"AU", "New South Wales", "Sydney", "en-AU"},
}
