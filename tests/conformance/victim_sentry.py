"""A program on Sentry's SDK and on nothing else: transactions one after the other, in two threads. It says what trace it is in."""
import threading
import time

import sentry_sdk

sentry_sdk.init(dsn="http://0123456789abcdef0123456789abcdef@127.0.0.1:1/1", traces_sample_rate=1.0, default_integrations=False)
fresh = getattr(sentry_sdk, "isolation_scope", None) or (lambda: sentry_sdk.Hub(sentry_sdk.Hub.current))


def work(said):
    return said + "!"  # here


def loop():
    while True:
        with fresh():
            with sentry_sdk.start_transaction(name="work", op="task"):
                with sentry_sdk.start_span(op="step") as span:
                    work(f"{span.trace_id} {span.span_id}")
        time.sleep(0.02)


threading.Thread(target=loop, daemon=True).start()
loop()
