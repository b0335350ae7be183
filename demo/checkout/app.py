"""The shop's back: prices and orders. `app.py DIR`: the release in DIR."""

import logging
import os
import signal
import sys
import threading

sys.path.insert(0, sys.argv[1])

import telemetry  # noqa: E402

PROVIDERS = telemetry.start()  # before whatever it instruments is imported

import psycopg  # noqa: E402
import requests  # noqa: E402
import waitress  # noqa: E402
from flask import Flask, jsonify, request  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: E402

import orders  # noqa: E402

log = logging.getLogger("checkout.app")
app = Flask("checkout")
FlaskInstrumentor().instrument_app(app)


@app.post("/orders")
def order():
    body = request.get_json()
    customer = body.get("customer") or "anonymous"
    span = trace.get_current_span()
    span.set_attribute("user.id", customer)
    if body.get("couponKind"):
        span.set_attributes({"app.coupon.code": body["coupon"], "app.coupon.kind": body["couponKind"]})
    return jsonify(orders.place(body["cart"], customer, body.get("coupon"), body.get("currency") or "USD")), 201


@app.errorhandler(orders.EmptyCart)
def empty_cart(error):
    log.info(str(error))
    return jsonify(error=str(error)), 409


@app.errorhandler(orders.OutOfStock)
def out_of_stock(error):
    log.warning(str(error))
    return jsonify(error=str(error)), 409


@app.errorhandler(orders.Declined)
def declined(error):
    log.info(str(error))
    return jsonify(error="Your card was declined."), 402


@app.errorhandler(Exception)
def failed(error):
    span = trace.get_current_span()
    span.record_exception(error)
    span.set_status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}")
    if isinstance(error, (psycopg.Error, requests.RequestException)):
        log.exception("%s", error)
    return jsonify(error=f"{type(error).__name__}: {error}"), 500


def main() -> None:
    server = waitress.create_server(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=6)

    def stop(*_):
        # Providers flush what they hold. Each gets its share of the second that the launcher grants, and no more.
        flushing = [threading.Thread(target=provider.shutdown, daemon=True) for provider in PROVIDERS]
        for thread in flushing:
            thread.start()
        for thread in flushing:
            thread.join(0.25)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run()


if __name__ == "__main__":
    main()
