//go:build iceberg

package main

import "net/url"

// storeProperties are the options of a bucket's URL as Iceberg calls them.
func storeProperties(archive string) map[string]string {
	out := map[string]string{}
	u, err := url.Parse(archive)
	if err != nil || u.Scheme != "s3" {
		return out
	}
	q := u.Query()
	for option, property := range map[string]string{"region": "s3.region", "endpoint": "s3.endpoint"} {
		if v := q.Get(option); v != "" {
			out[property] = v
		}
	}
	for _, option := range []string{"s3ForcePathStyle", "use_path_style"} {
		if q.Get(option) == "true" {
			out["s3.force-virtual-addressing"] = "false"
		}
	}
	return out
}
