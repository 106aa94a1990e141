// Package connect turns connection options, as Kafka users already have them, into options of a franz-go client.
//
// A [Config] is read once from a client.properties file, the environment, -X settings and broker addresses, each overriding the one
// before, and is then immutable. Settings have Kafka's own names or librdkafka's. [Config.Opts] reads the files that the settings
// name (certificates, key stores); [Config.Check] says early and within a set time whether a broker is there; [Config.Explain] says
// what to do about an error.
//
// Secrets stay inside: no error, note or String of this package shows one.
//
// Supported are PLAINTEXT, SSL with and without a client certificate, SASL PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER with
// a token that something else has fetched. Kerberos, AWS IAM and token endpoints are not.
package connect
