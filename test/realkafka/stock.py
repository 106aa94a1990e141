"""Writes records with Confluent's own serializers, or reads them with its deserializers, one JSON line each.

stock.py write BROKERS REGISTRY: topics people (Avro, of two versions), payments (Protobuf, a nested message, an import), events (JSON Schema)
stock.py read BROKERS REGISTRY TOPIC COUNT
"""
import datetime
import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, timestamp_pb2

COUNT = 12


def person(more):
    fields = [
        {"name": "id", "type": "long"},
        {"name": "email", "type": ["null", "string"], "default": None},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["NEW", "OLD"]}},
        {"name": "since", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "tags", "type": {"type": "map", "values": "double"}},
        {"name": "photo", "type": "bytes"},
        {"name": "friends", "type": {"type": "array", "items": "Person"}},
    ]
    return json.dumps({"type": "record", "name": "Person", "namespace": "shop", "fields": fields + more})


AVRO = [person([]), person([{"name": "city", "type": "string", "default": "?"}])]
JSON = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Event", "type": "object",
                   "properties": {"id": {"type": "integer"}, "email": {"type": "string"}}})


def payment():
    """The class of shop.Payments.Payment: it is not the first message of its file, it is nested, and it imports another file."""
    file = descriptor_pb2.FileDescriptorProto(name="payment.proto", package="shop", syntax="proto3", dependency=["google/protobuf/timestamp.proto"])
    file.message_type.add(name="First")
    inner = file.message_type.add(name="Payments").nested_type.add(name="Payment")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, kind, of) in enumerate([("id", kinds.TYPE_INT64, None), ("email", kinds.TYPE_STRING, None), ("cents", kinds.TYPE_SINT32, None),
                                               ("at", kinds.TYPE_MESSAGE, ".google.protobuf.Timestamp")], 1):
        inner.field.add(name=name, number=number, type=kind, type_name=of, label=kinds.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Payments.Payment"))


def people(i):
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=i)
    out = {"id": i, "email": None if i % 4 == 3 else f"p{i}@example.com", "kind": "OLD" if i % 2 else "NEW", "since": at, "tags": {"x": i / 2},
           "photo": bytes([0, i]), "friends": []}
    if i % 3 == 0:
        out["friends"] = [dict(out, id=i + 100, friends=[])]
    return out


def write(brokers, client):
    producer = Producer({"bootstrap.servers": brokers})
    payments = payment()
    avro = [AvroSerializer(client, text) for text in AVRO]
    proto = ProtobufSerializer(payments, client, {"use.deprecated.format": False})
    jsons = JSONSerializer(JSON, client)

    def send(topic, i, serializer, value):
        producer.produce(topic, key=str(i), value=serializer(value, SerializationContext(topic, MessageField.VALUE)))

    for i in range(COUNT):
        later = i >= COUNT // 2
        value = people(i)
        if later:
            for one in [value] + value["friends"]:
                one["city"] = "Ulm"
        send("people", i, avro[later], value)
        message = payments(id=i, email=f"p{i}@example.com", cents=-i)
        message.at.seconds = 1_700_000_000 + i
        send("payments", i, proto, message)
        send("events", i, jsons, {"id": i, "email": f"p{i}@example.com"})
    if producer.flush(60):
        sys.exit("not everything was sent")


def read(brokers, client, topic, count):
    deserializer = {"people": lambda: AvroDeserializer(client), "payments": lambda: ProtobufDeserializer(payment(), {"use.deprecated.format": False}),
                    "events": lambda: JSONDeserializer(JSON)}[topic]()
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "stock", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    for _ in range(count):
        message = consumer.poll(60)
        if message is None or message.error():
            sys.exit(f"{topic}: {message and message.error()}")
        value = deserializer(message.value(), SerializationContext(topic, MessageField.VALUE))
        if topic == "payments":
            value = json_format.MessageToDict(value, preserving_proto_field_name=True)
        print(json.dumps(value, default=lambda v: v.hex() if isinstance(v, bytes) else v.isoformat()))
    consumer.close()


if __name__ == "__main__":
    how, brokers, url = sys.argv[1:4]
    client = SchemaRegistryClient({"url": url})
    if how == "write":
        write(brokers, client)
    else:
        read(brokers, client, sys.argv[4], int(sys.argv[5]))
