"""Prints records as a Python library of Kafka gives them: reader.py LIBRARY BROKER ISOLATION TOPIC:COUNT,COUNT...

COUNT records of each partition, from the start. A line has topic, partition, offset, leader epoch, timestamp, key, value and headers, bytes as Go's %x.
"""
import hashlib
import re
import sys


def shown(b):
    if b is None:
        return "null"
    if len(b) > 64:
        return "%d:%s" % (len(b), hashlib.sha256(b).hexdigest())
    return "x" + b.hex()


def line(topic, partition, offset, epoch, ms, key, value, headers):
    names = "".join(" %s=%s" % (re.sub("[^\x00-\x7f]+", "?", k).encode().hex(), shown(v)) for k, v in headers or [])
    print("%s %d %d %d %s %s %s%s" % (topic, partition, offset, epoch, ms if ms and ms > 0 else "-", shown(key), shown(value), names))


def confluent(broker, isolation, counts):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    c = Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False, "isolation.level": isolation})
    c.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in counts])
    while any(counts.values()):
        m = c.poll(60)
        assert m is not None and not m.error(), m and m.error()
        take(counts, m.topic(), m.partition(), lambda: line(m.topic(), m.partition(), m.offset(), m.leader_epoch(), m.timestamp()[1], m.key(), m.value(), m.headers()))
    c.close()


def kafka_python(broker, isolation, counts):
    from kafka import KafkaConsumer, TopicPartition

    c = KafkaConsumer(bootstrap_servers=broker, isolation_level=isolation, consumer_timeout_ms=60000)
    c.assign([TopicPartition(t, p) for t, p in counts])
    c.seek_to_beginning()
    for m in c:
        take(counts, m.topic, m.partition, lambda: line(m.topic, m.partition, m.offset, m.leader_epoch, m.timestamp, m.key, m.value, m.headers))
        if not any(counts.values()):
            break
    assert not any(counts.values()), counts
    c.close()


def take(counts, topic, partition, show):
    if counts[topic, partition] > 0:
        counts[topic, partition] -= 1
        show()


def main():
    counts = {}
    for arg in sys.argv[4:]:
        topic, numbers = arg.rsplit(":", 1)
        for partition, n in enumerate(numbers.split(",")):
            counts[topic, partition] = int(n)
    {"confluent-kafka": confluent, "kafka-python": kafka_python}[sys.argv[1]](sys.argv[2], sys.argv[3], counts)


main()
