"""A small program on the unmodified Sentry SDK: sentry_python.py DSN. Prints the trace id."""
import sys

import sentry_sdk

OLD = sentry_sdk.VERSION.startswith("1.")  # no logs, other words
sentry_sdk.init(sys.argv[1], release="web@5.12.0+8", environment="conformance", traces_sample_rate=1.0, **({} if OLD else {"enable_logs": True}))
sentry_sdk.set_user({"id": "u_7", "email": "ariadne@example.com"})
sentry_sdk.set_tag("coupon.kind", "percent_bp")


def total(order):
    price = 129.5
    return price * order["rate"]  # TypeError for an order without a rate


with sentry_sdk.start_transaction(op="http.server", name="GET /cart") as transaction:
    print(transaction.trace_id)
    with sentry_sdk.start_span(op="db", **{"description" if OLD else "name": "SELECT 1"}):
        pass
    if not OLD:
        sentry_sdk.logger.warning("cart is slow", attributes={"items": 3})
    try:
        total({"rate": None})
    except TypeError as error:
        sentry_sdk.set_extra("password", "hunter2")
        sentry_sdk.set_extra("order", 7)
        sentry_sdk.capture_exception(error)
sentry_sdk.capture_message("the shop is open", "info")
sentry_sdk.flush(10)
