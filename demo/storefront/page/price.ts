import type { Product } from './products';

/** What a customer saves today. Only what is on sale has an older price, whatever the type says. */
export function savingOf(product: Product): string {
  const saved = product.was.amount - product.price;
  return `You save ${saved.toFixed(2)} USD on ${product.name}.`;
}
