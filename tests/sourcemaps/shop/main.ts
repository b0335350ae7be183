import { h, render } from "preact";
import { Cart, PriceError, type Item } from "./cart";

const cart = new Cart({ currency: "EUR" });
const describe = (item: Item): string => `${item.name} (${item.price ?? "no price"}) 💶`;

export async function checkout(items: Item[]): Promise<number> {
  for (const item of items) cart.add(item);
  const total = await new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => cart.total());
  if (total < 0) throw new PriceError(describe(items[0]!));
  return total;
}

export const handlers = {
  click(event: { items: Item[] }) {
    return checkout(event.items).catch((error: unknown) => {
      console.error(error);
      throw error;
    });
  },
  "on-submit": () => cart.clear(),
};

if (typeof document !== "undefined") render(h("button", { onClick: () => handlers.click({ items: [] }) }, "Buy"), document.body);
