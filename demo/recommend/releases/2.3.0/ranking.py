"""Which products come first."""

from catalogue import Product

SHIPPING_ZONES = {"US": "west", "CA": "west", "GB": "islands", "DE": "continent", "JP": "east", "AU": "east"}
HEAVY = {"AMPH-1": 26, "AMPH-3": 6, "BOWL-4": 5, "LOOM-1": 4, "SAIL-B": 9, "SAIL-W": 9}


def rank(products: list[Product], country: str) -> list[Product]:
    """What the customer's country can have soon before what takes long; dear before cheap."""
    zone = SHIPPING_ZONES.get(country, "continent")
    return sorted(products, key=lambda product: (days(product, zone), -product.price))


def days(product: Product, zone: str) -> int:
    by_sea = {"west": 9, "islands": 4, "continent": 2, "east": 12}[zone]
    return by_sea if product.sku in HEAVY else 2
