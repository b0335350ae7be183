"""The tables of the shop that recommendations are made from, by way of an ORM."""

import os
from decimal import Decimal

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[Decimal]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]


class OrderLine(Base):
    __tablename__ = "order_lines"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True)
    quantity: Mapped[int]
    order: Mapped[Order] = relationship()
    product: Mapped[Product] = relationship()  # loaded when it is looked at: one question a line


_at = "postgresql+psycopg://{PGUSER}@/{PGDATABASE}?host={PGHOST}".format(**os.environ)
Session = sessionmaker(create_engine(_at, pool_size=4, isolation_level="AUTOCOMMIT"))
