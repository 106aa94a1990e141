// Package reshape filters, samples, masks and maps records on their way: the one pipeline of every command that moves records.
//
// Fill in [Rules], from flags or with [ParseRules] from a YAML file, let [Rules.Resolve] fetch what they only name (the mask key,
// tables), and [Compile] them once. A [Pipeline] is immutable and shared; each goroutine takes a [Worker] of it, calls [Worker.Apply] for
// every record, and closes it, which adds what it counted to [Pipeline.Report].
//
// The order is fixed: filter, sample, mask, map. Every step is a function of the record, of its place and of the rules alone, so the same
// records come out of it in every run, on every machine and in any number of goroutines.
//
// Masks fail closed. A record that a rule cannot be applied to, because its payload is not strictly valid JSON (see [CheckJSON]), is
// [Withheld], unless the rules say otherwise. Edits leave the rest of a document byte for byte: the order of fields, the spelling of
// numbers, spaces and escapes.
//
// The package knows no Kafka client, no flag, no environment and no file.
package reshape
