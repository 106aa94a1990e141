package bucketurl

import (
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // registers azblob
)

var azblob = &scheme{name: "azblob", what: "Azure Blob Storage", open: blob.DefaultURLMux().OpenBucketURL}
