"""A shop in Flask on the unmodified Sentry SDK; nothing in it knows of Clew. /untouched says whether anybody has left something in it."""
import hashlib
import os
import sys

import flask
import sentry_sdk

sentry_sdk.init(os.environ["DSN"], release="checkout@1.4.2", environment="production", traces_sample_rate=1.0, include_local_variables=False)
app = flask.Flask(__name__)


class Coupon:
    def __init__(self, code, rate):
        self.code, self.rate = code, rate

    def __repr__(self):
        os._exit(3)  # the SDK is told not to read locals, and the probe calls nothing of them


def apply_discount(order, coupon):
    rate = coupon.rate
    password = "hunter2"
    off = rate * order["total"]
    return order["total"] - off, password


CODE = apply_discount.__code__
RUNS = hashlib.sha256(CODE.co_code).hexdigest()


@app.post("/orders/<int:id>")
def create_order(id):
    apply_discount({"id": id, "total": 184.5}, Coupon("AUTUMN-15", None))
    return "bought"


@app.get("/untouched")
def untouched():
    now = apply_discount.__code__
    mon = getattr(sys, "monitoring", None)
    events = sum(mon.get_local_events(n, now) | mon.get_events(n) for n in range(6) if mon.get_tool(n)) if mon else 0
    return {"code": now is CODE and hashlib.sha256(now.co_code).hexdigest() == RUNS, "events": events, "trace": sys.gettrace() is not None}
