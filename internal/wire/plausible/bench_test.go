package plausible_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// BenchmarkPlausible decodes a page view and an event with properties.
func BenchmarkPlausible(b *testing.B) {
	for name, body := range map[string]string{
		"view":  `{"n":"pageview","v":36,"u":"https://shop.example.com/products/7?utm_source=news&utm_medium=email","d":"shop.example.com","r":"https://www.example.org/search"}`,
		"event": `{"n":"Purchase","v":36,"u":"https://shop.example.com/checkout","d":"shop.example.com","r":null,"p":{"order":"o-1","plan":"pro","seats":"3"},"$":{"amount":49.9,"currency":"EUR"}}`,
	} {
		b.Run(name, func(b *testing.B) { wiretest.BenchDecode(b, plausible.Protocol{}, request(b, body), 1) })
	}
}
