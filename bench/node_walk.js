// What it costs to read ten values at a hit, and whether anything of the program runs while it is done. One process per mode:
//   node bench/node_walk.js cost | poisoned | inspector | breakpoint
// `inspector` compares a probe with the usual way, a breakpoint whose condition is false, and says what placing either costs, at first and in the end.
// `breakpoint`: probes where V8 takes no change of a function (walk.js, "breakpoints"), what they cost at a hit and what an `await` costs meanwhile.
// The part is runtimes/node/walk.js, set up as src/agent/node/session.c does it. `poisoned` first replaces every intrinsic and global prototype slot that
// the walk, the realm or Node could touch by something that counts; the control at the end shows that the counter works.
'use strict';
const vm = require('vm'), fs = require('fs'), path = require('path'), { types } = require('util'), { AsyncLocalStorage } = require('async_hooks'), { Session } = require('inspector');
const source = fs.readFileSync(path.join(__dirname, '../runtimes/node/walk.js'), 'utf8'), version = process.version, hr = process.hrtime.bigint;
const natives = [vm.createContext, vm.compileFunction, fs.writeSync, fs.openSync, fs.closeSync, fs.fstatSync, hr, types.isProxy, types.isMap, types.isSet, types.isDate, types.isTypedArray,
  AsyncLocalStorage.prototype.getStore, process._debugEnd, process.cpuUsage, Session, Session.prototype.connect, Session.prototype.post,
  AsyncLocalStorage.prototype, process];
