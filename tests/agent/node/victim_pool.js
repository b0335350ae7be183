'use strict';
// A program with worker threads, all of which run victim_shared.js. Modes: pool (four workers), busy (two, of which one is in native code until
// SIGUSR2), late (none yet), brief (one, and others that come and are terminated all the time). SIGUSR2: one more; SIGHUP: the first is terminated.
const { Worker, isMainThread, workerData, threadId } = require('worker_threads');
const { work } = require('./victim_shared.js');
const mode = process.argv[2], workers = [];
// Calls with the right result; threads that run a changed text; threads that are there.
const shared = new Int32Array(isMainThread ? new SharedArrayBuffer(4096) : workerData.shared), CHANGED = 8;
const file = require('path').join(require('os').tmpdir(), `clew-victim-${process.pid}`);
const changed = () => Atomics.store(shared, CHANGED + threadId % 1000, work.toString().includes('clew') ? 1 : 0);
if (isMainThread) {
  const data = { shared: shared.buffer };
  const more = busy => {
    const w = new Worker(__filename, { workerData: { ...data, busy }, name: `pool-${workers.length}` }), n = workers.push(w);
    w.on('exit', () => Atomics.store(shared, CHANGED + n, 0));
  };
  if (mode === 'pool') for (let i = 0; i < 4; i++) more();
  if (mode === 'busy') { more(); more(true); }
  if (mode === 'brief') {
    more();
    let n = 0;
    setInterval(() => { const w = new Worker(__filename, { workerData: { ...data, brief: true }, resourceLimits: { maxOldGenerationSizeMb: 32 }, execArgv: [], env: {} }); setTimeout(() => w.terminate(), 10 + n++ * 7 % 90); }, 40);
  }
  process.on('SIGUSR2', () => mode === 'busy' ? require('fs').writeFileSync(file, '') : more());
  process.on('SIGHUP', () => workers.shift().terminate());
  setInterval(() => { work(1, 'main'); changed(); }, 7);
  setInterval(() => {
    let n = 0;
    for (let i = CHANGED; i < 1024; i++) n += Atomics.load(shared, i);
    process.stdout.write(`calls ${Atomics.load(shared, 0)} ran ${Atomics.load(shared, 1)} changed ${n} begun ${Atomics.load(shared, 2)}\n`);
  }, 50);
  const ready = () => { if (Atomics.load(shared, 2) >= workers.length) process.stdout.write('ready\n'); else setTimeout(ready, 20); };
  ready();
  if (mode === 'late') setInterval(() => Atomics.add(shared, 0, 1), 5);
} else {
  Atomics.add(shared, 2, 1);
  if (workerData.busy) require('child_process').execFileSync('sh', ['-c', `while kill -0 ${process.pid} && ! [ -e ${file} ]; do sleep 0.1; done; rm -f ${file}`], { stdio: 'ignore' });
  setInterval(() => {
    if (work(2, `worker ${threadId}`) === 5) Atomics.add(shared, 0, 1);
    if (work.ran()) Atomics.add(shared, 1, 1);
    if (!workerData.brief) changed();
  }, 5);
}
