package bench

const hexDigits = "0123456789abcdef"

// idSize is the length of a UUID as text.
const idSize = 36

// putID writes a UUID of version 7 (RFC 9562, 5.7) whose random bits are the
// caller's: 12 bits of a and 60 bits of b.
func putID(dst []byte, ms uint64, a uint16, b uint64) {
	_ = dst[idSize-1]
	putHex(dst[0:8], ms>>16)
	dst[8] = '-'
	putHex(dst[9:13], ms)
	dst[13] = '-'
	dst[14] = '7'
	putHex(dst[15:18], uint64(a))
	dst[18] = '-'
	dst[19] = '8'
	putHex(dst[20:23], b>>48)
	dst[23] = '-'
	putHex(dst[24:36], b)
}

// putHex writes the low digits of n, as many as dst is long.
func putHex(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = hexDigits[n&15]
		n >>= 4
	}
}

// putMicros writes the six digits of a fraction of a second.
func putMicros(dst []byte, n int) {
	for i := 5; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}