let ran = 0;
const define = Object.defineProperty, poison = () => { ran++; throw new Error('the program was called'); };
const trap = new Proxy({}, new Proxy({}, { get: poison })), inherits = Object.setPrototypeOf({ own: 1 }, trap);
class Money { #cents = 5; constructor() { this.amount = 184.5; } get total() { return poison(); } toString() { return poison(); } toJSON() { return poison(); } }
const getters = define({}, 'evil', { get: poison, enumerable: true }), list = define([1, 2], 1, { get: poison }), cycle = { n: 1 };
cycle.self = cycle;
function poisonEverything() {
  const slots = [[Reflect, 'getOwnPropertyDescriptor ownKeys getPrototypeOf apply'], [Object, 'getOwnPropertyDescriptor keys getPrototypeOf entries getOwnPropertyNames defineProperty'],
    [JSON, 'stringify parse'], [Array, 'isArray from'], [Date, 'now'], [Function.prototype, 'call apply bind toString'], [Map.prototype, 'entries forEach get has set'], [Set.prototype, 'values has'],
    [String.prototype, 'slice charCodeAt indexOf'], [Date.prototype, 'getTime toISOString toJSON'], [RegExp.prototype, 'exec test'], [Error, 'prepareStackTrace captureStackTrace'], [Array.prototype, 'join push map']];
  const accessors = [[Map.prototype, [Symbol.iterator]], [Set.prototype, [Symbol.iterator]], [Array.prototype, [Symbol.iterator, 'toJSON', '3', 'value', 'get']],
    [Object.prototype, ['timeout', 'toJSON', 'then', 'evil', '3', 'value', 'set', 'get', 'bigint', 'name', 'origin', 'filename', 'parsingContext', 'open', 'drop', 'end', 'edited']]];
  for (const [o, names] of slots) for (const k of names.split(' ')) define(o, k, { __proto__: null, value: poison, configurable: true, writable: true });
  for (let k = 0; k < accessors.length; k++) for (let i = 0, o = accessors[k][0], names = accessors[k][1]; i < names.length; i++) define(o, names[i], { __proto__: null, get: poison, set: poison, configurable: true });
}
function boot(part = source) {
  const a = natives, u = undefined, c = a[0]({ __proto__: null }, { __proto__: null, name: 'clew', origin: u, codeGeneration: u, microtaskMode: u, importModuleDynamically: u });
  return a[1]('return(N)=>{' + part + '}', u, { __proto__: null, parsingContext: c, filename: 'clew:walk', lineOffset: 0, columnOffset: 0, cachedData: u, produceCachedData: false, contextExtensions: u,
    importModuleDynamically: u })()({ __proto__: null, context: c, compile: a[1], writeSync: a[2], openSync: a[3], closeSync: a[4], fstatSync: a[5], hrtime: a[6], isProxy: a[7], isMap: a[8], isSet: a[9],
    isDate: a[10], isTypedArray: a[11], getStore: a[12], close: a[13], cpuUsage: a[14], Session: a[15], connect: a[16], post: a[17], storage: a[18], process: a[19],
    global: globalThis });
}
const limits = { __proto__: null, depth: 3, items: 50, string: 512, bytes: 131072 }, user = { name: 'bob', id: 7, tags: ['a', 'b'] }, order = { id: 17, total: 184.5, user };
const map = new Map([['k', 1], ['j', { z: 1 }]]), date = new Date(5), long = 'x'.repeat(1000), symbol = Symbol('q'), nothing = Object.create(null), functionTrap = new Proxy(class {}, trap);
const money = new Money(), set = new Set([1, user]), bytes = new Uint8Array(4), flat = [17, 184.5, true, 'bob', 'apply_discount', null, 42, 'x', 9, 1.5];
const mixed = [17, 184.5, true, 'bob', 'apply_discount', null, 42, order, [1, 2, 3, 4, 5], money];
const fifo = process.argv[3];
if (process.argv[2] === 'poisoned') {
  const hostile = [trap, inherits, money, getters, list, [1, , 3], cycle, map, set, date, 5n, long, symbol, poison, order, nothing, functionTrap, bytes, -0, NaN]; // eslint-disable-line no-sparse-arrays
  const write = fs.writeSync, seen = { __proto__: null }, orderText = JSON.stringify({ open: fifo, set: [{ slot: 1, revision: 1, vars: true, frames: 5, depth: 3, items: 50, string: 512, bytes: 131072, hitOp: 0, hitN: 0,
    sample: 4294967296, interval: 0, burst: 0, granted: 1e6, names: ['"a"', '"b"'], code: 'return [(a,b)=>{if(--s.skip<0)H.tick(s);s.hits++;try{H.start();if(!H.t(H.gt(H.f(a,"total",0,0),100,0),0)){s.filtered++;return}}catch(e){H.fault(s,e);if(s.t0)H.done(s);return}H.take(s,[a,b],s.all)},(a,b)=>[()=>H.f(b,"evil",1,0)]]' }] });
  poisonEverything();
  const C = boot(); seen.realm = ran; ran = 0;
  C.walk(hostile, limits); seen.walk = ran; ran = 0;
  C.stack(10); seen.stack = ran; ran = 0;
  C.order(orderText); seen.order = ran; ran = 0;
  // Hits whose condition holds, and whose condition cannot be read.
  for (let i = 0; i < 10; i++) { C.p1(order, getters); C.p1(getters, trap); C.p1(trap, money); } // less than fills the pipe
  seen.hit = ran; ran = 0;
  C.order('{"end":true}'); seen.end = ran; ran = 0;
  try { getters.evil; } catch (e) { /* counted */ } try { trap.zzz; } catch (e) { /* counted */ } try { [1, , 3][3]; } catch (e) { /* counted */ } // eslint-disable-line no-sparse-arrays
  write(1, '{"node":"' + version + '","realm":' + seen.realm + ',"walk":' + seen.walk + ',"stack":' + seen.stack + ',"order":' + seen.order + ',"hit":' + seen.hit + ',"end":' + seen.end + ',"control":' + ran + '}\n');
} else if (process.argv[2] === 'breakpoint') {
  const free = boot(source.replace('SHARE = 100', 'SHARE = 0')), reader = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), drained = Buffer.alloc(1 << 20), out = { node: version };
  const [probed, other, loop] = vm.runInThisContext('[function probed(o, n) {\n  const total = o.total + n;\n  return total;\n}, function other(n) {\n  let s = 0;\n  for (let i = 0; i < 1000; i++) s += i % (n + 2);\n  return s;\n}, function loop(n) {\n  let s = 0;\n  for (let i = 0; i < n; i++) {\n    s += i;\n  }\n  return s;\n}]', { filename: 'stopped.js' });
  const drain = () => { try { while (fs.readSync(reader, drained) > 0); } catch (e) { /* empty */ } };
  const low = (batches, times, f, between) => { const all = []; for (let b = 0; b < batches; b++) { const t = hr(); for (let i = 0; i < times; i++) f(i); all.push(Number(hr() - t) / times); if (between) between(); } return Math.round(all.sort((a, b) => a - b)[Math.floor(batches / 10)]); };
  const waits = async () => { const all = []; for (let b = 0; b < 41; b++) { const t = hr(); for (let i = 0; i < 2000; i++) await i; all.push(Number(hr() - t) / 2000); } return Math.round(all.sort((a, b) => a - b)[4]); };
  const finder = new Session();
  let script;
  finder.on('Debugger.scriptParsed', m => { if (m.params.url === 'stopped.js') script = m.params.scriptId; });
  finder.connect();
  finder.post('Debugger.enable');
  finder.post('Debugger.disable');
  finder.disconnect();
  const probe = (slot, code) => ({ slot, revision: 1, vars: true, frames: 5, depth: 3, items: 50, string: 512, bytes: 131072, hitOp: 0, hitN: 0, sample: 4294967296, interval: 0, burst: 0, granted: 1e6, names: ['"o"', '"n"', '"total"'], code });
  const head = 'return [(a,b,c)=>{if(--s.skip<0)H.tick(s);s.hits++;', take = 'H.take(s,[a,b,c],s.all)},0]', when = 'try{H.start();if(!H.t(H.gt(H.f(a,"total",0,0),1000,0),0)){s.filtered++;if(s.t0)H.done(s);return}}catch(e){H.fault(s,e);if(s.t0)H.done(s);return}';
  const stop = (C, slot, line, names, end) => { if (!JSON.parse(C.stop(JSON.stringify([[slot, script, line, 2, names, end, 0]])))[0]) throw new Error('no breakpoint'); };
  (async () => {
    for (let i = 0; i < 20000; i++) { probed(order, i); other(i & 7); }
    await waits();
    out.await_ns = await waits();
    const alone = low(41, 500, n => other(n & 7));
    free.order(JSON.stringify({ open: fifo, set: [probe(1, head + when + take), probe(2, head + take)] }));
    const t = hr();
    stop(free, 1, 2, 'o,n,total', 3);
    out.placed_ms = Number((Number(hr() - t) / 1e6).toFixed(1));
    out.filtered_ns = low(31, 100, n => probed(order, n));
    out.unrelated = Number((low(41, 500, n => other(n & 7)) / alone).toFixed(2));
    out.await_meanwhile_ns = await waits();
    free.order('{"drop":[1]}');
    stop(free, 2, 2, 'o,n,total', 3);
    out.captured_ns = low(31, 50, n => probed(order, n), drain);
    const hits = JSON.parse(free.counts())[0];
    if (!hits.captured) throw new Error('nothing was captured');
    free.order('{"drop":[2],"end":true}');
    // With its budget: a loop that does not end by itself is released.
    const C = boot();
    C.order(JSON.stringify({ open: fifo, set: [probe(3, head + take)] }));
    stop(C, 3, 10, 's,i,n', 13);
    const began = hr();
    loop(1e7);
    out.loop_of_10_7_ms = Math.round(Number(hr() - began) / 1e6);
    out.hits_until_released = JSON.parse(C.counts())[0].hits;
    process.stdout.write(JSON.stringify(out) + '\n', () => process.exit(0));
  })();
} else if (process.argv[2] === 'inspector') {
  // Both through a session in this process: such a call is as long as the program stands. Without the budget, which a tight loop is over at once.
  const session = new Session(), out = { node: version }, C = boot(source.replace('SHARE = 100', 'SHARE = 0')), reader = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), drained = Buffer.alloc(1 << 20);
  const text = 'function probed(o, n) {\n  const total = o.total + n;\n  return total;\n}\nfunction other(n) {\n  let s = 0;\n  for (let i = 0; i < 1000; i++) s += i % (n + 2);\n  return s;\n}\n[probed, other]\n';
  const [probed, other] = vm.runInThisContext(text, { filename: 'probed.js' }), sorted = list => list.sort((a, b) => a - b), ms = n => Number(n.toFixed(2));
  const post = (method, params) => { let answer; session.post(method, params, (error, result) => { if (error) throw new Error(method + ': ' + error.message); answer = result; }); return answer; };
  const each = (batches, times, f, between) => { // ns of one, of the tenth part of the batches that the machine disturbs least
    const all = [];
    for (let b = 0; b < batches; b++) { const t = hr(); for (let i = 0; i < times; i++) f(i); all.push(Number(hr() - t) / times); if (between) between(); }
    return Math.round(sorted(all)[Math.floor(batches / 10)]);
  };
  const drain = () => { try { while (fs.readSync(reader, drained) > 0); } catch (e) { /* empty */ } };
  const hit = n => probed(order, n), unrelated = n => other(n);
  let script;
  session.on('Debugger.scriptParsed', m => { if (m.params.url === 'probed.js' && !script) script = m.params.scriptId; });
  session.connect();
  for (let i = 0; i < 20000; i++) { hit(i); unrelated(i & 7); }
  out.call_ns = each(41, 10000, hit);
  const alone = each(41, 500, unrelated);
  globalThis.console = new console.Console(fs.createWriteStream('/dev/null'));
  post('Debugger.enable');
  const at = condition => post('Debugger.setBreakpointByUrl', { url: 'probed.js', lineNumber: 2, condition }).breakpointId;
  for (const [name, condition] of [['breakpoint_false_ns', 'false'], ['breakpoint_compares_ns', 'o.total > 1000'], ['breakpoint_logs_ns', 'console.log(o.total), false']]) {
    const id = at(condition);
    out[name] = each(31, 100, hit);
    if (condition === 'false') out.unrelated_with_breakpoint = ms(each(41, 500, unrelated) / alone);
    post('Debugger.removeBreakpoint', { breakpointId: id });
  }
  const N = Number(process.argv[4] || 200), timed = f => { const t = hr(); f(); return Number(hr() - t) / 1e6; };
  const arms = { breakpoint: [], probe: [] };
  // Before any script is changed: between changes, breakpoints that are set by name were seen to take longer and longer.
  for (let i = 0; i < N; i++) arms.breakpoint.push(timed(() => post('Debugger.removeBreakpoint', { breakpointId: at('false') })));
  const probe = (slot, more) => ({ slot, revision: 1, vars: true, frames: 5, depth: 3, items: 50, string: 512, bytes: 131072, hitOp: 0, hitN: 0, sample: 4294967296, interval: 0, burst: 0, granted: 1e6, names: ['"o"', '"n"', '"total"'], ...more });
  const capture = 'H.take(s,[a,b,c],s.all)},0]', head = 'return [(a,b,c)=>{if(--s.skip<0)H.tick(s);s.hits++;', mark = { mark: [1, 2], owner: [1, 2], by: 0, timed: false, buckets: false, rising: true };
  C.order(JSON.stringify({ open: fifo, set: [probe(1, { code: head + 'try{H.start();if(!H.t(H.gt(H.f(a,"total",0,0),1000,0),0)){s.filtered++;if(s.t0)H.done(s);return}}catch(e){H.fault(s,e);if(s.t0)H.done(s);return}' + capture }),
    probe(2, { code: head + capture }), probe(3, { ...mark, code: head + 'H.count(s,[a,b,c],s.all)},0]' })] }));
  const change = scriptSource => post('Debugger.setScriptSource', { scriptId: script, scriptSource }), placed = slot => text.replace('return total', `try{__clew.p${slot}&&__clew.p${slot}(o,n,total)}catch{};return total`);
  for (const [name, slot, batches, times] of [['probe_false_ns', 1, 21, 2000], ['probe_counts_ns', 3, 21, 2000], ['probe_captures_ns', 2, 81, 50]]) {
    const { status } = change(placed(slot));
    if (status && status !== 'Ok') throw new Error(status);
    out[name] = each(batches, times, hit, drain);
    if (slot === 1) out.unrelated_with_probe = ms(each(41, 500, unrelated) / alone);
    change(text);
  }
  const counts = JSON.parse(C.counts());
  if (counts.some(c => !c.hits || c.state !== 1)) throw new Error('a probe was not hit: ' + C.counts());
  for (let i = 0; i < N; i++) arms.probe.push(timed(() => { change(placed(1)); change(text); }));
  for (const kind of ['breakpoint', 'probe']) {
    const first = sorted(arms[kind].slice(0, N / 10)), last = sorted(arms[kind].slice(-N / 10));
    out['first_to_last_' + kind] = ms(last[last.length >> 1] / first[first.length >> 1]);
    sorted(arms[kind]);
    out[kind + '_on_off_ms'] = [ms(arms[kind][N >> 1]), ms(arms[kind][Math.floor(N * 0.99)])];
  }
  session.disconnect();
  process.stdout.write(JSON.stringify(out) + '\n', () => process.exit(0));
} else {
  const started = hr(), C = boot(), out = { node: version, realm_ms: Number(hr() - started) / 1e6 }, ring = new Array(4096), H = C.H;
  let n = 0;
  const bench = (times, f) => {
    for (let i = 0; i < 20000; i++) f(i);
    const each = [];
    for (let b = 0; b < 400; b++) { const t = hr(); for (let i = 0; i < times; i++) f(i); each.push(Number(hr() - t) / times); }
    each.sort((a, b) => a - b);
    return [Math.round(each[200]), Math.round(each[396])];
  };
  out.references = bench(500, () => { ring[n++ & 4095] = [17, 184.5, true, 'bob', 'x', null, 42, order, mixed, user]; });
  out.json = bench(200, () => { ring[n++ & 4095] = JSON.stringify(flat); });
  out.json_nested = bench(200, () => { ring[n++ & 4095] = JSON.stringify([17, 184.5, true, 'bob', 'apply_discount', null, 42, order, [1, 2, 3, 4, 5], user]); });
  out.walk = bench(200, () => { ring[n++ & 4095] = C.walk(flat, limits); });
  out.walk_nested = bench(200, () => { ring[n++ & 4095] = C.walk(mixed, limits); });
  out.condition_false = bench(1000, () => { H.start(); return H.t(H.gt(H.f(order, 'total', 0, 0), 1000, 0), 0); });
  out.stack = bench(100, () => C.stack(10));
  for (const keys of [1e3, 1e4, 1e5, 1e6]) {
    const big = {};
    for (let i = 0; i < keys; i++) big['k' + i] = i;
    let t = hr();
    C.walk([big], limits);
    out['keys_' + keys + '_ms'] = Number((Number(hr() - t) / 1e6).toFixed(2));
    t = hr();
    let seen = 0;
    for (const k in big) { if (++seen === 50) break; ring[0] = k; }
    out['forin_' + keys + '_ms'] = Number((Number(hr() - t) / 1e6).toFixed(2));
  }
  process.stdout.write(JSON.stringify(out) + '\n');
}
