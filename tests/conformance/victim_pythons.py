"""A shop that runs in Flask (`flask_app`) and in FastAPI (`fast_app`), traced by OpenTelemetry's SDK where that is there. Nothing in it knows of Clew."""
import sys

from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("shop")


class Refused(ValueError):
    pass


class Order:
    def __init__(self, total):
        self.total = total
        self.card = "4111 1111 1111 1111"


def price(order, customer):
    discount = order.total / 10
    if order.total > 1000:
        raise Refused(f"no order of {order.total}")
    return order.total - discount


def sell(total, headers):
    with tracer.start_as_current_span("sell", context=propagate.extract({"traceparent": headers.get("traceparent", "")})):
        try:
            return str(price(Order(total), "Ada"))
        except Refused:
            return "refused"


if "gunicorn" in sys.modules:
    import flask

    flask_app = flask.Flask(__name__)

    @flask_app.get("/<int:total>")
    def home(total):
        return sell(total, flask.request.headers)
else:
    import fastapi
    from fastapi.responses import PlainTextResponse

    fast_app = fastapi.FastAPI()

    @fast_app.get("/{total}", response_class=PlainTextResponse)
    async def buy(total: int, request: fastapi.Request):
        return sell(total, request.headers)
