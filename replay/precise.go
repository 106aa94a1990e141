package replay

// precise says whether sleeps end with precision, and if they do not although that was asked for, why.
func precise(o Options) (precise bool, note string) {
	switch {
	case o.Pacing.Precision != HighPrecision:
		return false, ""
	case !preciseSystem:
		return false, "this system has no clock_nanosleep that karchive uses"
	}
	if _, system := o.Clock.(systemClock); !system {
		return false, "the replay goes by a clock of its own"
	}
	return true, ""
}
