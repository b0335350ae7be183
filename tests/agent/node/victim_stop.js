'use strict';
// A program with places that the engine takes no change of: what runs in them is counted, and what must not run counts itself.
const fs = require('fs'), state = { calls: 0, ran: 0 }, mode = process.argv[2];
const say = () => { try { fs.writeSync(1, `calls ${state.calls} ran ${state.ran}\n`); } catch { /* nobody has read yet */ } };
const nap = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
function order(n) {
  const total = n * 2;
  state.calls++;
  return total;
}
function main() { // it never returns
  for (let round = 0; ; round++) {
    const user = { name: 'bob', round };
    order(user.round);
    if (round % 20 === 0) say();
    nap(10);
  }
}
function hot() { // nor does this one
  for (let i = 0, sum = 0; ; i++) {
    sum += i & 7;
    state.calls++;
    if (i % 5000000 === 0) say();
  }
}
async function waits(pause) { // nor this: it waits
  for (let round = 0; ; round++) {
    debugger; // eslint-disable-line no-debugger
    state.calls++;
    await new Promise(r => setTimeout(r, pause));
  }
}
function minified(n) { const total = n * 3; state.calls++; return total; /* ---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------- */ }
process.stdout.write('ready\n');
if (mode === 'main') setTimeout(main);
else if (mode === 'hot') setTimeout(hot);
else {
  setInterval(say, 100);
  if (mode === 'waits') waits(5);
  if (mode === 'minified') setInterval(() => minified(state.calls), 5);
  if (mode === 'served') setInterval(() => order(state.calls), 5);
}
if (mode === 'top') {
  setTimeout(() => { throw new Error('never'); }, 1e9);
  for (let round = 0; ; round++) {
    state.calls++;
    if (round % 20 === 0) say();
    nap(10);
  }
}
