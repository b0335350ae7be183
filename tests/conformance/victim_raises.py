"""A program that raises what it catches, now and then. With the word `sdk` Sentry's SDK tells of each to the address behind it."""
import sys
import time

if sys.argv[1:2] == ["sdk"]:
    import sentry_sdk

    sentry_sdk.init(dsn=sys.argv[2], default_integrations=False)


class Refused(ValueError):
    pass


def charge(order, card):
    total = order["total"] * 2
    raise Refused(f"no charge of {total}")  # here


n = 0
while True:
    n += 1
    try:
        charge({"total": 21, "n": n}, "4111111111111111")
    except Refused as e:
        if sys.argv[1:2] == ["sdk"]:
            sentry_sdk.capture_exception(e)
            sentry_sdk.flush(2)
    time.sleep(0.05)
