"""A shop in Flask."""
import os

import flask

app = flask.Flask(__name__)
heap = [[i] for i in range(int(os.environ.get("VICTIM_HEAP", 0)))]  # what a program keeps


def price(quantity, each):
    total = quantity * each
    label = f"{quantity} x {each}"
    return {"total": total, "label": label}


@app.route("/")
def home():
    return price(3, 7)
