'use strict';
// A program that is debugged: what it works on is checked against what is captured, and what must never run counts itself.
const state = { calls: 0, ran: 0, sum: 0 };
const poison = () => { state.ran++; throw new Error('the program was called'); };
class Money {
  #cents = 18450;
  constructor(amount) { this.amount = amount; }
  get total() { state.ran++; return this.#cents; }
  toString() { return poison(); }
  toJSON() { return poison(); }
}
const trap = new Proxy({ a: 1 }, new Proxy({}, { get: poison }));
function order(n) {
  const user = { name: 'bob', password: 'hunter2hunter2', tags: ['a', 'b'] };
  const o = { id: n, total: n * 2.5, user, money: new Money(n), trap, items: new Map([['k', { price: 7 }]]), when: new Date(0), big: 12345678901234567890n };
  Object.defineProperty(o, 'evil', { get: poison, enumerable: true });
  o.self = o;
  let total = o.total;
  for (const item of user.tags) {
    total += item.length;
  }
  state.sum += total;
  state.calls++; return total;
}
const short = n => n + 1;
async function later(n) {
  const doubled = await Promise.resolve(n * 2);
  return doubled;
}
let n = 0;
if (process.argv[2] === 'hot') {
  setInterval(() => { for (let i = 0; i < 400000; i++) hot(i); }, 1);
} else {
  setInterval(() => { n++; order(n); short(n); later(n); }, 5);
}
function hot(i) {
  state.calls++;
  return i;
}
setInterval(() => { process.stdout.write(`calls ${state.calls} ran ${state.ran}\n`); }, 200);
process.stdout.write('ready\n');
