// The shop's page: what is on offer, a cart, an order.
import './telemetry';
import { call } from './call';
import { Cart } from './cart';
import { type Product, row } from './products';

const form = document.forms[0] as HTMLFormElement;
const said = document.querySelector('#said') as HTMLElement;
const country = form.elements.namedItem('country') as HTMLSelectElement;
const cart = new Cart(document.querySelector('#count') as HTMLElement);

country.value = country.dataset.country ?? 'US';
country.addEventListener('change', () => {
  document.cookie = `country=${country.value}; SameSite=Lax`;
  void show();
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  said.textContent = await cart.buy((form.elements.namedItem('coupon') as HTMLInputElement).value);
});

async function show() {
  const { featured, recommended } = await call<{ featured: Product[]; recommended: Product[] }>('GET', '/api/home');
  for (const [id, products] of Object.entries({ featured, recommended }))
    document.querySelector(`#${id}`)?.replaceChildren(...products.map((product) => row(product, cart, (text) => (said.textContent = text))));
}

void show();
