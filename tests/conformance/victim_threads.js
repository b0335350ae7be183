// A program of a main thread and two workers, which all call `work`: hits of a probe there are of three threads.
const { Worker, isMainThread } = require('worker_threads');
let done = 0;
function work(n) {
  done += n;
  return done;
}
let online = 0;
if (isMainThread) for (let i = 0; i < 2; i++) new Worker(__filename).on('online', () => { if (++online === 2) console.log('up'); });
setInterval(() => work(1), 4);
