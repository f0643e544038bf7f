package ga4

import (
	"bytes"
	"slices"
)

// maxGoods and maxMembers bound the items of an event, and the members of one. Google takes
// 200 items with 27 parameters of the page's own.
const (
	maxGoods   = 200
	maxMembers = 100
)

// goodsNames are the names that the Measurement Protocol has for the members of an item, by
// the two letters that gtag.js sends. Those in goodsNumbers are numbers.
var goodsNames = map[string]string{
	"id": "item_id", "nm": "item_name", "br": "item_brand", "va": "item_variant",
	"ca": "item_category", "c2": "item_category2", "c3": "item_category3", "c4": "item_category4", "c5": "item_category5",
	"li": "item_list_id", "ln": "item_list_name", "lp": "index", "lo": "location_id", "af": "affiliation", "cp": "coupon",
	"pr": "price", "qt": "quantity", "ds": "discount",
	"pi": "promotion_id", "pn": "promotion_name", "cn": "creative_name", "cs": "creative_slot",
}

var goodsNumbers = map[string]bool{"lp": true, "pr": true, "qt": true, "ds": true}

// keepGoods stores the items of the event, pr1, pr2 …, as the property items.
func (g *decoder) keepGoods() {
	var goods [][]byte
	g.params.each(func(name, value []byte) {
		if isGood(name) && len(goods) < maxGoods {
			goods = append(goods, value)
		}
	})
	if len(goods) == 0 || !g.NewPropertyKey([]byte("items")) {
		return
	}
	g.AppendRaw("[")
	for i, good := range goods {
		if i > 0 {
			g.AppendRaw(",")
		}
		g.keepGood(good)
	}
	g.AppendRaw("]")
}

// isGood reports whether a parameter is an item: pr and a number.
func isGood(name []byte) bool {
	digits, ok := bytes.CutPrefix(name, []byte("pr"))
	return ok && len(digits) > 0 && len(digits) <= 3 && len(bytes.Trim(digits, "0123456789")) == 0
}

// keepGood stores one item, such as idSKU_1~nmShoe~pr12.5~qt2~k0size~v042: members of two
// letters and a value. A parameter of the page's own is a name (k0) and a value (v0).
func (g *decoder) keepGood(text []byte) {
	var names []string
	var own, ownNumber []byte // the name of the page's own parameter that was read last, and its number
	g.AppendRaw("{")
	for len(text) > 0 && len(names) < maxMembers {
		var member []byte
		member, text = cutMember(text)
		if len(member) < 3 {
			continue
		}
		code, value := member[:2], member[2:]
		name, known := goodsNames[string(code)]
		switch {
		case known:
			own = nil
		case code[0] == 'k':
			digits := len(member) - len(bytes.TrimLeft(member[1:], "0123456789"))
			ownNumber, own = member[1:digits], member[digits:]
			continue
		case code[0] == 'v' && len(own) > 0 && bytes.HasPrefix(member[1:], ownNumber):
			name, value = string(own), member[1+len(ownNumber):]
			own = nil
		default:
			continue
		}
		if slices.Contains(names, name) {
			continue
		}
		if len(names) > 0 {
			g.AppendRaw(",")
		}
		names = append(names, name)
		g.AppendText([]byte(name))
		g.AppendRaw(":")
		g.appendParam(value, known && goodsNumbers[string(code)])
	}
	g.AppendRaw("}")
}

// cutMember returns the text up to the first single ~, and what follows it. Two of them stand
// for one in a value.
func cutMember(text []byte) (member, rest []byte) {
	for i := 0; i < len(text); i++ {
		if text[i] != '~' {
			continue
		}
		if i+1 == len(text) || text[i+1] != '~' {
			member, rest = text[:i], text[i+1:]
			return bytes.ReplaceAll(member, []byte("~~"), []byte("~")), rest
		}
		i++
	}
	return bytes.ReplaceAll(text, []byte("~~"), []byte("~")), nil
}
