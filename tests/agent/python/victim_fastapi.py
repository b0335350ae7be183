"""A shop in FastAPI."""
import asyncio

import fastapi

app = fastapi.FastAPI()


def price(quantity, each):
    total = quantity * each
    label = f"{quantity} x {each}"
    return {"total": total, "label": label}


@app.get("/")
async def home():
    await asyncio.sleep(0)
    return price(3, 7)
