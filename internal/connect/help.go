package connect

// Help explains the settings to users of the command line.
const Help = `Where settings come from, each overriding the ones before:

  --config FILE            a client.properties file, as Kafka's own tools take it (KARCHIVE_CONFIG names one as well)
  KARCHIVE_X_KEY=VALUE     the environment: KARCHIVE_X_SASL_PASSWORD is sasl.password
  KARCHIVE_BROKERS         the brokers
  -X KEY=VALUE             repeatable
  -b HOST:PORT             the brokers

In -X and in the environment, a VALUE that begins with @ names a file that holds it; @- is stdin, @@ stands for @ itself. Secrets
are best given so: others can see a command line with ps. Settings that name a file take its name without @. The keys are Kafka's;
librdkafka's names, in brackets, mean the same. A file may hold keys that have no meaning for karchive, which are ignored with a remark;
with -X they are errors. What may be a secret in the wrong place is named by its line or place and never repeated. Files with secrets that
everybody can read, checks that are off, TLS before 1.2 and a login without TLS to another machine are warned of.

  bootstrap.servers                      brokers to start from, host:port,host:port (metadata.broker.list)
  client.id                              how brokers log this client; default karchive
  socket.connection.setup.timeout.ms     how long to wait for a connection; default 10000
  security.protocol                      PLAINTEXT (default), SSL, SASL_PLAINTEXT, SASL_SSL

  sasl.mechanism                         PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER (sasl.mechanisms)
  sasl.username, sasl.password           for PLAIN and SCRAM
  sasl.jaas.config                       Kafka's form of the same: PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule
  sasl.oauthbearer.token                 a token that something else has fetched
  sasl.oauthbearer.token.endpoint.url    file:///path/to/a/token, read again at each login
  sasl.oauthbearer.extensions            key=value,key=value sent with the token

  ssl.truststore.location                whom to trust: PEM, JKS or PKCS12; default the system's authorities (ssl.ca.location)
  ssl.truststore.password                of JKS and PKCS12
  ssl.truststore.certificates            the same as PEM text (ssl.ca.pem)
  ssl.keystore.location                  the client's certificate and key: PEM, JKS or PKCS12
  ssl.keystore.password                  of JKS and PKCS12
  ssl.certificate.location               the client's certificate as a PEM file of its own
  ssl.key.location                       and its key
  ssl.keystore.certificate.chain         the same as PEM text (ssl.certificate.pem)
  ssl.keystore.key                       and its key (ssl.key.pem)
  ssl.key.password                       of an encrypted key
  ssl.enabled.protocols                  TLSv1.2,TLSv1.3
  ssl.endpoint.identification.algorithm  https (default); empty or none: do not check the broker's host name
  enable.ssl.certificate.verification    false: trust any broker

  schema.registry.url                    the schema registry of --schema-registry
  basic.auth.user.info                   USER:PASSWORD at the registry (schema.registry.basic.auth.user.info)
  bearer.auth.token                      a token for it (schema.registry.bearer.auth.token)
  schema.registry.ssl.truststore.location, schema.registry.ssl.truststore.password, schema.registry.ssl.truststore.type,
  schema.registry.ssl.keystore.location, schema.registry.ssl.keystore.password, schema.registry.ssl.keystore.type,
  schema.registry.ssl.key.password, schema.registry.ssl.endpoint.identification.algorithm
                                         as those without schema.registry, for the registry

Examples:
  karchive capture -b broker:9093 -X security.protocol=SSL -X ssl.ca.location=ca.pem -t orders -o run1
  karchive capture --config client.properties -X sasl.password=@/run/secrets/kafka -t orders -o run1
  KARCHIVE_BROKERS=broker:9092 karchive replay run1 --create-topics
`
