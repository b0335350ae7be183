"""What an order costs."""

import logging
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from opentelemetry import trace

log = logging.getLogger("checkout.pricing")
tracer = trace.get_tracer("checkout.pricing")
CENT = Decimal("0.01")
SHIPPING = Decimal("4.90")
FREE_FROM = Decimal(80)


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
def price_order(cur: psycopg.Cursor, lines: list[Line], coupon_code: str | None, exchange: Decimal) -> Decimal:
    span = trace.get_current_span()
    span.set_attribute("app.order.lines", len(lines))
    total = sum((line.price * line.quantity for line in lines), Decimal(0)) * exchange
    coupon = load_coupon(cur, coupon_code) if coupon_code else None
    if total < FREE_FROM and (coupon is None or coupon.kind != "shipping"):
        total += SHIPPING * exchange
    if coupon is not None:
        total -= apply_discount(total, coupon)
    span.set_attribute("app.order.total", float(total))
    return total.quantize(CENT)


@tracer.start_as_current_span("load_coupon")
def load_coupon(cur: psycopg.Cursor, code: str) -> Coupon | None:
    cur.execute("SELECT code, kind, rate, rate_bp FROM coupons WHERE code = %s", (code,))
    row = cur.fetchone()
    if row is None:
        log.info("no coupon %s, the order goes on without", code)
    return row and Coupon(*row)


@tracer.start_as_current_span("apply_discount")
def apply_discount(total: Decimal, coupon: Coupon) -> Decimal:
    trace.get_current_span().set_attributes({"app.coupon.code": coupon.code, "app.coupon.kind": coupon.kind})
    if coupon.rate is None:
        log.warning("coupon %s has no rate, falling back to basis points", coupon.code, extra={"app.coupon.kind": coupon.kind})
    # The bug of this shop, and it is a real one: the line above says what should happen, this one does not do it.
    return (coupon.rate * total).quantize(CENT)
