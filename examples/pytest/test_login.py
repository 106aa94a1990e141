"""A broker that lets in only who logs in."""
import pytest
from confluent_kafka import Consumer, KafkaError


def consumer(broker, mechanism, password, **more):
    return Consumer({"bootstrap.servers": broker, "group.id": mechanism, "auto.offset.reset": "earliest", "security.protocol": "SASL_PLAINTEXT",
                     "sasl.mechanism": mechanism, "sasl.username": "ann", "sasl.password": password, **more})


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_who_logs_in_reads_the_orders(serve, archives, monkeypatch, mechanism):
    monkeypatch.setenv("PASSWORD", "secret")
    reader = consumer(serve(archives / "orders.karchive", "--sasl-user", "ann=env:PASSWORD"), mechanism, "secret")
    reader.subscribe(["orders"])
    records = reader.consume(5, 60)
    reader.close()
    assert [(r.error(), r.topic(), r.offset()) for r in records] == [(None, "orders", n) for n in range(5)]


def test_a_wrong_password_is_refused(serve, archives, monkeypatch):
    monkeypatch.setenv("PASSWORD", "secret")
    refused = []
    reader = consumer(serve(archives / "orders.karchive", "--sasl-user", "ann=env:PASSWORD"), "PLAIN", "wrong", error_cb=refused.append)
    reader.subscribe(["orders"])
    for _ in range(600):
        assert reader.poll(0.1) is None
        if refused:
            break
    reader.close()
    assert KafkaError._AUTHENTICATION in [error.code() for error in refused]
