'use strict';
// A program with a worker thread that runs another file.
const { Worker } = require('worker_threads');
const state = { calls: 0 };
function work(n) {
  state.calls++;
  return n + 1;
}
new Worker(require('path').join(__dirname, 'victim_worker.js'));
setInterval(() => { process.stdout.write(`calls ${state.calls} ran 0\n`); }, 50);
setTimeout(() => process.stdout.write('ready\n'), 200);
setInterval(work, 5);
