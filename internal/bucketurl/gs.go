package bucketurl

var gs = &scheme{name: "gs", what: "Google Cloud Storage", tag: "gcs", secret: []string{"private_key_path", "access_id"}}
