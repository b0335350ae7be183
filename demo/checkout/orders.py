"""An order, from cart to paid: reserved in the inventory, quoted and charged by payments, priced here."""

import hashlib
import logging
import os
import threading
from decimal import Decimal

import psycopg
import requests
from opentelemetry import metrics, trace

from pricing import Line, price_order

log = logging.getLogger("checkout.orders")
tracer = trace.get_tracer("checkout.orders")
meter = metrics.get_meter("checkout.orders")
placed_count = meter.create_counter("shop.orders.placed", unit="{order}", description="Orders placed")
order_value = meter.create_histogram("shop.order.value", unit="USD", description="Value of an order at list prices")
cart_lines = meter.create_histogram("shop.cart.lines", unit="{line}", description="Lines of a cart that came to the checkout")
WEB, INVENTORY, PAYMENTS = (os.environ[name] for name in ("WEB_URL", "INVENTORY_URL", "PAYMENTS_URL"))
RECEIPT_ROUNDS = 25_000
_local = threading.local()


class OutOfStock(Exception):
    pass


class EmptyCart(Exception):
    pass


class Declined(Exception):
    pass


def plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def connection() -> psycopg.Connection:
    """One connection a thread; a broken one is replaced at the next request."""
    held = getattr(_local, "connection", None)
    if held is None or held.closed:
        held = psycopg.connect(host=os.environ["PGHOST"], user=os.environ["PGUSER"], dbname=os.environ["PGDATABASE"], autocommit=True)
        _local.connection = held
    return held


def place(cart: str, customer: str, coupon_code: str | None, currency: str) -> dict:
    span = trace.get_current_span()
    with connection().cursor() as cur:
        lines = load_cart(cur, cart)
        order = open_order(cur, customer, currency, coupon_code)
        span.set_attributes({"app.order.id": order, "app.order.lines": len(lines), "app.order.currency": currency})
        log.info("cart of order %d loaded: %s, %s", order, plural(len(lines), "line"), currency)
        reserve(order, lines)
        try:
            listed = sum((line.price * line.quantity for line in lines), Decimal(0))
            exchange = quote(listed, currency)
            try:
                total = price_order(cur, lines, coupon_code, exchange)
            except Exception as error:
                log.exception("order %d not priced: %s", order, error)
                raise
            charge(order, customer, total, currency)
        except Exception:
            release(cur, order, lines)
            raise
        close_order(cur, order, total, lines)
        sign_receipt(order, customer, str(total))
    placed_count.add(1, {"app.coupon.code": coupon_code or "none", "app.order.currency": currency})
    order_value.record(float(listed), {"app.order.currency": currency})
    log.info("order %d paid: %s %s, %s", order, total, currency, plural(len(lines), "line"), extra={"app.order.id": order})
    tell_web(cart, order)
    return {"order": order, "total": str(total), "currency": currency}


@tracer.start_as_current_span("load_cart")
def load_cart(cur: psycopg.Cursor, cart: str) -> list[Line]:
    cur.execute("SELECT sku, quantity FROM cart_items WHERE cart = %s ORDER BY sku", (cart,))
    wanted = cur.fetchall()
    if not wanted:
        raise EmptyCart(f"cart {cart} is empty")
    lines = []
    for sku, quantity in wanted:  # one question an item: what an ORM does behind one's back
        cur.execute("SELECT price FROM products WHERE sku = %s", (sku,))
        lines.append(Line(sku, quantity, cur.fetchone()[0]))
    cart_lines.record(len(lines))
    return lines


def open_order(cur: psycopg.Cursor, customer: str, currency: str, coupon_code: str | None) -> int:
    cur.execute("INSERT INTO orders (customer, currency, coupon) VALUES (%s, %s, %s) RETURNING id", (customer, currency, coupon_code))
    return cur.fetchone()[0]


def stock_body(lines: list[Line]) -> str:
    return "".join(f"{line.sku} {line.quantity}\n" for line in lines)


@tracer.start_as_current_span("reserve_stock")
def reserve(order: int, lines: list[Line]) -> None:
    answer = requests.post(f"{INVENTORY}/stock/reserve", data=stock_body(lines), headers={"content-type": "text/plain"}, timeout=5)
    if answer.status_code == 409:
        raise OutOfStock(f"order {order}: {answer.json()['error']}")
    answer.raise_for_status()


def quote(amount: Decimal, currency: str) -> Decimal:
    answer = requests.post(f"{PAYMENTS}/v1/quotes", data={"amount": str(amount), "currency": currency}, timeout=5)
    answer.raise_for_status()
    return Decimal(answer.json()["rate"])


def charge(order: int, customer: str, total: Decimal, currency: str) -> None:
    form = {"order": order, "customer": customer, "amount": str(total), "currency": currency}
    answer = requests.post(f"{PAYMENTS}/v1/charges", data=form, timeout=5)
    if answer.status_code == 402:
        raise Declined(f"order {order}: {answer.json()['error']}")
    answer.raise_for_status()


def release(cur: psycopg.Cursor, order: int, lines: list[Line]) -> None:
    # A mistake that one makes by hand: a span that is started and never ended is never sent, though its children are.
    with trace.use_span(tracer.start_span("release_order"), end_on_exit=False):
        requests.post(f"{INVENTORY}/stock/release", data=stock_body(lines), headers={"content-type": "text/plain"}, timeout=5)
        with tracer.start_as_current_span("orders.compensate"):
            cur.execute("UPDATE orders SET state = 'released' WHERE id = %s", (order,))
    log.info("order %d: %s released", order, plural(len(lines), "reservation"))


def close_order(cur: psycopg.Cursor, order: int, total: Decimal, lines: list[Line]) -> None:
    with cur.connection.transaction():
        cur.execute("UPDATE orders SET state = 'paid', total = %s WHERE id = %s", (total, order))
        cur.executemany(
            "INSERT INTO order_lines (order_id, sku, quantity, price) VALUES (%s, %s, %s, %s)",
            [(order, line.sku, line.quantity, line.price) for line in lines],
        )


@tracer.start_as_current_span("sign_receipt")
def sign_receipt(order: int, customer: str, total: str) -> str:
    """Slow on purpose, as such things are: it is the one piece of honest computing in this shop."""
    text = f"{order}:{customer}:{total}".encode()
    return hashlib.pbkdf2_hmac("sha256", text, b"clew demo shop", RECEIPT_ROUNDS).hex()


def tell_web(cart: str, order: int) -> None:
    try:
        requests.post(f"{WEB}/hooks/order-paid", json={"cart": cart, "order": order}, timeout=3).raise_for_status()
    except requests.RequestException as error:
        log.warning("web was not told about order %d: %s", order, error)
