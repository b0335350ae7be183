'use strict';
// What a hit does with the pipe when something else happens in the midst of it: walk.js, with functions of Node that do what they do and then something more.
// Exits with 0 when all is well.
const fs = require('fs'), os = require('os'), vm = require('vm'), path = require('path'), assert = require('assert'), { types } = require('util');
const { AsyncLocalStorage } = require('async_hooks'), { Session } = require('inspector');
const source = fs.readFileSync(path.join(__dirname, '../../../runtimes/node/walk.js'), 'utf8'), context = vm.createContext({ __proto__: null });
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-pipe-'));
let inStat = () => {}, inWrite = () => {};
const once = f => () => { inStat = inWrite = () => {}; f(); };
const C = vm.compileFunction('return(N)=>{' + source + '}', [], { parsingContext: context })()({ __proto__: null, context, compile: vm.compileFunction, openSync: fs.openSync, closeSync: fs.closeSync,
  fstatSync(...args) { const found = fs.fstatSync(...args); inStat(); return found; }, writeSync(...args) { inWrite(); return fs.writeSync(...args); },
  hrtime: process.hrtime.bigint, cpuUsage: process.cpuUsage, isProxy: types.isProxy, isMap: types.isMap, isSet: types.isSet, isDate: types.isDate, isTypedArray: types.isTypedArray,
  getStore: AsyncLocalStorage.prototype.getStore, close() {}, storage: AsyncLocalStorage.prototype, global: globalThis, process, Session, connect: Session.prototype.connect, post: Session.prototype.post });
const SLOT = { slot: 1, revision: 1, code: 'return [()=>{if(--s.skip<0)H.tick(s);s.hits++;H.take(s,[],s.all)},0]', vars: false, frames: 1, depth: 1, items: 1, string: 10, bytes: 1e4, hitOp: 0, hitN: 0, sample: 2 ** 32, interval: 0, burst: 0, granted: 1e9, names: [] };
let files = 0;
function open() { // an agent's order, with a file in the pipe's place; what is written there
  const file = path.join(dir, String(files++));
  fs.writeFileSync(file, '');
  assert.notStrictEqual(C.order(JSON.stringify({ open: file, thread: 0, name: 'main', set: [SLOT] })), '-1');
  return () => fs.readFileSync(file, 'utf8');
}
const captures = text => text.split('\n').filter(line => { try { return Array.isArray(JSON.parse(line).f); } catch { return false; } }).length;
const heard = read => { const n = captures(read()); C.p1(); assert.strictEqual(captures(read()), n + 1); };

heard(open());
// An agent's order comes in the midst of a hit: the pipe that it opens is not given up for the one that it closes.
for (const when of [f => { inStat = f; }, f => { inWrite = f; }]) {
  let next;
  open();
  when(once(() => { next = open(); }));
  C.p1();
  assert.ok(next);
  C.p1(); // what has been cut in two may have taken its line
  heard(next);
}
// An error that says nothing of the pipe: the program's stack ends there.
const deep = open();
inWrite = once(() => { throw new RangeError('Maximum call stack size exceeded'); });
C.p1();
heard(deep);
// One that does.
const gone = open();
inWrite = once(() => { throw Object.assign(new Error('EPIPE'), { code: 'EPIPE' }); });
C.p1();
assert.strictEqual(C.p1, 0);
assert.strictEqual(captures(gone()), 0);
fs.rmSync(dir, { recursive: true });
