"""A shop in Flask."""
import flask

app = flask.Flask(__name__)


def price(quantity, each):
    total = quantity * each
    label = f"{quantity} x {each}"
    return {"total": total, "label": label}


@app.route("/")
def home():
    return price(3, 7)
