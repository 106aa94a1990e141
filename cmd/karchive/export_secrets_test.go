//go:build iceberg

package main

import (
	"slices"
	"testing"

	ice "github.com/apache/iceberg-go"
)

func TestPropertiesThatAreSecretAreKnownByTheirNamesAndInURLs(t *testing.T) {
	got := secretsOf(ice.Properties{
		"Credential": "client:geheim1", "header.X-Tenant": "geheim2", "adls.connection-string.acc": "AccountKey=geheim3",
		"adls.sas-token.acc": "sig=geheim4", "rest.authorization": "Bearer geheim5", "proxy": "http://ann:geheim6@proxy:3128/?token=geheim7",
		"s3.region": "eu-central-1", "oauth2-server-uri": "https://login.example.com/token", "warehouse": "analytics",
	})
	slices.Sort(got)
	want := []string{"AccountKey=geheim3", "Bearer geheim5", "client:geheim1", "geheim1", "geheim2", "geheim6", "geheim7", "sig=geheim4"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
