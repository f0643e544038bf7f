package redisconn

// TreatLoopbackAsRemote makes Open treat loopback addresses as those of other machines.
func (o Options) TreatLoopbackAsRemote() Options {
	o.treatLoopbackAsRemote = true
	return o
}
