// Package registry talks to a schema registry: it fetches the schemas that records name, and registers schemas where records are sent.
//
// [Open] makes a [Client]. Its [Client.See] fetches what a record names and is not known yet; [Client.Take] gives what came since. A [Restore] makes
// the schemas of an archive those of another registry. All of it is safe for concurrent use.
package registry
