"""A small service: it reads orders and writes an invoice for each."""
import json

from confluent_kafka import Consumer, Producer


def run(broker, orders):
    """Makes invoices of so many orders."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "billing", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    producer = Producer({"bootstrap.servers": broker})
    consumer.subscribe(["orders"])
    try:
        for _ in range(orders):
            record = consumer.poll(60)
            if record is None:
                raise TimeoutError("no order came")
            if record.error():
                raise RuntimeError(record.error())
            order = json.loads(record.value())
            total = f"{order['cents'] // 100}.{order['cents'] % 100:02}"
            producer.produce("invoices", key=record.key(), value=json.dumps({"order": order["id"], "total": total}))
        producer.flush(60)
        consumer.commit(asynchronous=False)
    finally:
        consumer.close()
