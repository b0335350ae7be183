import * as Sentry from '@sentry/browser';
import { call, Refused } from './call';

export class Cart {
  private id: string | undefined;
  private count = 0;

  constructor(private readonly shown: HTMLElement) {}

  async add(sku: string) {
    this.id ??= (await call<{ cart: string }>('POST', '/api/carts')).cart;
    await call('POST', `/api/carts/${this.id}/items`, { sku, quantity: 1 });
    this.show(this.count + 1);
  }

  /** What to tell the customer. */
  async buy(coupon: string): Promise<string> {
    if (!this.id) return 'Your cart is empty.';
    try {
      const { order, total, currency } = await call<{ order: number; total: string; currency: string }>('POST', '/api/checkout', {
        cart: this.id,
        coupon: coupon || undefined,
      });
      return `Order ${order}: ${total} ${currency}. Thank you.`;
    } catch (error) {
      // Sold out, or a card that was declined, is no error of ours.
      if (!(error instanceof Refused) || error.status >= 500) Sentry.captureException(error, { tags: { coupon: coupon || 'none' } });
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.id = undefined;
      this.show(0);
    }
  }

  private show(count: number) {
    this.count = count;
    this.shown.textContent = String(count);
  }
}
