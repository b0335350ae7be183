'use strict';
// Runs what lower_lines.c has made, with runtimes/node/walk.js around it: one line of {"code","tables","names","targets"} from stdin, one line for each
// target out: ["value", v], ["fault", reason], or ["skip"] for a target with values that JavaScript cannot have.
const fs = require('fs'), vm = require('vm'), path = require('path'), { types } = require('util'), { AsyncLocalStorage } = require('async_hooks');
const source = fs.readFileSync(path.join(__dirname, '../../../runtimes/node/walk.js'), 'utf8'), context = vm.createContext({ __proto__: null });
const { H } = vm.compileFunction('return(N)=>{' + source + '}', [], { parsingContext: context })()({ __proto__: null, context, compile: vm.compileFunction, writeSync: fs.writeSync, openSync: fs.openSync,
  closeSync: fs.closeSync, fstatSync: fs.fstatSync, hrtime: process.hrtime.bigint, cpuUsage: process.cpuUsage, isProxy: types.isProxy, isMap: types.isMap, isSet: types.isSet, isDate: types.isDate, isTypedArray: types.isTypedArray,
  getStore: AsyncLocalStorage.prototype.getStore, close() {}, storage: AsyncLocalStorage.prototype, global: globalThis });
class Skip extends Error {}
const classes = { Order: class Order {}, Item: class Item {} };

function made(x, sources) {
  if (typeof x === 'string' && x[0] === '$') throw new Skip();
  if (typeof x !== 'object' || x === null) return x;
  let out;
  if (Array.isArray(x)) out = x.map(v => made(v, sources));
  else if ('$bytes' in x) throw new Skip();
  else if ('$set' in x) { out = new Set(x.$set.map(v => made(v, sources))); if (out.size !== x.$set.length) throw new Skip(); }
  else if ('$other' in x) throw new Skip();
  else {
    out = x.$type ? new classes[x.$type]() : {};
    for (const k of Object.keys(x)) {
      if (k === 'secret') throw new Skip(); // its name is enough, whatever the reference thinks of it
      if (k !== '$type' && x[k] === '$unreadable') Object.defineProperty(out, k, { get() { throw new Error('called'); }, enumerable: true });
      else if (k !== '$type') out[k] = made(x[k], sources);
    }
  }
  sources.set(out, x);
  return out;
}
function shown(v, sources) {
  if (typeof v === 'bigint') return Number(v);
  if (typeof v !== 'object' || v === null) return v;
  if (sources.has(v)) return sources.get(v);
  const out = [];
  for (let i = 0; i < v.length; i++) out.push(shown(v[i], sources));
  return out;
}
for (const line of fs.readFileSync(0, 'utf8').split('\n')) {
  if (!line) continue;
  const { code, tables, names, targets } = JSON.parse(line), s = { __proto__: null, before: [], hits: 0, thread: 'main' };
  const run = vm.compileFunction(`${tables}return (${names.map((_, i) => 'a' + i).join(',')})=>${code}`, ['H', 's'], { parsingContext: context })(H, s);
  for (const target of targets) {
    const sources = new Map();
    let answer;
    try {
      const values = names.map(([name, file]) => { const from = file ? target.vars['@static'] || {} : target.vars; if (!(name in from)) throw new Skip(); return made(from[name], sources); });
      if (code.includes('s.hits') && !('@hit' in target.vars)) throw new Skip();
      s.hits = target.vars['@hit'];
      H.start();
      answer = ['value', shown(run(...values), sources)];
    } catch (e) {
      if (!(e instanceof Skip) && typeof e.r !== 'string') throw e;
      answer = e instanceof Skip ? ['skip'] : ['fault', e.r];
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}
