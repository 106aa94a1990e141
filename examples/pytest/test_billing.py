"""The service is run against an archive of orders; what it writes is compared with an archive of invoices."""
import pytest

import billing


def test_every_order_gets_its_invoice(serve, same, archives):
    broker = serve(archives / "orders.karchive")
    billing.run(broker, orders=5)
    same(broker, "invoices", archives / "invoices.karchive", "--by", "key", "--ignore", "timestamp,value.made", "--json")


def test_a_wrong_invoice_is_named(serve, same, archives, monkeypatch):
    monkeypatch.setattr(billing.json, "dumps", lambda invoice: '{"order": %d, "total": "0.00"}' % invoice["order"])
    broker = serve(archives / "orders.karchive")
    billing.run(broker, orders=5)
    with pytest.raises(AssertionError, match="value.total"):
        same(broker, "invoices", archives / "invoices.karchive", "--by", "key", "--ignore", "timestamp,value.made", "--json")
