// Package buckets runs the command against a real object store, versitygw, both as processes that are killed. Its tests have the build tag buckets;
// make test-buckets fetches the store.
package buckets
