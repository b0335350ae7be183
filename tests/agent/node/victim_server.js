'use strict';
// A shop behind Express or Fastify (its module is the argument), the same as a CommonJS and as an ES module. Requests wait for one another's time, so
// that many are under way at once; what must never run counts itself.
const state = { calls: 0, ran: 0 };
const poison = () => { state.ran++; throw new Error('the program was called'); };
const pause = ms => new Promise(done => setTimeout(done, ms));
class Prices {
  #rate = 3;
  static twice(n) { return n * 2; }
  get rate() { return poison(); }
  async quote(order) {
    const mine = sdk.active(), n = order.n;
    await pause(n % 5);
    const total = Prices.twice(n) + this.#rate;
    await pause(n % 3);
    state.calls++;
    return { total, mine };
  }
}
const discounts = rate => async order => {
  const mine = sdk.active(), n = order.n, early = () => late;
  await null;
  let cut = n * rate;
  const late = cut + 1;
  return early() ? mine : '';
};
const prices = new Prices(), discount = discounts(10), trap = new Proxy({}, new Proxy({}, { get: poison }));
async function home(n) {
  const order = { n, prices, trap, get evil() { return poison(); } };
  const outer = await discount(order);
  const { total, mine } = await sdk.inSpan('quote', () => prices.quote(order));
  return { n, total, outer, mine };
}
async function main(module) {
  const make = (await import(module)).default, app = make();
  app.get('/order/:n', async (request, reply) => { const answer = await home(Number(request.params.n)); return module.includes('express') ? reply.json(answer) : answer; });
  if (module.includes('express')) {
    const server = app.listen(0, '127.0.0.1', () => up(server.address().port));
  } else {
    app.listen({ port: 0, host: '127.0.0.1' }).then(() => up(app.server.address().port));
  }
}
function up(port) {
  process.stdout.write(`port ${port}\nready\n`);
  setInterval(() => { process.stdout.write(`calls ${++state.calls} ran ${state.ran}\n`); }, 100);
}
main(process.argv[2]);
