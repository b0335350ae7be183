"""What most people buy, counted anew each minute; a monitor in Sentry's sense watches that it is."""

import logging
import threading
import time

from sentry_sdk.crons import monitor
from sqlalchemy import func, select

from catalogue import OrderLine, Session

log = logging.getLogger("recommend.bestsellers")
FIRST_S = 8
EVERY_S = 60
KEPT = 6
MONITOR = {"schedule": {"type": "crontab", "value": "* * * * *"}, "checkin_margin": 1, "max_runtime": 1, "timezone": "UTC"}
_skus = ["BALL-1", "LAMP-1", "AMPH-3", "JUG-2", "SPIN-1", "MAP-1"]  # until there are orders


def skus() -> list[str]:
    return _skus


@monitor(monitor_slug="bestsellers", monitor_config=MONITOR)
def count() -> None:
    global _skus
    by_quantity = select(OrderLine.sku).group_by(OrderLine.sku).order_by(func.sum(OrderLine.quantity).desc()).limit(KEPT)
    with Session() as session:
        found = list(session.scalars(by_quantity))
    if len(found) == KEPT:
        _skus = found
    log.info("bestsellers counted: %s", ", ".join(_skus))


def keep() -> None:
    """Counts in a thread of its own, as long as the process lives."""

    def forever():
        time.sleep(FIRST_S)
        while True:
            try:
                count()
            except Exception:
                log.exception("bestsellers not counted")
            time.sleep(EVERY_S)

    threading.Thread(target=forever, name="bestsellers", daemon=True).start()
