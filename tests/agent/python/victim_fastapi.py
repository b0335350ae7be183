"""A shop in FastAPI."""
import asyncio
import os

import fastapi

app = fastapi.FastAPI()
heap = [[i] for i in range(int(os.environ.get("VICTIM_HEAP", 0)))]  # what a program keeps


def price(quantity, each):
    total = quantity * each
    label = f"{quantity} x {each}"
    return {"total": total, "label": label}


@app.get("/")
async def home():
    await asyncio.sleep(0)
    return price(3, 7)
