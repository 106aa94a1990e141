//go:build azure

package bucketurl

import (
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // registers azblob
)

func init() { azblob.open = blob.DefaultURLMux().OpenBucketURL }
