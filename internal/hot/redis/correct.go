package redis

import (
	"context"
	_ "embed"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

//go:embed scripts/subtract.lua
var subtractText string

//go:embed scripts/uniques.lua
var uniquesText string

//go:embed scripts/dropids.lua
var dropIDsText string

var (
	subtractScript = newScript(subtractText)
	uniquesScript  = newScript(uniquesText)
	dropIDsScript  = newScript(dropIDsText)
)

// stepKept is how long a step is remembered: as long as a counter that it changed can be there.
var stepKept = strconv.Itoa(int((hot.Day.Kept() + 2*bucketSlack) / time.Second))

// correct runs a script of one shard on the shard's keys after its hash, and with the log's id
// before the arguments.
func (s *Store) correct(ctx context.Context, what string, sc *script, shard int, keys, args []string) error {
	r, err := s.runIn(ctx, sc, append([]string{s.keys.shards[shard]}, keys...), append([]string{s.id}, args...))
	if err == nil {
		err = r.Error()
	}
	return s.fault(what, err)
}

// runIn runs a script within Options.Timeout, and waits for the replicas where that is set.
func (s *Store) runIn(ctx context.Context, sc *script, keys, args []string) (rueidis.RedisResult, error) {
	if err := s.usable(); err != nil {
		return rueidis.RedisResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	return s.run(ctx, sc, s.replica, keys, args)
}

// Subtract implements hot.Corrector: one step in each shard that has amounts.
func (s *Store) Subtract(ctx context.Context, project string, step hot.Step, amounts []hot.Amount) error {
	if err := step.Check(amounts, nil); err != nil {
		return err
	}
	of := map[int]map[hot.Bucket][]hot.Amount{}
	for _, a := range amounts {
		shard := a.Shard % s.opt.Shards
		if of[shard] == nil {
			of[shard] = map[hot.Bucket][]hot.Amount{}
		}
		of[shard][a.Bucket] = append(of[shard][a.Bucket], a)
	}
	for shard, buckets := range of {
		keys := []string{s.keys.step(shard, project)}
		args := []string{step.ID, strconv.FormatUint(step.Number, 10), stepKept, strconv.Itoa(len(buckets))}
		for b, amounts := range buckets {
			keys = append(keys, s.keys.bucket(shard, kindCounts, project, b), s.keys.bucket(shard, kindMembers, project, b))
			args = appendAmounts(args, amounts)
		}
		if err := s.correct(ctx, "subtract from counters", subtractScript, shard, keys, args); err != nil {
			return err
		}
	}
	return nil
}

// appendAmounts appends what subtractScript gets of one bucket.
func appendAmounts(args []string, amounts []hot.Amount) []string {
	var slots, members, ns []string
	for _, a := range amounts {
		n := strconv.FormatInt(a.N, 10)
		if slot := hot.FixedSlot(a.Dimension, a.Member); slot >= 0 {
			slots = append(slots, strconv.Itoa(slot), n)
		} else {
			members, ns = append(members, string(byte(a.Dimension))+a.Member), append(ns, n)
		}
	}
	args = append(args, strconv.FormatInt(rand.Int64(), 10), strconv.Itoa(len(slots)/2)) //nolint:gosec // no secret; the sum may wrap around
	args = append(append(args, slots...), strconv.Itoa(len(members)))
	return append(append(args, members...), ns...)
}

// ClearUniques implements hot.Corrector. It clears each bucket in every shard.
func (s *Store) ClearUniques(ctx context.Context, project string, buckets []hot.Bucket) error {
	if err := hot.CheckCorrection(len(buckets)); err != nil {
		return err
	}
	for shard := range s.opt.Shards {
		for some := range slices.Chunk(buckets, correctedBuckets) {
			var of []bucketOf
			for _, b := range some {
				of = append(of, bucketOf{project, b}, bucketOf{hot.BotsOf(project), b})
			}
			if err := s.changeUniques(ctx, shard, true, of, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// correctedBuckets is how many buckets one script changes: it bounds how long Redis is busy with one.
const correctedBuckets = 1000

// AddUniques implements hot.Corrector.
func (s *Store) AddUniques(ctx context.Context, project string, unique []hot.Unique) error {
	if err := hot.CheckCorrection(len(unique)); err != nil {
		return err
	}
	shards := map[int]map[bucketOf][]string{}
	for _, u := range unique {
		if u.Device == "" {
			continue
		}
		e := weir.Event{ProjectID: project, DeviceID: u.Device, Bot: u.Bot}
		shard, b := hot.ShardOf(&e, s.opt.Shards), bucketOf{hot.CrowdOf(&e), u.Bucket}
		if shards[shard] == nil {
			shards[shard] = map[bucketOf][]string{}
		}
		shards[shard][b] = append(shards[shard][b], u.Device)
	}
	for shard, devices := range shards {
		for some := range slices.Chunk(slices.Collect(maps.Keys(devices)), correctedBuckets) {
			if err := s.changeUniques(ctx, shard, false, some, devices); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeUniques runs uniquesScript on some buckets of a shard.
func (s *Store) changeUniques(ctx context.Context, shard int, clearThem bool, buckets []bucketOf, devices map[bucketOf][]string) error {
	args, keys := []string{"0"}, make([]string, 0, 2*len(buckets))
	if clearThem {
		args[0] = "1"
	}
	for _, b := range buckets {
		keys = append(keys, s.keys.bucket(shard, kindCounts, b.project, b.Bucket), s.keys.bucket(shard, kindUniques, b.project, b.Bucket))
		args = append(append(args, strconv.Itoa(len(devices[b]))), devices[b]...)
	}
	return s.correct(ctx, "change uniques", uniquesScript, shard, keys, args)
}

// DropIDs implements hot.Corrector. An id cannot move to another set, so it does not matter if a
// generation of ids begins meanwhile.
func (s *Store) DropIDs(ctx context.Context, rows []weir.EventRow) error {
	if err := hot.CheckCorrection(len(rows)); err != nil {
		return err
	}
	gens := map[int]generation{}
	keys, args := map[int][]string{}, map[int][]string{}
	for i := range rows {
		shard := rows[i].Shard
		if shard < 0 || shard >= s.opt.Shards {
			continue // of a former log, whose ids are in another store
		}
		gen, ok := gens[shard]
		if !ok {
			cmd := s.client.B().Hmget().Key(s.keys.shards[shard]).Field("gen", "bits", "before").Build()
			var err error
			if gen, err = readGeneration(s.ask(ctx, []rueidis.Completed{cmd})[0]); err != nil {
				return s.fault("drop ids", err)
			}
			gens[shard] = gen
		}
		for _, id := range hot.DedupIDs(&rows[i].Event) {
			for number, bits := range map[int64]int{gen.number: gen.bits, gen.number - 1: gen.before} {
				if bits == 0 {
					continue
				}
				set, member := idPlace(id, bits)
				keys[shard] = append(keys[shard], string(idSet(s.keys.ids(nil, shard, number), set)))
				args[shard] = append(args[shard], strconv.FormatInt(member, 10))
			}
		}
	}
	for shard := range keys {
		for i := 0; i < len(keys[shard]); i += droppedIDs {
			to := min(i+droppedIDs, len(keys[shard]))
			if err := s.correct(ctx, "drop ids", dropIDsScript, shard, keys[shard][i:to], args[shard][i:to]); err != nil {
				return err
			}
		}
	}
	return nil
}

// droppedIDs is how many ids one script deletes.
const droppedIDs = 4000
