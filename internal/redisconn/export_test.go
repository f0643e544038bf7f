package redisconn

// Elsewhere makes Open take loopback addresses for those of other machines.
func (o Options) Elsewhere() Options {
	o.elsewhere = true
	return o
}
