'use strict';
// A program with a worker thread that runs the same file (both), or that runs another one (apart).
const { Worker, isMainThread } = require('worker_threads');
const state = { calls: 0 };
function work(n) {
  state.calls++;
  return n + 1;
}
if (isMainThread) {
  new Worker(process.argv[2] === 'apart' ? require('path').join(__dirname, 'victim_worker.js') : __filename);
  setInterval(() => { process.stdout.write(`calls ${state.calls} ran 0\n`); }, 50);
  setTimeout(() => process.stdout.write('ready\n'), 200);
}
setInterval(work, 5);
