package insight

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// cursor is the place of an event in the list, which is ordered by time, shard
// and seq, all descending.
type cursor struct {
	us    int64
	shard int64
	seq   uint64
}

// String is opaque to clients: 24 bytes in base64.
func (c cursor) String() string {
	b := make([]byte, 0, 24)
	b = binary.BigEndian.AppendUint64(b, uint64(c.us))
	b = binary.BigEndian.AppendUint64(b, uint64(c.shard))
	b = binary.BigEndian.AppendUint64(b, c.seq)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor is the inverse of String. Error: EINVALID.
func parseCursor(s string) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 24 {
		return cursor{}, weir.Errorf(weir.EINVALID, "cursor is not one of ours")
	}
	c := cursor{
		us:    int64(binary.BigEndian.Uint64(b)),
		shard: int64(binary.BigEndian.Uint64(b[8:])),
		seq:   binary.BigEndian.Uint64(b[16:]),
	}
	if c.us < cold.Earliest.UnixMicro() || c.us >= cold.Latest.UnixMicro() || c.seq > math.MaxInt64 {
		return cursor{}, weir.Errorf(weir.EINVALID, "cursor is not one of ours")
	}
	return c, nil
}
