package bucketurl

var azblob = &scheme{name: "azblob", what: "Azure Blob Storage", tag: "azure"}
