package redisconn

// Elsewhere makes Open take loopback addresses for those of other machines.
func (o Options) TreatLoopbackAsRemote() Options {
	o.treatLoopbackAsRemote = true
	return o
}
