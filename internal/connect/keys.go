package connect

import (
	"slices"
	"strings"
)

// The settings that karchive understands, by their canonical names.
const (
	keyBrokers         = "bootstrap.servers"
	keyClientID        = "client.id"
	keyProtocol        = "security.protocol"
	keyDialTimeout     = "socket.connection.setup.timeout.ms"
	keyMechanism       = "sasl.mechanism"
	keyJAAS            = "sasl.jaas.config"
	keyUsername        = "sasl.username"
	keyPassword        = "sasl.password"
	keyToken           = "sasl.oauthbearer.token"
	keyTokenURL        = "sasl.oauthbearer.token.endpoint.url"
	keyExtensions      = "sasl.oauthbearer.extensions"
	keyVerify          = "enable.ssl.certificate.verification"
	keyHostCheck       = "ssl.endpoint.identification.algorithm"
	keyTLSVersions     = "ssl.enabled.protocols"
	keyTrustFile       = "ssl.truststore.location"
	keyTrustPEM        = "ssl.truststore.certificates"
	keyTrustPassword   = "ssl.truststore.password"
	keyTrustType       = "ssl.truststore.type"
	keyStoreFile       = "ssl.keystore.location"
	keyStorePassword   = "ssl.keystore.password"
	keyStoreType       = "ssl.keystore.type"
	keyChainPEM        = "ssl.keystore.certificate.chain"
	keyKeyPEM          = "ssl.keystore.key"
	keyCertificateFile = "ssl.certificate.location"
	keyKeyFile         = "ssl.key.location"
	keyKeyPassword     = "ssl.key.password"
)

// The settings of a schema registry. Those of TLS have the names of the brokers' behind the prefix.
const (
	registryPrefix   = "schema.registry."
	keyRegistryURL   = registryPrefix + "url"
	keyRegistryLogin = "basic.auth.user.info"
	keyRegistryToken = "bearer.auth.token"
)

// registryTLS are the settings of TLS that a registry has too.
var registryTLS = []string{keyTrustFile, keyTrustPassword, keyTrustType, keyStoreFile, keyStorePassword, keyStoreType, keyKeyPassword, keyHostCheck}

// What only a JAAS configuration can say: the login module's kind, and whether SCRAM uses a delegation token.
const (
	keyModule     = "sasl.jaas.config module"
	keyDelegation = "sasl.jaas.config tokenauth"
)

// ours lists the settings that karchive understands.
var ours = append(ofRegistry(registryTLS...),
	keyBrokers, keyClientID, keyProtocol, keyDialTimeout,
	keyMechanism, keyJAAS, keyUsername, keyPassword, keyToken, keyTokenURL, keyExtensions,
	keyVerify, keyHostCheck, keyTLSVersions,
	keyTrustFile, keyTrustPEM, keyTrustPassword, keyTrustType,
	keyStoreFile, keyStorePassword, keyStoreType, keyChainPEM, keyKeyPEM,
	keyCertificateFile, keyKeyFile, keyKeyPassword,
	keyRegistryURL, keyRegistryLogin, keyRegistryToken,
)

// ofRegistry are those of some settings of TLS that a registry has, by their names there.
func ofRegistry(keys ...string) (out []string) {
	for _, key := range keys {
		if slices.Contains(registryTLS, key) {
			out = append(out, registryPrefix+key)
		}
	}
	return out
}

// aliases are librdkafka's other names of the same settings.
var aliases = map[string]string{
	"metadata.broker.list": keyBrokers,
	"sasl.mechanisms":      keyMechanism,
	"ssl.ca.location":      keyTrustFile,
	"ssl.ca.pem":           keyTrustPEM,
	"ssl.certificate.pem":  keyChainPEM,
	"ssl.key.pem":          keyKeyPEM,

	registryPrefix + keyRegistryLogin: keyRegistryLogin,
	registryPrefix + keyRegistryToken: keyRegistryToken,
}

// secrets are the settings whose values are never shown.
var secrets = append(ofRegistry(keyTrustPassword, keyStorePassword, keyKeyPassword),
	keyJAAS, keyPassword, keyToken, keyTokenURL, keyExtensions, keyTrustPassword, keyStorePassword, keyKeyPEM, keyKeyPassword, keyRegistryLogin, keyRegistryToken)

// files are the settings whose values name files.
var files = append(ofRegistry(keyTrustFile, keyStoreFile), keyTrustFile, keyStoreFile, keyCertificateFile, keyKeyFile)

// exclusive lists settings that take each other's place: one of a group in a source removes the other groups' of the sources before.
var exclusive = [][][]string{
	{{keyTrustFile}, {keyTrustPEM}},
	{{keyStoreFile}, {keyChainPEM, keyKeyPEM}, {keyCertificateFile, keyKeyFile}},
	{{keyToken}, {keyTokenURL}},
}

// canonical returns the canonical name of a setting and whether karchive understands it.
func canonical(key string) (string, bool) {
	if c, ok := aliases[key]; ok {
		return c, true
	}
	return key, slices.Contains(ours, key)
}

func namesFile(canonicalKey string) bool { return slices.Contains(files, canonicalKey) }

func isSecret(canonicalKey string) bool { return slices.Contains(secrets, canonicalKey) }

// foreign reports whether key is a setting of Kafka clients that has no meaning for karchive.
func foreign(key string) bool {
	for _, p := range foreignPrefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return slices.Contains(foreignKeys, key)
}

// suggestible are the names to compare a misspelt one with.
func suggestible() []string {
	names := slices.Clone(ours)
	for a := range aliases {
		names = append(names, a)
	}
	slices.Sort(names)
	return names
}

// Names are the names of all settings that karchive understands, librdkafka's among them, sorted.
func Names() []string { return suggestible() }

// IsSecret says whether the value of a setting is never shown.
func IsSecret(name string) bool {
	key, _ := canonical(name)
	return isSecret(key)
}
