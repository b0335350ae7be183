import { call } from './call';
import type { Cart } from './cart';
import { savingOf } from './price';

export interface Product {
  sku: string;
  name: string;
  price: number;
  was: { amount: number };
}

function button(text: string, clicked: () => Promise<unknown>) {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
  made.addEventListener('click', () => void clicked());
  return made;
}

export function row(product: Product, cart: Cart, say: (text: string) => void): HTMLElement {
  const item = document.createElement('li');
  for (const text of [product.name, `${product.price} USD`]) item.append(Object.assign(document.createElement('span'), { textContent: text }));
  const compare = button('What do I save?', async () => say(savingOf(await call<Product>('GET', `/api/products/${product.sku}`))));
  compare.dataset.sku = product.sku;
  item.append(
    compare,
    button('Add', () => cart.add(product.sku)),
  );
  return item;
}
