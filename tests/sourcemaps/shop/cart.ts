export interface Item {
  name: string;
  price?: number;
}

export class PriceError extends Error {
  constructor(what: string) {
    super(`no price: ${what}`);
    this.name = "PriceError";
  }
}

export class Cart {
  #items: Item[] = [];
  private readonly currency: string;

  constructor({ currency }: { currency: string }) {
    this.currency = currency;
  }

  add(item: Item): this {
    this.#items.push(item);
    return this;
  }

  total(): number {
    return this.#items.reduce((sum, item) => sum + priceOf(item), 0);
  }

  clear = (): void => {
    this.#items.length = 0;
  };

  toString(): string {
    return `${this.total().toFixed(2)} ${this.currency}`;
  }
}

function priceOf(item: Item): number {
  if (item.price === undefined) throw new PriceError(item.name);
  return item.price;
}
