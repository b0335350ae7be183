"""An order, from cart to paid, in one transaction."""

import hashlib
import logging
import os
import threading
import time

import psycopg
import requests
from opentelemetry import metrics, trace

from pricing import Coupon, Line, price_order

log = logging.getLogger("checkout.orders")
tracer = trace.get_tracer("checkout.orders")
meter = metrics.get_meter("checkout.orders")
placed_count = meter.create_counter("shop.orders.placed", unit="{order}", description="Orders placed")
order_value = meter.create_histogram("shop.order.value", unit="EUR", description="Value of an order")
WEB = os.environ["WEB_URL"]
_local = threading.local()


class OutOfStock(Exception):
    pass


class EmptyCart(Exception):
    pass


def plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def connection() -> psycopg.Connection:
    """One connection a thread; a broken one is replaced at the next request."""
    held = getattr(_local, "connection", None)
    if held is None or held.closed:
        held = psycopg.connect(host=os.environ["PGHOST"], user=os.environ["PGUSER"], dbname=os.environ["PGDATABASE"])
        _local.connection = held
    return held


def place(cart: str, customer: str, coupon_code: str | None) -> dict:
    db = connection()
    with db.transaction(), db.cursor() as cur:
        lines = load_cart(cur, cart)
        reserve(cur, lines)
        try:
            coupon = load_coupon(cur, coupon_code) if coupon_code else None
            total = price_order(lines, coupon)
        except Exception:
            log.exception("cart of %s not priced, %s released", customer, plural(len(lines), "reservation"))
            raise
        order = insert(cur, customer, total, coupon_code, lines)
        sign_receipt(order, customer, str(total))
    placed_count.add(1, {"coupon": coupon_code or "none"})
    order_value.record(float(total))
    log.info("order %d paid: %s EUR, %s", order, total, plural(len(lines), "line"), extra={"app.order.id": order})
    tell_web(cart, order)
    return {"order": order, "total": str(total)}


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
    log.info("cart loaded: %s", plural(len(lines), "line"))
    return lines


@tracer.start_as_current_span("reserve_stock")
def reserve(cur: psycopg.Cursor, lines: list[Line]) -> None:
    began = time.monotonic()
    cur.execute("SELECT sku, quantity FROM stock WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE", ([line.sku for line in lines],))
    left = dict(cur.fetchall())
    waited_ms = round((time.monotonic() - began) * 1000)
    if waited_ms > 200:
        log.warning("stock rows were locked for %d ms", waited_ms, extra={"waited_ms": waited_ms})
    for line in lines:
        if left[line.sku] < line.quantity:
            raise OutOfStock(f"{line.sku}: {line.quantity} wanted, {left[line.sku]} left")
        cur.execute("UPDATE stock SET quantity = quantity - %s WHERE sku = %s", (line.quantity, line.sku))


def load_coupon(cur: psycopg.Cursor, code: str) -> Coupon:
    cur.execute("SELECT code, kind, rate, rate_bp FROM coupons WHERE code = %s", (code,))
    return Coupon(*cur.fetchone())


def insert(cur: psycopg.Cursor, customer: str, total, coupon_code: str | None, lines: list[Line]) -> int:
    cur.execute("INSERT INTO orders (customer, total, coupon) VALUES (%s, %s, %s) RETURNING id", (customer, total, coupon_code))
    order = cur.fetchone()[0]
    for line in lines:
        cur.execute(
            "INSERT INTO order_lines (order_id, sku, quantity, price) VALUES (%s, %s, %s, %s)",
            (order, line.sku, line.quantity, line.price),
        )
    return order


@tracer.start_as_current_span("sign_receipt")
def sign_receipt(order: int, customer: str, total: str) -> str:
    """Slow on purpose, as such things are: it is the one piece of honest computing in this shop."""
    text = f"{order}:{customer}:{total}".encode()
    return hashlib.pbkdf2_hmac("sha256", text, b"clew demo shop", 120_000).hex()


def tell_web(cart: str, order: int) -> None:
    try:
        requests.post(f"{WEB}/hooks/order-paid", json={"cart": cart, "order": order}, timeout=3).raise_for_status()
    except requests.RequestException as error:
        log.warning("web was not told about order %d: %s", order, error)


@tracer.start_as_current_span("count_warehouse")
def restock(skus: list[str]) -> int:
    """Counts the shelves with their rows locked: whoever orders one of these meanwhile has to wait."""
    db = connection()
    with db.transaction(), db.cursor() as cur:
        cur.execute("SELECT sku FROM stock WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE", (skus,))
        for sku in skus:
            cur.execute("SELECT count(*) FROM reviews WHERE body ILIKE %s", (f"%{sku} found broken%",))
            broken = cur.fetchone()[0]
            cur.execute("UPDATE stock SET quantity = %s WHERE sku = %s", (400 - broken, sku))
    log.info("%d shelves counted", len(skus), extra={"skus": skus})
    return len(skus)


def in_stock(sku: str) -> int:
    db = connection()
    with db.transaction(), db.cursor() as cur:
        cur.execute("SELECT quantity FROM stock WHERE sku = %s", (sku,))
        return cur.fetchone()[0]
