package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// Live implements hot.Presence.
func (s *Store) Live(ctx context.Context, project string, now time.Time) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.countLive(shard, project, now)
	}
	var sum int64
	for _, r := range s.ask(ctx, cmds) {
		n, err := r.AsInt64()
		if err != nil {
			return 0, s.fault("read presence", err)
		}
		sum += n
	}
	return int(sum), nil
}

func (s *Store) shardOf(project, device string) int {
	return hot.ShardOf(&weir.Event{ProjectID: project, DeviceID: device}, s.opt.Shards)
}

// LastScreenView implements hot.Presence.
func (s *Store) LastScreenView(ctx context.Context, project, device string, now time.Time) (v hot.ScreenView, ok bool, err error) {
	if err := s.usable(); err != nil {
		return v, false, err
	}
	shard, slot := s.shardOf(project, device), viewSlotOf(now)
	get := func(slot int64) rueidis.Completed {
		return s.client.B().Hget().Key(s.keys.view(shard, project, slot)).Field(device).Build()
	}
	for _, r := range s.ask(ctx, []rueidis.Completed{get(slot), get(slot - 1)}) {
		raw, err := r.AsBytes()
		if rueidis.IsRedisNil(err) {
			continue
		}
		if err != nil {
			return v, false, s.fault("read presence", err)
		}
		if v, err = parseView(raw); err != nil {
			return v, false, fmt.Errorf("hot: last screen view of %s: %w", device, err)
		}
		if now.Sub(v.At) < hot.LastScreenViewKept {
			return v, true, nil
		}
	}
	return hot.ScreenView{}, false, nil
}

func viewSlotOf(t time.Time) int64 { return t.UnixMicro() / viewSlot.Microseconds() }

// viewTime is the number of digits of a view's time, which begins it, so that
// views can be compared as they are.
const viewTime = 16

func appendView(b []byte, v hot.ScreenView) []byte {
	b = fmt.Appendf(b, "%0*d", viewTime, v.At.UnixMicro())
	b = codec.AppendString(b, v.EventID)
	b = codec.AppendString(b, v.Path)
	return codec.AppendString(b, v.Origin)
}

func parseView(b []byte) (hot.ScreenView, error) {
	if len(b) < viewTime {
		return hot.ScreenView{}, codec.ErrCorrupt
	}
	at, err := strconv.ParseInt(string(b[:viewTime]), 10, 64)
	if err != nil {
		return hot.ScreenView{}, errors.Join(codec.ErrCorrupt, err)
	}
	r := codec.NewReader(b[viewTime:])
	v := hot.ScreenView{At: time.UnixMicro(at).UTC(), EventID: r.String(), Path: r.String(), Origin: r.String()}
	return v, r.Done()
}
