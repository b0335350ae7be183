"""A shop in Flask, traced by OpenTelemetry's SDK. Nothing in it knows of Clew."""
import flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
app = flask.Flask(__name__)
FlaskInstrumentor().instrument_app(app)


class Order:
    def __init__(self, total):
        self.total = total
        self.card = "4111 1111 1111 1111"


def price(order, customer):
    discount = order.total / 10
    return order.total - discount


@app.get("/<int:total>")
def home(total):
    return str(price(Order(total), "Ada"))
