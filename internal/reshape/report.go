package reshape

// Report counts what a pipeline did, over the workers that were closed.
type Report struct {
	Read     int64 `json:"read"`
	Passed   int64 `json:"passed"`
	Filtered int64 `json:"filtered"` // left out by the filter, Undecided included
	Sampled  int64 `json:"sampled"`  // left out by the sample
	Withheld int64 `json:"withheld"`

	// Undecided counts records, of the filtered ones, about which the filter could not be decided, by reason.
	Undecided map[string]int64 `json:"undecided,omitempty"`
	// WithoutEntity counts records that had nothing to be sampled by. They were sampled by their place.
	WithoutEntity int64 `json:"without_entity,omitempty"`
	// WithheldFor counts withheld records by reason.
	WithheldFor map[string]int64 `json:"withheld_for,omitempty"`
	// Unmaskable counts payloads that went on unmasked or redacted as Rules.Unmaskable asks.
	Unmaskable int64 `json:"unmaskable,omitempty"`
	// KeysChanged counts records whose key is another one now. A replay keeps their partitions unless it is told otherwise.
	KeysChanged int64 `json:"keys_changed,omitempty"`

	Masks []RuleReport `json:"masks,omitempty"` // in the order of the rules
	Maps  []RuleReport `json:"maps,omitempty"`
	// Uncovered are the fields that look personal and have no rule, by topic and path.
	Uncovered []Suspect `json:"uncovered,omitempty"`
}

// RuleReport is how often a rule found something to change.
type RuleReport struct {
	Rule    string `json:"rule"`    // as a flag would spell it
	Records int64  `json:"records"` // with at least one match
	Fields  int64  `json:"fields"`  // matches
}

// Suspect is a field that looks personal and has no rule.
type Suspect struct {
	Topic   string `json:"topic"`
	Path    string `json:"path"`    // as a rule would name it
	Looks   string `json:"looks"`   // like what: e-mail, phone, card, IBAN, IP address, or a name
	Records int64  `json:"records"` // that have it
}
