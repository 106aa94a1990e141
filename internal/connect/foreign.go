package connect

import "strings"

// foreignPrefixes and foreignKeys name the settings of Apache Kafka's clients (4.1), of librdkafka (2.15) and of the serializers
// around them that a real client.properties may hold and that say nothing about how karchive connects.
var foreignPrefixes = []string{
	"auto.", "broker.", "compression.", "fetch.", "group.", "key.", "log.", "log_", "message.", "metadata.",
	"metric", "offset.", "partition.", "partitioner", "queue", "reconnect.", "retry.", "share.", "socket.", "topic.", "transaction",
	"value.", "internal.",
	"sasl.kerberos.", "sasl.login.", "sasl.oauthbearer.", "ssl.keymanager.", "ssl.trustmanager.",
	"schema.registry.", "basic.auth.", "bearer.auth.", "confluent.", "admin.", "consumer.", "producer.",
}

var foreignKeys = strings.Fields(`
acks allow.auto.create.topics api.version.fallback.ms api.version.request api.version.request.timeout.ms
batch.num.messages batch.size bootstrap.controllers buffer.memory builtin.features check.crcs client.dns.lookup
client.rack connections.max.idle.ms consume.callback.max.messages coordinator.query.interval.ms debug
enable.auto.commit enable.auto.offset.store enable.gapless.guarantee enable.idempotence enable.metrics.push
enable.partition.eof enable.random.seed enable.sasl.oauthbearer.unsecure.jwt
default.api.timeout.ms default_topic_conf delivery.report.only.error delivery.timeout.ms enabled_events
exclude.internal.topics heartbeat.interval.ms https.ca.location https.ca.pem interceptor.classes interceptors
isolation.level linger.ms max.block.ms max.in.flight max.in.flight.requests.per.connection max.partition.fetch.bytes
max.poll.interval.ms max.poll.records max.request.size msg_order_cmp opaque plugin.library.paths produce.offset.report
queuing.strategy receive.buffer.bytes receive.message.max.bytes request.required.acks request.timeout.ms retries
sasl.client.callback.handler.class security.providers send.buffer.bytes session.timeout.ms ssl.ca.certificate.stores
ssl.cipher.suites ssl.crl.location ssl.curves.list ssl.engine.factory.class ssl.engine.id ssl.engine.location
ssl.protocol ssl.provider ssl.providers ssl.secure.random.implementation ssl.sigalgs.list ssl.trustmanager.algorithm
ssl_ca ssl_engine_callback_data statistics.interval.ms sticky.partitioning.linger.ms
`)
