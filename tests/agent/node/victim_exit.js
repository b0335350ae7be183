'use strict';
// A program whose functions are left in every way. It checks what they give, and that their text is what it was.
const state = { calls: 0, ran: 0 };
class Refused extends TypeError { constructor(code) { super('refused ' + code); this.code = code; } }
function price(n) {
  const doubled = n * 2;
  let tag = 'x';
  if (n % 2) return { doubled };
  for (const k of [1, 2]) { if (k === 2) return doubled + k }
  return tag;
}
function charge(n) {
  const card = 'c' + n, later = { n }
  var old = n
  if (n % 3 === 0) throw new Refused(n);
  return card
}
const twice = n => n * 2, pair = n => ({ n });
async function delayed(n) {
  await null; if (n % 2) throw new RangeError('odd'); return n
}
class Cart { #n = 1; total(x) { return this.#n + x } static of() { return new Cart } }
function nothing() {}
function* count(n) { yield 1; return n }
function closed(n) { const inner = () => captured + n; const captured = n; function hoisted() { return inner() } return hoisted() }
function cleanup(n) { try { return n } finally { state.calls++ } }
function lines(n) {
  'directive';
  return (
    n // what it is
      + 1 // and more
  );
}
const kept = [closed].map(f => () => f(3)), functions = [price, charge, twice, pair, delayed, Cart, nothing, count, closed, cleanup, lines], text = functions.join('\n');
const check = ok => { if (!ok) state.ran++; };
let n = 0, may = false;
process.on('SIGUSR2', () => { may = true; });
const fails = (f, type) => { try { f(); } catch (e) { return e.constructor === type && !/clew:|__clew/.test(e.stack.split('\n')[1]); } return false; };
setInterval(() => {
  n++;
  check(n % 2 ? price(n).doubled === n * 2 : price(n) === n * 2 + 2);
  check(n % 3 ? charge(n) === 'c' + n : fails(() => charge(n), Refused));
  check(twice(n) === n * 2 && pair(n).n === n && Cart.of().total(n) === n + 1 && nothing() === undefined && closed(n) === 2 * n && cleanup(n) === n && lines(n) === n + 1 && kept[0]() === 6);
  const it = count(n);
  check(it.next().value === 1 && it.next().value === n && it.next().done);
  delayed(n).then(v => check(v === n && n % 2 === 0), e => check(e instanceof RangeError));
  state.calls++;
  if (process.argv[2] === 'dies' && may) dies({ n });
  if (process.argv[2] === 'rejects' && may) Promise.reject(new Refused(n));
}, 3);
function dies(order) { throw new Refused(order.n); }
setInterval(() => { process.stdout.write(`calls ${state.calls} ran ${state.ran} same ${functions.join('\n') === text ? 1 : 0}\n`); }, 50);
process.stdout.write('ready\n');
