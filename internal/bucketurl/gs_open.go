//go:build gcs

package bucketurl

import (
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob" // registers gs
)

func init() { gs.open = blob.DefaultURLMux().OpenBucketURL }
