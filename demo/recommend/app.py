"""Recommendations, on Sentry's SDK: `app.py DIR` runs the release in DIR."""

import logging
import os
import signal
import sys

import sentry_sdk
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration

sys.path.insert(0, sys.argv[1])

# As Sentry's own guide shows; DSN, release and environment come from SENTRY_DSN, SENTRY_RELEASE and SENTRY_ENVIRONMENT.
sentry_sdk.init(
    traces_sample_rate=1.0,
    enable_logs=True,
    server_name=os.environ.get("SENTRY_NAME"),
    default_integrations=True,
    auto_enabling_integrations=False,
    integrations=[FlaskIntegration(), SqlalchemyIntegration()],
)
sentry_sdk.get_global_scope().set_tag("service", "recommend")
sentry_sdk.get_global_scope().set_attribute("service.name", "recommend")

import requests  # noqa: E402
import waitress  # noqa: E402
from flask import Flask, jsonify, request  # noqa: E402

import bestsellers  # noqa: E402
from catalogue import Order, OrderLine, Product, Session  # noqa: E402
from ranking import rank  # noqa: E402

log = logging.getLogger("recommend")
app = Flask("recommend")
INVENTORY = os.environ["INVENTORY_URL"]
SHOWN = 3
REMEMBERED = 12


@app.get("/recommendations")
def recommendations():
    customer, country = request.args["customer"], request.args["country"]
    sentry_sdk.set_user({"id": customer})
    sentry_sdk.set_tag("country", country)
    with Session() as session:
        lines = (
            session.query(OrderLine).join(OrderLine.order).where(Order.customer == customer)
            .order_by(OrderLine.order_id.desc()).limit(REMEMBERED).all()
        )
        known = [line.product for line in lines]
        if not known:
            log.info("%s has bought nothing yet: bestsellers", customer)
            known = [session.get(Product, sku) for sku in bestsellers.skus()]
        ranked = rank(known, country)
        there = on_the_shelf([product.sku for product in ranked[:SHOWN]])
        return jsonify(products=[
            {"sku": product.sku, "name": product.name, "price": float(product.price)} for product in ranked[:SHOWN] if product.sku in there
        ])


def on_the_shelf(skus: list[str]) -> set[str]:
    """The inventory is on OpenTelemetry and reads W3C's trace context, of which Sentry's SDK for Python tells nobody."""
    with sentry_sdk.start_span(op="function", name="on_the_shelf") as span:
        context = {"traceparent": f"00-{span.trace_id}-{span.span_id}-{'01' if span.sampled else '00'}"}
        answers = {sku: requests.get(f"{INVENTORY}/stock/{sku}", headers=context, timeout=2) for sku in skus}
        return {sku for sku, answer in answers.items() if answer.ok and answer.json()["quantity"] > 0}


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    server = waitress.create_server(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=4)

    def stop(*_):
        sentry_sdk.flush(0.5)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    bestsellers.keep()
    server.run()


if __name__ == "__main__":
    main()
