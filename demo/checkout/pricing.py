"""What an order costs."""

import logging
from dataclasses import dataclass
from decimal import Decimal

from opentelemetry import trace

log = logging.getLogger("checkout.pricing")
tracer = trace.get_tracer("checkout.pricing")
CENT = Decimal("0.01")


@dataclass
class Coupon:
    code: str
    kind: str
    rate: Decimal | None
    rate_bp: int | None


@dataclass
class Line:
    sku: str
    quantity: int
    price: Decimal


@tracer.start_as_current_span("price_order")
def price_order(lines: list[Line], coupon: Coupon | None) -> Decimal:
    total = sum((line.price * line.quantity for line in lines), Decimal(0))
    span = trace.get_current_span()
    span.set_attribute("app.order.lines", len(lines))
    if coupon is not None:
        total -= apply_discount(total, coupon)
    span.set_attribute("app.order.total", float(total))
    return total.quantize(CENT)


@tracer.start_as_current_span("apply_discount")
def apply_discount(total: Decimal, coupon: Coupon) -> Decimal:
    span = trace.get_current_span()
    span.set_attributes({"app.coupon.code": coupon.code, "app.coupon.kind": coupon.kind})
    if coupon.rate is None:
        log.warning("coupon %s has no rate, falling back to basis points", coupon.code, extra={"app.coupon.kind": coupon.kind})
    # The bug of this shop, and it is a real one: the line above says what should happen, this one does not do it.
    return (total * coupon.rate).quantize(CENT)
