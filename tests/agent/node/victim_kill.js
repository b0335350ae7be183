'use strict';
// A program whose debuggers are killed: it goes on, and says whether its function is as it was written.
let calls = 0;
function order(n) {
  const total = n * 2;
  calls++;
  return total;
}
const written = String(order);
setInterval(() => order(calls), 3);
setInterval(() => { process.stdout.write(`${process.hrtime.bigint()} calls ${calls} whole ${String(order) === written ? 1 : 0}\n`); }, 20);
process.stdout.write('ready\n');
