"""A small program on the unmodified Sentry SDK that fails as told: failing.py DSN RELEASE TIMES KIND..."""
import logging
import sys
from decimal import Decimal

import sentry_sdk

DSN, RELEASE, TIMES, *KINDS = sys.argv[1:]
sentry_sdk.init(DSN, release=RELEASE, environment="production", traces_sample_rate=1.0, enable_logs=True)
sentry_sdk.set_tag("service", "checkout")
log = logging.getLogger("checkout")


class Coupon:
    def __init__(self, code, kind, rate):
        self.code, self.kind, self.rate = code, kind, rate

    def __repr__(self):
        return f"Coupon({self.code!r})"


class QuoteExpired(Exception):
    pass


def apply_discount(order, coupon):
    rate = coupon.rate
    floor = Decimal("0.00")
    password = "hunter2"
    off = rate * order["total"]
    return max(floor, order["total"] - off), password


def capture(text):
    try:
        return int(text)
    except ValueError as error:
        raise QuoteExpired("Quote expired before capture") from error


def mail(order):
    return order["locale"]


DO = {
    "TypeError": lambda: apply_discount({"id": 8121, "total": Decimal("184.50")}, Coupon("AUTUMN-15", "percent_bp", None)),
    "QuoteExpired": lambda: capture("soon"),
    "KeyError": lambda: mail({}),
    "NoTotal": lambda: apply_discount({"id": 8121}, Coupon("AUTUMN-15", "percent_bp", 1)),
}

for n in range(int(TIMES)):
    for kind in KINDS:
        with sentry_sdk.isolation_scope() as scope:
            scope.set_user({"id": f"u_{n}"})
            scope.set_tag("coupon.kind", "percent_bp")
            with sentry_sdk.start_transaction(op="http.server", name="POST /orders"):
                sentry_sdk.add_breadcrumb(category="ui.click", message="button Pay")
                with sentry_sdk.start_span(op="db", name="SELECT cart_items"):
                    pass
                with sentry_sdk.start_span(op="function", name="price_order"):
                    log.warning("coupon AUTUMN-15 has no rate")
                    try:
                        DO[kind]()
                    except Exception as error:
                        sentry_sdk.capture_exception(error)
sentry_sdk.flush(10)
