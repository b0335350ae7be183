// The part that runs inside a Node process: reads values as they are stored, decides about hits, writes captures to a pipe.
//
// A function body, compiled in a realm of its own (vm.createContext), so that no intrinsic that it uses can have been changed by the program.
// It never calls the program: fields are read by their descriptors, accessors are named and not run, a Proxy is recognised before anything is asked
// of it. `N` is what it was given of Node itself, each verified by the agent to be Node's own.
'use strict';
const { getOwnPropertyDescriptor: gopd, getPrototypeOf, defineProperty } = Object, { ownKeys, apply, construct } = Reflect, { isArray } = Array;
const { stringify, parse } = JSON, { now: date } = Date, { floor, imul, trunc } = Math, { isInteger, isSafeInteger } = Number;
const un = Function.prototype.bind.bind(Function.prototype.call), getter = (o, k) => un(gopd(o, k).get);
const slice = un(String.prototype.slice), code = un(String.prototype.charCodeAt), indexOf = un(String.prototype.indexOf);
const startsWith = un(String.prototype.startsWith), endsWith = un(String.prototype.endsWith), charText = String.fromCharCode, numberText = un(Number.prototype.toString), bigText = un(BigInt.prototype.toString);
const mapEntries = un(Map.prototype.entries), mapNext = un(getPrototypeOf(new Map().entries()).next), mapSize = getter(Map.prototype, 'size');
const mapGet = un(Map.prototype.get), mapHas = un(Map.prototype.has), setValues = un(Set.prototype.values), setNext = un(getPrototypeOf(new Set().values()).next);
const setSize = getter(Set.prototype, 'size'), setHas = un(Set.prototype.has), getTime = un(Date.prototype.getTime), isoText = un(Date.prototype.toISOString);
const symbolText = getter(Symbol.prototype, 'description'), bufferLength = getter(getPrototypeOf(Uint8Array.prototype), 'length');
const weakGet = un(WeakMap.prototype.get), weakSet = un(WeakMap.prototype.set), symbolFor = Symbol.for;
const { isProxy, isMap, isSet, isDate, isTypedArray, hrtime, writeSync, openSync, closeSync, fstatSync, compile, getStore, cpuUsage, storage, global, Session, connect, post } = N;
const U32 = 4294967296, STEPS = 20000, SOFT_NS = 5e6, HARD_NS = 2e7, ODD_NS = 1e6, BURST_NS = 1e7, SHARE = 100, TELL_NS = 5e8, CHUNK = 1300, ITEMS_MAX = 4096;

// ---- sensitive names, as src/probe/redact.c has them; only for names that an expression makes at the hit ----
const STEMS = /accesskey|accesstoken|apikey|apitoken|authorization|authtoken|authkey|bearertoken|cardnumber|clientsecret|cookie|creditcard|credential|csrftoken|encryptionkey|idtoken|mysqlpwd|passphrase|passwd|password|privatekey|pgpass|refreshtoken|secret|sessionid|sessionkey|sessiontoken|signingkey|socialsecurity|xsrftoken/;
const WORDS = /(?:^| )(?:tokens?|auth|pwd|pass|passcode|pin|otp|cvv|cvc|ssn|pan|csrf|xsrf|jwt|bearer|iban)(?: |$)/;
const test = un(RegExp.prototype.test), match = un(RegExp.prototype.exec);
function flatten(name, gap) {
  let out = '';
  for (let i = 0, fresh = false; i < name.length && i < 256; i++) {
    const c = code(name, i), up = c >= 65 && c <= 90, low = c >= 97 && c <= 122, digit = c >= 48 && c <= 57;
    if (!up && !low && !digit && c < 128) { fresh = true; continue; }
    if (i > 0) {
      const b = code(name, i - 1), a = i + 1 < name.length ? code(name, i + 1) : 0;
      if ((up && (!(b >= 65 && b <= 90) || (a >= 97 && a <= 122))) || digit !== (b >= 48 && b <= 57)) fresh = true;
    }
    out += (fresh && out ? gap : '') + (up ? 'abcdefghijklmnopqrstuvwxyz'[c - 65] : name[i]);
    fresh = false;
  }
  return out;
}
const secret = name => test(STEMS, flatten(name, '')) || test(WORDS, flatten(name, ' '));

// ---- the language's operators: see docs/probes.md; w says which part of the expression fails ----
let steps = 0;
function F(r, w) { throw { __proto__: null, r, w }; }
const fault = F;
function step(n, w) { if ((steps -= n) < 0) F('steps', w); }
const isObject = v => (typeof v === 'object' && v !== null) || typeof v === 'function';
function stored(o, k, w) { // where it is, and never what a getter would say
  for (let p = o, i = 0; p !== null && i < 32; i++) {
    if (isProxy(p)) F('unreadable', w);
    const d = gopd(p, k);
    if (d !== undefined) { if (d.get !== undefined || d.set !== undefined) F('unreadable', w); return d; }
    p = getPrototypeOf(p);
  }
}
function itemsOf(v, w, each) { // each(value, key): true ends
  if (!isObject(v)) F('type', w);
  if (isProxy(v)) F('unreadable', w);
  if (isArray(v)) {
    for (let i = 0; i < v.length; i++) { step(4, w); const d = gopd(v, i); if (d && (d.get || d.set)) F('unreadable', w); if (each(d ? d.value : null, i)) return; }
  } else if (isTypedArray(v)) {
    for (let i = 0, n = bufferLength(v); i < n; i++) { step(4, w); if (each(gopd(v, i).value, i)) return; }
  } else if (isMap(v)) {
    for (let it = mapEntries(v), r; !(r = mapNext(it)).done;) { step(4, w); if (typeof r.value[0] === 'string' && secret(r.value[0])) F('redacted', w); if (each(r.value[1], r.value[0])) return; }
  } else if (isSet(v)) {
    let n = 0;
    for (let it = setValues(v), r; !(r = setNext(it)).done;) { step(4, w); if (each(r.value, n++)) return; }
  } else {
    const keys = ownKeys(v);
    for (let i = 0; i < keys.length; i++) {
      step(4, w);
      if (typeof keys[i] !== 'string') continue;
      if (secret(keys[i])) F('redacted', w);
      const d = gopd(v, keys[i]);
      if (d.get || d.set) F('unreadable', w);
      if (each(d.value, keys[i])) return;
    }
  }
}
const nul = v => v === undefined ? null : v, isNumber = v => typeof v === 'number' || typeof v === 'bigint';
const whole = v => typeof v === 'bigint' || (typeof v === 'number' && isInteger(v));
function both(a, b, w) { if (!isNumber(a) || !isNumber(b)) F('type', w); }
function order(a, b, w) { // -1 0 1, or undefined for NaN
  if (!(isNumber(a) && isNumber(b)) && !(typeof a === 'string' && typeof b === 'string')) F('type', w);
  if (typeof a === 'string') step(floor((a.length + b.length) / 64), w);
  return a < b ? -1 : a > b ? 1 : a == b ? 0 : undefined; // eslint-disable-line eqeqeq
}
function arith(a, b, w, big, num) {
  both(a, b, w);
  if (typeof a === 'bigint' && typeof b === 'bigint') { if (a > 1n << 63n || a < -(1n << 63n) || b > 1n << 63n || b < -(1n << 63n)) return num(Number(a), Number(b)); return big(a, b); }
  return num(Number(a), Number(b));
}
function characters(s, w) { step(floor(s.length / 64), w); let n = s.length; for (let i = 0; i + 1 < s.length; i++) if ((code(s, i) & 0xfc00) === 0xd800 && (code(s, i + 1) & 0xfc00) === 0xdc00) n--, i++; return n; }
function typeName(v) {
  const p = getPrototypeOf(v);
  return p === null ? 'Object' : protoName(p);
}
const names = new WeakMap();
function protoName(p) {
  let n = weakGet(names, p);
  if (n === undefined) {
    n = 'Object';
    if (!isProxy(p)) {
      const d = gopd(p, 'constructor'), c = d && d.value;
      if (typeof c === 'function' && !isProxy(c)) { const e = gopd(c, 'name'); if (e && typeof e.value === 'string') n = slice(e.value, 0, 200); }
    }
    weakSet(names, p, n);
  }
  return n;
}
function sizeOf(v, w) {
  if (typeof v === 'string') return characters(v, w);
  if (!isObject(v)) F('type', w);
  if (isProxy(v)) F('unreadable', w);
  return isArray(v) ? v.length : isMap(v) ? mapSize(v) : isSet(v) ? setSize(v) : isTypedArray(v) ? bufferLength(v) : ownKeys(v).length;
}
const absent = e => isObject(e) && !e.aside && (e.r === 'missing' || e.r === 'null' || e.r === 'range' || e.r === 'not_in_scope' || e.r === 'uninitialized');
const Z = { __proto__: null }; // in place of a variable that is not known at this exit
const H = { __proto__: null,
  X: fault,
  v(x, w) { if (x === Z) F('not_in_scope', w); return nul(x); },
  came(s, kind, w) { if (s.k !== kind) F('not_in_scope', w); return nul(s.x); },
  took(s, w) { if (!(s.b > 0)) F('not_in_scope', w); return floor(hr() - s.b); },
  is(e, name) { // it, or what it is built on, is called so
    for (let p = e, i = 0; isObject(p) && !isProxy(p) && i < 32; i++) { p = getPrototypeOf(p); if (p !== null && !isProxy(p) && protoName(p) === name) return true; }
    return false;
  },
  two(best, x, sign, w) { x = nul(x); const o = order(x, nul(best), w); if (o === undefined) F('unsupported', w); return o === sign ? x : best; },
  span(part) { const t = trace(); return t ? t[part] : null; },
  t(v, w) { if (v !== true && v !== false) F('not_bool', w); return v; },
  g(k, w) { const d = gopd(global, k); if (d === undefined) F('not_in_scope', w); if (d.get || d.set) F('unreadable', w); return nul(d.value); },
  f(o, k, soft, w) {
    if (o === null || o === undefined) { if (soft) return null; F('null', w); }
    step(4, w);
    const d = isObject(o) ? stored(o, k, w) : undefined;
    if (d === undefined) { if (soft) return null; F('missing', w); }
    return nul(d.value);
  },
  i(o, k, soft, w) {
    if (isObject(k) || typeof k === 'symbol') F('type', w);
    if (o === null || o === undefined) { if (soft) return null; F('null', w); }
    step(4, w);
    const n = typeof k === 'bigint' ? Number(k) : k;
    if (typeof o === 'string') {
      if (!whole(k)) F('type', w);
      let at = 0, left = n;
      step(floor(o.length / 64), w);
      for (; left > 0 && at < o.length; left--) at += (code(o, at) & 0xfc00) === 0xd800 ? 2 : 1;
      if (n < 0 || at >= o.length) { if (soft) return null; F('range', w); }
      return slice(o, at, at + ((code(o, at) & 0xfc00) === 0xd800 ? 2 : 1));
    }
    if (!isObject(o)) F('type', w);
    if (isProxy(o)) F('unreadable', w);
    if (typeof k === 'string' && secret(k)) F('redacted', w);
    if (isMap(o)) { if (mapHas(o, k)) return nul(mapGet(o, k)); if (soft) return null; F('missing', w); }
    const list = isArray(o) || isTypedArray(o);
    if (isSet(o) || typeof o === 'function') F('type', w);
    if (list && !whole(k)) F('type', w);
    const d = typeof k === 'string' || (typeof k === 'number' && k >= 0) ? stored(o, k, w) : undefined;
    if (d === undefined) { if (soft) return null; F(list ? 'range' : 'missing', w); }
    return nul(d.value);
  },
  eq(a, b, w) { a = nul(a), b = nul(b); step(1, w); return isNumber(a) && isNumber(b) ? a == b : a === b; }, // eslint-disable-line eqeqeq
  ne: (a, b, w) => !H.eq(a, b, w),
  lt: (a, b, w) => order(a, b, w) === -1, le: (a, b, w) => { const o = order(a, b, w); return o === -1 || o === 0; },
  gt: (a, b, w) => order(a, b, w) === 1, ge: (a, b, w) => { const o = order(a, b, w); return o === 1 || o === 0; },
  add(a, b, w) { if (typeof a === 'string' && typeof b === 'string') { if (a.length + b.length > 65536) F('space', w); return a + b; } return arith(a, b, w, (x, y) => x + y, (x, y) => x + y); },
  sub: (a, b, w) => arith(a, b, w, (x, y) => x - y, (x, y) => x - y), mul: (a, b, w) => arith(a, b, w, (x, y) => x * y, (x, y) => x * y),
  div(a, b, w) { both(a, b, w); if (Number(b) === 0) F('zero', w); return Number(a) / Number(b); },
  mod(a, b, w) { both(a, b, w); if (Number(b) === 0) F('zero', w); return arith(a, b, w, (x, y) => x % y, (x, y) => x % y); },
  neg(a, w) { if (!isNumber(a)) F('type', w); return -a; },
  in(a, b, w) {
    if (typeof b === 'string') { if (typeof a !== 'string') F('type', w); step(floor((a.length + b.length) / 64), w); return indexOf(b, a) >= 0; }
    if (!isObject(b)) F('type', w);
    if (isProxy(b)) F('unreadable', w);
    if (isMap(b)) return mapHas(b, a);
    if (isSet(b)) return setHas(b, a);
    if (isArray(b) || isTypedArray(b)) { let yes = false; itemsOf(b, w, v => (yes = H.eq(v, a, w))); return yes; }
    if (typeof a !== 'string') return false;
    if (secret(a)) F('redacted', w);
    return gopd(b, a) !== undefined;
  },
  // Of has(): what is not there is the answer, unless it is missing in a key or in what the path begins with.
  has(path) { try { path(); return true; } catch (e) { if (absent(e)) return false; throw e; } },
  aside(f) { try { return f(); } catch (e) { if (isObject(e)) e.aside = true; throw e; } },
  ih(path, key, w) {
    let o = null, gone = null;
    try { o = path(); } catch (e) { if (!absent(e)) throw e; gone = e; }
    const k = H.aside(key);
    if (isObject(k)) F('type', w);
    if (gone) throw gone;
    return H.i(o, k, 0, w);
  },
  len: sizeOf,
  empty: (v, w) => v === null || v === undefined || sizeOf(v, w) === 0,
  type(v, w) {
    v = nul(v);
    switch (typeof v) {
    case 'boolean': return 'bool'; case 'bigint': return 'int'; case 'number': return isInteger(v) ? 'int' : 'float'; case 'string': return 'str';
    case 'symbol': return 'symbol';
    }
    return v === null ? 'null' : isProxy(v) ? 'Proxy' : typeof v === 'function' ? 'Function' : isTypedArray(v) ? 'bytes' : typeName(v);
  },
  str(v, w) { v = nul(v); if (typeof v === 'string') return v; if (v === null) return 'null'; if (typeof v === 'boolean') return v ? 'true' : 'false'; if (!whole(v)) F('unsupported', w); return typeof v === 'bigint' ? bigText(v) : numberText(v); },
  int(v, w) {
    if (typeof v === 'boolean') return v ? 1 : 0;
    if (typeof v === 'bigint') return v;
    if (typeof v === 'string') {
      if (v.length > 64) F('unsupported', w);
      const digits = /^[ \t\r\n]*(-?[0-9]+)[ \t\r\n]*$/; // without a way back: each character has one place
      const found = match(digits, v);
      if (found === null) F('unsupported', w);
      const big = BigInt(found[1]);
      if (big >= 1n << 63n || big < -(1n << 63n)) F('unsupported', w);
      return isSafeInteger(Number(big)) ? Number(big) : big;
    }
    if (typeof v !== 'number') F('type', w);
    if (!(v >= -(2 ** 63) && v < 2 ** 63)) F('unsupported', w);
    return trunc(v);
  },
  lower(v, w) { if (typeof v !== 'string') F('type', w); if (v.length > 65536) F('space', w); step(floor(v.length / 64), w); let s = ''; for (let i = 0; i < v.length; i++) { const c = code(v, i); s += c >= 65 && c <= 90 ? 'abcdefghijklmnopqrstuvwxyz'[c - 65] : v[i]; } return s; },
  starts(a, b, w) { if (typeof a !== 'string' || typeof b !== 'string') F('type', w); return startsWith(a, b); },
  ends(a, b, w) { if (typeof a !== 'string' || typeof b !== 'string') F('type', w); return endsWith(a, b); },
  contains: (a, b, w) => H.in(b, a, w),
  any(v, f, w) { let yes = false; itemsOf(v, w, (x, k) => (yes = H.t(f(nul(x), k), w))); return yes; },
  all(v, f, w) { let yes = true; itemsOf(v, w, (x, k) => !(yes = H.t(f(nul(x), k), w))); return yes; },
  count(v, f, w) { if (!f) { if (!isObject(v)) F('type', w); return sizeOf(v, w); } let n = 0; itemsOf(v, w, (x, k) => { n += H.t(f(nul(x), k), w) ? 1 : 0; }); return n; },
  filter(v, f, w) { const out = []; itemsOf(v, w, (x, k) => { if (H.t(f(nul(x), k), w)) { if (out.length === ITEMS_MAX) F('space', w); defineProperty(out, out.length, { __proto__: null, value: x, enumerable: true, writable: true, configurable: true }); } }); return out; },
  map(v, f, w) { const out = []; itemsOf(v, w, (x, k) => { if (out.length === ITEMS_MAX) F('space', w); out[out.length] = f(nul(x), k); }); return out; },
  best(v, f, w, sign) { let best = null; itemsOf(v, w, (x, k) => { const y = f ? f(nul(x), k) : nul(x); const o = order(y, best === null ? y : best, w); if (o === undefined) F('unsupported', w); if (best === null || o === sign) best = y; }); return best; },
  min: (v, f, w) => H.best(v, f, w, -1), max: (v, f, w) => H.best(v, f, w, 1),
  keys(v, w) {
    const out = [];
    const put = k => { step(4, w); if (typeof k === 'string' && secret(k)) F('redacted', w); if (out.length === ITEMS_MAX) F('space', w); out[out.length] = k; };
    if (!isObject(v) || isArray(v) || isSet(v) || isTypedArray(v)) F('type', w);
    if (isProxy(v)) F('unreadable', w);
    if (isMap(v)) for (let it = mapEntries(v), r; !(r = mapNext(it)).done;) put(r.value[0]);
    else for (let keys = ownKeys(v), i = 0; i < keys.length; i++) if (typeof keys[i] === 'string') put(keys[i]);
    return out;
  },
  hex(v, w) { if (!whole(v)) F('type', w); const n = v < 0; return (n ? '-0x' : '0x') + (typeof v === 'bigint' ? bigText(n ? -v : v, 16) : numberText(n ? -v : v, 16)); },
  changed(s, i, v, w) { const size = isObject(v) && !isProxy(v) ? sizeOf(v, w) : 0, was = s.before[i]; s.before[i] = { __proto__: null, v, size }; return was !== undefined && (!H.eq(was.v, v, w) || was.size !== size); },
};

// ---- patterns: src/probe/regex_run.c in JavaScript. All states of the automaton move on together, one character at a time; RegExp would search for ways without end ----
H.re = (states, ranges) => {
  const n = states.length / 4, seen = [], a = [], b = [];
  for (let i = 0; i < n; i++) seen[i] = a[i] = b[i] = 0;
  const lead = states[0] === 1 && states[3] === 1 && ranges[states[2] * 2] === ranges[states[2] * 2 + 1] && ranges[states[2] * 2] < 128 ? ranges[states[2] * 2] : -1;
  return { __proto__: null, states, ranges, seen, mark: 0, now: a, next: b, n: 0, work: 0, lead, stack: [] };
};
const character = (s, i) => { // its code point, -1 at the end; half of a pair alone is U+FFFD
  if (i >= s.length) return -1;
  const c = code(s, i);
  if ((c & 0xf800) !== 0xd800) return c;
  const d = i + 1 < s.length ? code(s, i + 1) : 0;
  return c < 0xdc00 && (d & 0xfc00) === 0xdc00 ? (c - 0xd800) * 1024 + d - 0xdc00 + 0x10000 : 0xfffd;
};
const isWord = c => (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 122) || c === 95;
function holds(what, before, after) {
  switch (what) {
  case 0: return before < 0;
  case 1: return after < 0;
  case 2: return before < 0 || before === 10;
  case 3: return after < 0 || after === 10;
  case 4: return isWord(before) !== isWord(after);
  default: return isWord(before) === isWord(after);
  }
}
function follow(re, first, before, after) { // true: the end is among what follows
  const { states, seen, stack: todo, mark } = re;
  let depth = 0;
  if (seen[first] !== mark) { seen[first] = mark; todo[depth++] = first; }
  while (depth) {
    const n = todo[--depth], at = n * 4;
    let to = -1, or = -1;
    re.work++;
    switch (states[at]) {
    case 0: return true;
    case 1: re.next[re.n++] = n; break;
    case 2: to = states[at + 2]; or = states[at + 3]; break;
    case 3: to = states[at + 2]; break;
    default: if (holds(states[at + 1], before, after)) to = n + 1;
    }
    if (to >= 0 && seen[to] !== mark) { seen[to] = mark; todo[depth++] = to; }
    if (or >= 0 && seen[or] !== mark) { seen[or] = mark; todo[depth++] = or; }
  }
  return false;
}
function inSet(re, n, c) {
  const from = re.states[n * 4 + 2];
  let low = 0, high = re.states[n * 4 + 3];
  while (low < high) {
    const mid = (low + high) >> 1, at = (from + mid) * 2;
    if (c < re.ranges[at]) high = mid;
    else if (c > re.ranges[at + 1]) low = mid + 1;
    else return true;
  }
  return false;
}
H.m = (re, s, w) => {
  if (typeof s !== 'string') F('type', w);
  const anchored = re.states[0] === 4 && re.states[1] === 0, lead = re.lead >= 0 ? charText(re.lead) : '';
  let at = 0, before = -1, c = character(s, 0);
  re.n = re.work = 0;
  re.mark++;
  for (;;) {
    if (lead && re.n === 0 && c !== re.lead && c >= 0) { // nothing begins before it
      const found = indexOf(s, lead, at);
      step(floor(((found < 0 ? s.length : found) - at) / 64), w);
      if (found < 0) return false;
      at = found;
      c = re.lead;
      if (at > 0) before = character(s, at - 1);
    }
    if ((before < 0 || !anchored) && follow(re, 0, before, c)) return true;
    if (c < 0 || (anchored && re.n === 0)) return false;
    re.work += 4;
    if (re.work >= 8) { step(floor(re.work / 8), w); re.work %= 8; }
    at += c > 0xffff ? 2 : 1;
    const after = character(s, at), n = re.n, now = re.next;
    re.next = re.now; re.now = now;
    re.n = 0;
    re.mark++;
    for (let i = 0; i < n; i++) if (inSet(re, now[i], c) && follow(re, now[i] + 1, c, after)) return true;
    re.work += n;
    before = c; c = after;
  }
};

// ---- values ----
let out = '', limits, seen, serial = 0, values = 0, deadline = 0, hard = 0, cpu0 = 0, cutTime = false;
const put = s => { out += s; };
function why(r, type, n) { put('{"k":"missing","why":"' + r + '"' + (type ? ',"t":' + stringify(type) : '') + (n >= 0 ? ',"n":' + n : '') + '}'); }
function textOf(kind, s) { const cut = s.length > limits.string; put('{"k":"' + kind + '","v":' + stringify(cut ? slice(s, 0, limits.string) : s) + (cut ? ',"n":' + s.length : '') + '}'); }
function data(o, k, depth) { const d = gopd(o, k); if (d === undefined) why('uninitialized'); else if (d.get || d.set) why('unreadable', 'accessor'); else value(d.value, depth); }
function late() { return cutTime || (cutTime = ((++values & 31) === 0 && hr() > deadline && spentAll()) || out.length > limits.bytes * 2); }
function spentAll() { // or the machine had others run meanwhile
  const now = hr(), left = SOFT_NS - (cpu() - cpu0);
  if (left <= 0 || now > hard) return true;
  deadline = now + left;
  return false;
}
function value(v, depth) {
  switch (typeof v) {
  case 'number': return put(isSafeInteger(v) && !(v === 0 && 1 / v < 0) ? '{"k":"int","v":' + v + '}' : v === v && v !== Infinity && v !== -Infinity ? '{"k":"float","v":"' + v + '"}' : '{"k":"float","v":"' + v + '"}');
  case 'string': return textOf('str', v);
  case 'boolean': return put(v ? '{"k":"bool","v":true}' : '{"k":"bool","v":false}');
  case 'undefined': return put('{"k":"null","t":"undefined"}');
  case 'bigint': return put(v >= -(1n << 200n) && v <= 1n << 200n ? '{"k":"int","t":"bigint","v":"' + bigText(v) + '"}' : '{"k":"missing","why":"bytes","t":"bigint"}');
  case 'symbol': { const s = symbolText(v); return put('{"k":"str","t":"symbol","v":' + stringify(s === undefined ? '' : slice(s, 0, limits.string)) + '}'); }
  }
  if (v === null) return put('{"k":"null"}');
  if (v === Z) return why('not_in_scope');
  if (isProxy(v)) return why('unreadable', 'Proxy');
  if (typeof v === 'function') { const d = gopd(v, 'name'); return put('{"k":"func","v":' + stringify(d && typeof d.value === 'string' ? slice(d.value, 0, 200) : '') + '}'); }
  if (v === global) return why('unsupported', 'globalThis');
  if (late()) return why('time');
  const proto = getPrototypeOf(v), type = proto === null ? 'Object' : protoName(proto);
  let id = mapGet(seen, v);
  const again = id !== undefined;
  if (!again) mapPut(seen, v, id = ++serial);
  const list = isArray(v), map = !list && isMap(v), set = !list && !map && isSet(v);
  const head = (kind, n) => '{"k":"' + kind + '"' + (type === 'Object' || type === 'Array' ? '' : ',"t":' + stringify(type)) + ',"o":' + id + (n >= 0 ? ',"n":' + n : '');
  if (isDate(v)) { const t = getTime(v); return put('{"k":"str","t":' + stringify(type) + ',"v":' + (t === t ? stringify(isoText(v)) : '"Invalid Date"') + '}'); }
  if (!list && isTypedArray(v)) return typed(v, type);
  if (again || depth <= 0) return put(head(list ? 'list' : map ? 'dict' : set ? 'set' : 'object', list ? v.length : map ? mapSize(v) : set ? setSize(v) : -1) + (again ? '}' : ',"d":1}'));
  const most = limits.items;
  if (list) {
    put(head('list', v.length) + ',"i":[');
    for (let i = 0; i < v.length && i < most && !late(); i++) { if (i) put(','); data(v, i, depth - 1); }
    return put(']}');
  }
  if (map) {
    put(head('dict', mapSize(v)) + ',"e":[');
    for (let it = mapEntries(v), i = 0, r; i < most && !late() && !(r = mapNext(it)).done; i++) { put(i ? ',[' : '['); value(r.value[0], depth - 1); put(','); value(r.value[1], depth - 1); put(']'); }
    return put(']}');
  }
  if (set) {
    put(head('set', setSize(v)) + ',"i":[');
    for (let it = setValues(v), i = 0, r; i < most && !late() && !(r = setNext(it)).done; i++) { if (i) put(','); value(r.value, depth - 1); }
    return put(']}');
  }
  const keys = ownKeys(v);
  put(head('object', keys.length) + ',"f":[');
  for (let i = 0; i < keys.length && i < most && !late(); i++) {
    const k = keys[i], name = typeof k === 'string' ? k : '[' + (symbolText(k) || '') + ']';
    put((i ? ',[' : '[') + stringify(name.length > 256 ? slice(name, 0, 256) : name) + ',');
    data(v, k, depth - 1);
    put(']');
  }
  put(']}');
}
function typed(v, type) {
  const n = bufferLength(v), most = limits.items;
  put('{"k":"list","t":' + stringify(type) + ',"n":' + n + ',"i":[');
  for (let i = 0; i < n && i < most; i++) { if (i) put(','); value(gopd(v, i).value, 0); }
  put(']}');
}
const mapPut = un(Map.prototype.set);

// ---- stack and trace ----
let sites = [];
Error.prepareStackTrace = (e, s) => { sites = s; return ''; };
const site = (s, k) => { const m = getPrototypeOf(s)[k]; return apply(m, s, []); };
function stack(most) {
  Error.stackTraceLimit = most + 6;
  sites = [];
  new Error().stack; // eslint-disable-line no-unused-expressions
  let n = 0;
  for (let i = 0; i < sites.length && n < most; i++) {
    const file = site(sites[i], 'getScriptNameOrSourceURL'), name = site(sites[i], 'getFunctionName');
    if (typeof file === 'string' ? startsWith(file, 'clew:') : n === 0 && inside > 0) continue; // ours, or a breakpoint's condition
    put((n++ ? ',[' : '[') + stringify(typeof name === 'string' ? slice(name, 0, 300) : '') + ',' + stringify(typeof file === 'string' ? slice(file, 0, 1000) : '') + ',' + (site(sites[i], 'getLineNumber') || 0) + ',' + (site(sites[i], 'getColumnNumber') || 0) + ']');
  }
  sites = [];
}
// Of an exception that nobody has caught, its own text says where it came from. Read only where nothing of the program would make that text.
const PREPARE = /^function ErrorPrepareStackTrace\(error, trace\) \{\s+return internalPrepareStackTrace\(error, trace\);\s+\}$/, FRAME = /^ +at (?:(.*) \()?(.*?):([0-9]+):([0-9]+)\)?$/, sourceOf = un(Function.prototype.toString);
const stackGetter = gopd(new Error(), 'stack').get && (() => { try { fstatSync('x'); } catch (e) { const d = gopd(e, 'stack'); return d && d.get; } })();
function stackText(e) {
  if (!isObject(e) || isProxy(e)) return '';
  for (let i = 0, names = ['name', 'message']; i < 2; i++) for (let p = e, n = 0; p !== null && n < 32; n++) {
    if (isProxy(p)) return '';
    const d = gopd(p, names[i]);
    if (d && (d.get || d.set)) return '';
    p = getPrototypeOf(p);
  }
  const prepare = gopd(own(global, 'Error') || {}, 'prepareStackTrace');
  if (prepare && prepare.value !== undefined && !(typeof prepare.value === 'function' && !isProxy(prepare.value) && test(PREPARE, sourceOf(prepare.value)))) return '';
  const d = gopd(e, 'stack'), text = d && d.get && d.get === stackGetter ? apply(d.get, e, []) : d && d.value;
  return typeof text === 'string' ? slice(text, 0, 65536) : '';
}
function stackOf(e, most) {
  const text = stackText(e);
  for (let at = 0, n = 0; n < most && at < text.length;) {
    let end = indexOf(text, '\n', at);
    if (end < 0) end = text.length;
    const f = end - at < 2000 ? match(FRAME, slice(text, at, end)) : null;
    if (f && !startsWith(f[2], 'node:')) put((n++ ? ',[' : '[') + stringify(f[1] === undefined ? '' : slice(f[1], 0, 300)) + ',' + stringify(f[2]) + ',' + f[3] + ',' + f[4] + ']');
    at = end + 1;
  }
}
// The span that is active, by own fields alone; getStore is Node's. OpenTelemetry's context manager has it, and that of Sentry's SDK up to version 10 (which puts
// spans of its own into it); from 11 on Sentry's client has a storage of its own, of scopes.
const OTEL = symbolFor('opentelemetry.js.api.1'), SPAN = symbolFor('OpenTelemetry Context Key SPAN'), deref = WeakRef.prototype.deref;
const own = (o, k) => { if (!isObject(o) || isProxy(o)) return undefined; const d = gopd(o, k); return d && !d.get && !d.set ? d.value : undefined; };
const storeOf = als => isObject(als) && !isProxy(als) && getPrototypeOf(als) === storage ? apply(getStore, als, []) : undefined;
const ids = (id, part) => typeof id === 'string' && test(/^[0-9a-f]{32}$/, id) && typeof part === 'string' && test(/^[0-9a-f]{16}$/, part) ? { __proto__: null, id, part } : undefined;
const idsOf = span => { const context = own(span, '_spanContext'); return context !== undefined ? ids(own(context, 'traceId'), own(context, 'spanId')) : ids(own(span, '_traceId'), own(span, '_spanId')); };
function otelSpan() {
  const held = own(storeOf(own(own(own(global, OTEL), 'context'), '_asyncLocalStorage')), '_currentContext');
  if (!isObject(held) || isProxy(held) || !isMap(held)) return undefined;
  return idsOf(mapGet(held, SPAN));
}
function sentrySpan() {
  const all = own(global, '__SENTRY__'), version = own(all, 'version');
  if (typeof version !== 'string') return undefined;
  const client = own(own(own(all, version), 'defaultCurrentScope'), '_client');
  const scope = own(storeOf(own(own(client, 'asyncLocalStorageLookup'), 'asyncLocalStorage')), 'scope');
  let span = own(own(scope, 'refs'), 'span');
  if (!isObject(span) || isProxy(span)) return undefined;
  try { span = apply(deref, span, []); } catch (e) { /* the span itself: where there are no weak references */ }
  return idsOf(span);
}
const trace = () => otelSpan() || sentrySpan();

// Sentry's SDKs keep what they are in one global object, from the moment that they are loaded (its older ones, too).
const reported = () => isObject(own(global, '__SENTRY__'));

// ---- the pipe ----
let fd = -1, inode, opened = 0, torn = false, thread = 0, threadName = 'main'; // its number is the agent's
const slots = { __proto__: null }, cost = { due: 0 }, base = hrtime(), hr = () => Number(hrtime() - base);
// ns that the process has computed. Time in which a busy machine lets others run is not what a probe costs: it is asked where a hit took oddly long.
const cpu = () => { const u = apply(cpuUsage, undefined, []); return (own(u, 'user') + own(u, 'system')) * 1e3; };
const costOf = (s, wall) => { if (wall < ODD_NS) return wall; const used = cpu() - s.c0; return used < wall ? used : wall; };
function die() { // the agent is gone: nothing more happens until another one comes
  for (const i in slots) { C['p' + i] = 0; forget(slots[i]); delete slots[i]; }
  watch();
  if (fd >= 0) try { if (own(fstatSync(fd, OPTIONS), 'ino') === inode) closeSync(fd); } catch (e) { /* it was not ours any more */ }
  fd = -1;
}
const OPTIONS = { __proto__: null, bigint: false };
// A timer that no program has touched, and that keeps no process alive.
const LOOKS = 1500, SOON = 12, SOON_MS = 5, LATER_MS = 20, waitAsync = Atomics.waitAsync, then = un(Promise.prototype.then), never = new Int32Array(new SharedArrayBuffer(4));
const later = (f, ms) => { then(waitAsync(never, 0, 0, ms).value, f); };
let shutting = 0;
// An order may come in the midst of it, by which another agent has its pipe here: what befell the one before says nothing of that.
function send(s) {
  if (fd < 0) return false;
  const turn = opened;
  try {
    if (own(fstatSync(fd, OPTIONS), 'ino') !== inode) { if (turn === opened) { fd = -1; die(); } return false; }
    if (torn) { writeSync(fd, '\n', null, 'utf8'); torn = false; }
    for (let at = 0; at < s.length;) {
      let end = at + CHUNK;
      if (end < s.length && (code(s, end) & 0xfc00) === 0xdc00) end--;
      if (turn !== opened) return false;
      writeSync(fd, slice(s, at, end), null, 'utf8'); // at most PIPE_BUF bytes: all of it or nothing
      torn = true;
      at = end;
    }
    torn = turn !== opened;
    return !torn;
  } catch (e) {
    // One without a code says nothing of the pipe: the program's stack has no more room.
    const what = own(e, 'code');
    if (typeof what === 'string' && what !== 'EAGAIN' && turn === opened) die();
    return false;
  }
}
function counts(s) {
  return '"hits":' + s.hits + ',"filtered":' + s.filtered + ',"captured":' + s.captured + ',"errors":' + s.errors + ',"ns":' + floor(s.ns) + ',"state":' + s.state +
    ',"dropped":[' + s.rate + ',' + s.ring + ',' + s.budget + ',' + s.grant + ']' + (s.error ? ',"error":' + s.error : '');
}
function tell(s, now) { s.told = now; s.said = s.hits; send('{"s":' + s.slot + ',"r":' + s.revision + ',"t":' + thread + ',' + counts(s) + '}\n'); }

// ---- hits ----
function passes(s, id) { // the same answer for all hits of a trace everywhere
  if (s.sample >= U32) return true;
  let h = s.hits;
  if (id) { h = 0; for (let w = 2; w < 4; w++) { let x = 0; for (let i = w * 8; i < w * 8 + 8; i++) { const c = code(id, i); x = (x << 4) | (c < 58 ? c - 48 : c - 87); } h ^= x; } }
  return (fmix(id ? h : fmix(h)) >>> 0) < s.sample;
}
function fmix(h) { h ^= h >>> 16; h = imul(h, 0x85ebca6b); h ^= h >>> 13; h = imul(h, 0xc2b2ae35); return h ^ (h >>> 16); }
function over(s, now) { // its budget is breached
  s.state = ++s.breaches >= 3 ? 3 : 2;
  const resume = s.resume = now + (s.breaches === 1 ? 1e10 : 6e10);
  let skip = 0, every = 1, last = now;
  C['p' + s.slot] = s.state === 3 ? 0 : () => {
    s.hits++;
    if (++skip < every) return;
    skip = 0;
    const t = hr();
    every = t - last < 1e6 ? (every < 65536 ? every * 2 : every) : every > 1 ? every / 2 : 1;
    last = t;
    if (t >= resume) { s.state = 1; s.due = 0; C['p' + s.slot] = s.hit; tell(s, t); }
    else if (s.counting && t - s.told > TELL_NS) tell(s, t);
  };
  tell(s, now);
}
function charge(s, spent, now) {
  s.ns += spent;
  s.due = (s.due > now ? s.due : now) + spent * SHARE;
  cost.due = (cost.due > now ? cost.due : now) + spent * SHARE;
  if (s.due - now > BURST_NS * SHARE || cost.due - now > 2 * BURST_NS * SHARE) over(s, now);
}
H.tick = s => { s.c0 = cpu(); s.t0 = hr(); const gap = s.t0 - s.last; s.last = s.t0; s.times = s.every; s.every = gap < 1e6 ? (s.every < 1024 ? s.every * 2 : s.every) : s.every > 1 ? s.every / 2 : 1; s.skip = s.every - 1; };
H.done = s => { const t = hr(), spent = costOf(s, t - s.t0) + (s.places ? ENGINE_NS : 0); s.t0 = 0; charge(s, spent * s.times, t); s.times = 1; if (t - s.told > TELL_NS) tell(s, t); };
H.start = () => { steps = STEPS; };
function note(s, e, which) { s.errors++; if (!s.error) s.error = '{"e":' + which + ',"r":' + stringify(e && typeof e.r === 'string' ? e.r : 'code') + ',"w":' + (e && typeof e.w === 'number' ? e.w : 0) + '}'; }
H.fault = (s, e) => { note(s, e, -1); s.filtered++; };
H.take = (s, args, all) => {
  if (!s.t0) s.c0 = cpu();
  const began = s.t0 || hr();
  s.t0 = began;
  s.times = 1;
  try { taken(s, args, all, began); } catch (e) { note(s, e, -2); }
  H.done(s);
};
function taken(s, args, all, began) {
  const number = ++s.passed, n = s.hitN;
  if (s.hitOp === 1 ? number !== n : s.hitOp === 2 ? number < n : s.hitOp === 3 ? number % n !== 0 : false) { s.filtered++; return; }
  const span = trace();
  if (!passes(s, span && span.id)) { s.filtered++; return; }
  if (s.interval > 0) {
    const due = s.bucket > began - s.burst ? s.bucket : began - s.burst;
    if (due > began) { s.rate++; return; }
    s.bucket = due + s.interval;
  }
  if (s.granted <= 0) { s.grant++; return; }
  limits = s, seen = new Map(), serial = 0, values = 0, cutTime = false, deadline = began + SOFT_NS, hard = began + HARD_NS, cpu0 = s.c0;
  out = '{"s":' + s.slot + ',"r":' + s.revision + ',"t":' + thread + ',"at":' + date();
  if (span) put(',"trace":"' + span.id + '","span":"' + span.part + '"');
  put(',"f":[');
  if (s.uncaught) stackOf(s.x, s.frames); else stack(s.frames);
  put(']');
  if (s.event) {
    if (s.b > 0) put(',"dur":' + floor(began - s.b));
    if (s.k === 1) { put(',"ret":'); value(s.x, s.depth); }
    if (s.k === 2) {
      const e = s.x, message = isObject(e) && !isProxy(e) ? own(e, 'message') : e;
      put(',"exc":{"t":' + stringify(isObject(e) ? isProxy(e) ? 'Proxy' : typeName(e) : typeof e) + ',"m":' + stringify(typeof message === 'string' ? slice(message, 0, 1000) : '') + ',"v":');
      value(e, s.depth);
      put('}');
      if (reported()) put(',"sentry":1');
    }
  }
  if (all) {
    put(',"x":[');
    const made = apply(all, undefined, args);
    for (let i = 0; i < made.length; i++) {
      if (i) put(',');
      try { steps = STEPS; const v = made[i](); value(v, s.depth); } catch (e) { note(s, e, i); put('{"k":"fault","r":' + stringify(typeof e.r === 'string' ? e.r : 'code') + ',"w":' + (e.w || 0) + '}'); }
    }
    put(']');
  }
  if (s.vars) {
    put(',"v":[');
    for (let i = 0, n = 0; i < s.names.length; i++) if (s.names[i] && args[i] !== Z) { put((n++ ? ',[' : '[') + s.names[i] + ','); value(args[i], s.depth); put(']'); }
    put(']');
  }
  const spent = hr() - began;
  s.captured++; s.granted--;
  put(',"cost":' + floor(spent) + ',' + counts(s) + '}\n');
  const whole = out;
  out = '', seen = undefined;
  if (!send(whole)) { s.captured--; s.granted++; s.ring++; } else s.told = hr();
}

// ---- hits that are counted: a table as src/probe/series.h has it, in memory of its own that the agent reads from outside. It finds it by the marks in
// front of it, one in each 16 bytes of more than a page. V8 never moves it. ----
const MARKS = 4112, HASHES = MARKS + 24, SERIES = MARKS + 536, SIZE = 744, SERIES_MAX = 64, KEY = 256, TEXT = 96, PARTS = { __proto__: null, null: 0, bool: 1, int: 2, float: 3, text: 4 };
const BOUNDS = [];
for (let i = -6, k = 0; i < 12; i++) for (let d = 1; d < 6; d += d === 2 ? 3 : 1) BOUNDS[k++] = +(d + 'e' + i);
const number8 = new Float64Array(1), bytes8 = new Uint8Array(number8.buffer), whole8 = new BigInt64Array(number8.buffer), key = new Uint8Array(KEY);
let keyLen = 0;
function tableOf(s) {
  const memory = new ArrayBuffer(SERIES + (SERIES_MAX + 1) * SIZE), t = { __proto__: null, b: new Uint8Array(memory), u: new Uint32Array(memory), f: new Float64Array(memory), n: 0 };
  const start = date() * 1e6;
  for (let i = 0; i < MARKS / 16; i++) { t.u[i * 4] = s.mark[0]; t.u[i * 4 + 1] = s.mark[1]; t.u[i * 4 + 2] = i; t.u[i * 4 + 3] = ~i; }
  t.u[MARKS / 4 + 2] = start % U32; t.u[MARKS / 4 + 3] = floor(start / U32);
  t.u[MARKS / 4] = s.owner[0]; t.u[MARKS / 4 + 1] = s.owner[1];
  return t;
}
const rise = (u, at) => { if (++u[at] === 0) u[at + 1]++; }; // 64 bits
function text8(v, room) { // UTF-8, whole characters
  let n = 0;
  for (let i = 0; i < v.length; i++) {
    let c = character(v, i);
    if (c > 0xffff) i++;
    const size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n + size > room) break;
    if (size === 1) { key[keyLen + 2 + n++] = c; continue; }
    for (let k = size - 1; k > 0; k--) { key[keyLen + 2 + n + k] = 0x80 | (c & 63); c >>= 6; }
    key[keyLen + 2 + n] = (size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0) | c;
    n += size;
  }
  return n;
}
function part(v, later) { // of a series' name; those that are still to come keep their room
  let kind = PARTS.float, n = 8;
  if (v === null || v === undefined) kind = PARTS.null, n = 0;
  else if (v === true || v === false) kind = PARTS.bool, n = 1, bytes8[0] = v ? 1 : 0;
  else if (typeof v === 'bigint' && v < 1n << 63n && v >= -(1n << 63n)) kind = PARTS.int, whole8[0] = v;
  else if (typeof v === 'number' && isSafeInteger(v)) kind = PARTS.int, whole8[0] = BigInt(v);
  else if (isNumber(v)) number8[0] = Number(v);
  else if (typeof v === 'string') { const left = KEY - keyLen - later * 10 - 2; kind = PARTS.text; n = text8(v, left < TEXT ? left : TEXT); }
  else F('type', 0);
  if (keyLen + 2 + n > KEY) return;
  key[keyLen] = kind; key[keyLen + 1] = n;
  if (kind !== PARTS.text) for (let i = 0; i < n; i++) key[keyLen + 2 + i] = bytes8[i];
  keyLen += 2 + n;
}
function seriesOf(t) { // where it begins
  let h = 0x811c9dc5;
  for (let i = 0; i < keyLen; i++) h = imul(h ^ key[i], 0x01000193);
  h >>>= 0;
  for (let k = 0; k < t.n; k++) {
    const at = SERIES + k * SIZE;
    if (t.u[HASHES / 4 + k * 2] !== h || t.u[at / 4 + 1] !== keyLen) continue;
    let i = 0;
    while (i < keyLen && t.b[at + 488 + i] === key[i]) i++;
    if (i === keyLen) return at;
  }
  if (t.n === SERIES_MAX) return SERIES + SERIES_MAX * SIZE;
  const at = SERIES + t.n * SIZE;
  for (let i = 0; i < keyLen; i++) t.b[at + 488 + i] = key[i];
  t.u[at / 4 + 1] = keyLen;
  t.u[HASHES / 4 + t.n * 2] = h;
  t.u[MARKS / 4 + 4] = ++t.n;
  return at;
}
function add(t, v, buckets) {
  const at = seriesOf(t), u = at / 4, f = at / 8, first = t.u[u + 2] === 0 && t.u[u + 3] === 0;
  t.u[u]++; // odd: it is being written
  if (first || v < t.f[f + 3]) t.f[f + 3] = v;
  if (first || v > t.f[f + 4]) t.f[f + 4] = v;
  rise(t.u, u + 2);
  t.f[f + 2] += v;
  t.f[f + 5] = v;
  if (buckets) {
    let low = 0, high = BOUNDS.length;
    while (low < high) { const mid = (low + high) >> 1; if (v <= BOUNDS[mid]) high = mid; else low = mid + 1; }
    rise(t.u, u + 12 + low * 2);
  }
  t.u[u]++;
}
function counted(s, args, all) {
  const number = ++s.passed, n = s.hitN;
  if (s.hitOp === 1 ? number !== n : s.hitOp === 2 ? number < n : s.hitOp === 3 ? number % n !== 0 : false) { s.filtered++; return; }
  if (s.sample < U32) { const span = trace(); if (!passes(s, span && span.id)) { s.filtered++; return; } }
  const made = all ? apply(all, undefined, args) : [];
  let v = 0, i = 0;
  keyLen = 0;
  try {
    for (; i < made.length; i++) {
      steps = STEPS;
      const x = made[i]();
      if (i < s.by) { part(x, s.by - 1 - i); continue; }
      if (!isNumber(x)) F('number', 0);
      v = Number(x);
    }
    if (s.timed) { if (!(s.b > 0)) F('begun', 0); v = (hr() - s.b) / 1e9; }
    if (!(v - v === 0)) F('finite', 0);
    if (s.rising && v < 0) F('rising', 0);
  } catch (e) { note(s, e, i); return; }
  add(s.table, v, s.buckets);
  s.captured++;
}
H.tally = (s, args, all) => {
  try { counted(s, args, all); } catch (e) { note(s, e, -2); }
  if (s.t0) H.done(s);
};

// ---- forecasts: hits are counted, and that is all. How many there were is told also when none follow ----
const TALLY_MS = 100;
let tallying = false;
function tallies() {
  let any = false;
  for (const i in slots) if (slots[i].counting) { any = true; if (slots[i].said !== slots[i].hits) tell(slots[i], hr()); }
  if (any) later(tallies, TALLY_MS); else tallying = false;
}

// ---- breakpoints, for functions that V8 takes no change of. A session in this process has them; their conditions call the probe and are false, so that
// nothing ever stops: neither there nor, as all its pauses are skipped, at a `debugger` of the program's. Without that one who is connected from outside
// would be waited for. V8 compiles a condition at each hit: some 30 to 100 us. A breakpoint may be taken away while its condition runs; debugging must not
// be switched off then, V8 would crash. ----
const ENGINE_NS = 8e4, PULSE_MS = 500, stops = { __proto__: null };
let session, debugging = false, pulsing = false, inside = 0;
function ask(method, params) { let answer; apply(post, session, [method, params, (e, r) => { answer = e ? undefined : r; }]); return answer; }
function debug() {
  if (debugging) return true;
  if (!session) {
    const made = construct(Session, []);
    defineProperty(made, 'emit', data_(() => true)); // what V8 tells of scripts goes to nobody
    apply(connect, made, []);
    session = made;
  }
  debugging = ask('Debugger.enable') !== undefined;
  if (debugging && ask('Debugger.setSkipAllPauses', { __proto__: null, skip: true }) === undefined) { ask('Debugger.disable'); debugging = false; }
  return debugging;
}
function renew(key) { // the breakpoint at a place, with the calls that are due there
  const stop = stops[key];
  let condition = '', actual;
  for (const i in stop.calls) condition += stop.calls[i];
  if (stop.id) ask('Debugger.removeBreakpoint', { __proto__: null, breakpointId: stop.id });
  stop.id = undefined;
  if (!condition) { delete stops[key]; return undefined; }
  const r = ask('Debugger.setBreakpoint', { __proto__: null, location: { __proto__: null, scriptId: stop.script, lineNumber: stop.line, columnNumber: stop.column }, condition: condition + 'false' });
  stop.id = own(r, 'breakpointId');
  actual = own(r, 'actualLocation');
  return stop.id ? [own(actual, 'lineNumber'), own(actual, 'columnNumber')] : undefined;
}
function lift(s) { for (const key in s.places) if (stops[key] && stops[key].calls[s.slot]) { delete stops[key].calls[s.slot]; renew(key); } }
function stand(s, key) {
  const p = s.places[key];
  if (!stops[key]) stops[key] = { __proto__: null, script: p.script, line: p.line, column: p.column, id: undefined, calls: { __proto__: null } };
  stops[key].calls[s.slot] = p.call;
  const at = debug() ? renew(key) : undefined;
  if (!at && stops[key]) { delete stops[key].calls[s.slot]; renew(key); }
  return at;
}
function forget(s, script) { // all of its breakpoints, or those in a script
  if (!s.places) return;
  lift(s);
  let left = 0;
  for (const key in s.places) if (script === undefined || s.places[key].script === script) delete s.places[key]; else left++;
  if (left) { if (s.state === 1) for (const key in s.places) stand(s, key); return; }
  s.places = undefined;
  delete C['b' + s.slot];
}
function stopAt(s, [slot, script, line, column, names, endLine, endColumn]) {
  if (!s) return null;
  const key = script + ':' + line + ':' + column, call = 'try{__clew.b' + slot + '&&__clew.b' + slot + '(' + names + ')}catch{};';
  if (!s.places) s.places = { __proto__: null };
  s.places[key] = { __proto__: null, script, line, column, call };
  C['b' + slot] = (...args) => {
    const hit = C['p' + slot];
    inside++;
    try {
      s.skip = 0; s.every = 1; // each one is charged
      if (hit) apply(hit, undefined, args);
      const t = hr();
      if (t - s.told > TELL_NS) tell(s, t); // whether somebody listens still
      if (s.places && (!C['p' + slot] || s.state !== 1)) lift(s);
    } finally { inside--; }
  };
  if (!pulsing) { pulsing = true; later(pulse, PULSE_MS); }
  if (s.state !== 1) return [line, column]; // it stands there once it may
  const at = stand(s, key), good = at && (at[0] < endLine || (at[0] === endLine && at[1] <= endColumn));
  if (!good) { lift(s); delete s.places[key]; for (const k in s.places) stand(s, k); return null; }
  return at;
}
// Brings back what was suspended, notices that the agent is gone, and ends the debugging when nothing is left of it.
function pulse() {
  let any = false;
  if (!inside) {
    for (const i in slots) {
      const s = slots[i], t = hr();
      if (!s || !s.places) continue;
      if (s.state === 2 && t >= s.resume) {
        s.state = 1; s.due = 0; C['p' + i] = s.hit;
        for (const key in s.places) stand(s, key);
        tell(s, t);
      } else if (t - s.told > TELL_NS) tell(s, t);
    }
    for (const key in stops) any = any || stops[key].id !== undefined;
    if (debugging && !any) { ask('Debugger.disable'); debugging = false; }
  }
  any = debugging;
  for (const i in slots) any = any || slots[i].places !== undefined;
  if (any) later(pulse, PULSE_MS); else pulsing = false;
}

// ---- exceptions that nobody catches: the event that Node has for those who only look on. Its list is data, and is changed as such ----
const MONITOR = 'uncaughtExceptionMonitor', data_ = value => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });
const onUncaught = e => { for (const i in slots) if (slots[i].uncaught && C['p' + i]) try { C['p' + i](2, e, 0); } catch (x) { /* not ours to say */ } };
const SINK = { __proto__: null, set v(x) { /* the probe is gone */ } };
function monitor(on) {
  const events = own(N.process, '_events'), count = own(N.process, '_eventsCount');
  if (!isObject(events) || isProxy(events) || typeof count !== 'number') return false;
  const now = own(events, MONITOR), list = isArray(now) && !isProxy(now);
  let at = now === onUncaught ? 0 : -1;
  for (let i = 0; list && i < now.length; i++) if (own(now, i) === onUncaught) at = i;
  if (on === (at >= 0)) return true;
  if (on && now === undefined) { defineProperty(events, MONITOR, data_(onUncaught)); defineProperty(N.process, '_eventsCount', data_(count + 1)); }
  else if (on && list) defineProperty(now, now.length, data_(onUncaught));
  else if (on) defineProperty(events, MONITOR, data_([now, onUncaught]));
  else if (!list) { delete events[MONITOR]; defineProperty(N.process, '_eventsCount', data_(count - 1)); }
  else {
    for (let i = at; i + 1 < now.length; i++) defineProperty(now, i, data_(own(now, i + 1)));
    now.length--;
    if (now.length === 1) defineProperty(events, MONITOR, data_(own(now, 0)));
  }
  return true;
}
function watch() {
  let any = false;
  for (const i in slots) any = any || slots[i].uncaught;
  return monitor(any);
}

// ---- orders, through the inspector ----
const C = { __proto__: null,
  order(json) {
    const o = parse(json);
    if (o.open) {
      die();
      const made = openSync(o.open, 2049, 0), found = own(fstatSync(made, OPTIONS), 'ino'); // O_WRONLY | O_NONBLOCK
      if (o.inode && found !== +o.inode) { closeSync(made); throw { __proto__: null, r: 'pipe' }; } // by a number of the main thread's, which may be another file's by now
      fd = made, inode = found, torn = false, thread = o.thread, threadName = o.name;
      opened++;
    }
    for (let i = 0; o.drop && i < o.drop.length; i++) { const k = o.drop[i]; C['p' + k] = 0; if (slots[k]) forget(slots[k]); delete slots[k]; }
    for (let i = 0; o.set && i < o.set.length; i++) {
      const s = o.set[i];
      s.hits = s.filtered = s.captured = s.errors = s.ns = s.rate = s.ring = s.budget = s.grant = s.breaches = s.due = s.passed = s.c0 = s.t0 = s.skip = s.last = s.told = s.said = 0;
      s.every = s.times = s.state = 1; s.bucket = -1e18; s.before = []; s.error = ''; s.thread = threadName;
      if (s.mark) s.table = tableOf(s);
      const made = compile(s.code, ['H', 's'], { __proto__: null, parsingContext: N.context, filename: 'clew:probe', lineOffset: 0, columnOffset: 0, cachedData: undefined, produceCachedData: false, contextExtensions: undefined, importModuleDynamically: undefined })(H, s);
      s.hit = made[0]; s.all = made[1];
      slots[s.slot] = s;
      C['p' + s.slot] = s.hit;
      if (s.counting && !tallying) { tallying = true; later(tallies, TALLY_MS); }
    }
    for (const i in slots) if (o.clear !== undefined) forget(slots[i], o.clear);
    watch();
    if (o.edited !== undefined) C.edited = o.edited;
    if (o.end) die();
    return numberText(fd);
  },
  // What the agent that reads this pipe has left here; of another one's nothing but its files.
  held(pipe) {
    let open = false;
    try { open = fd >= 0 && inode === +pipe && own(fstatSync(fd, OPTIONS), 'ino') === inode; } catch (e) { /* it is closed */ }
    return stringify({ __proto__: null, pipe: open ? fd : -1, thread, slots: open ? ownKeys(slots) : [], copies: C.copies, edited: C.edited });
  },
  // Breakpoints in place of calls: list of [slot, script, line, column, names, and line and column of the function's end]; where each came to stand, or null.
  stop(json) {
    const list = parse(json), answer = [];
    for (let i = 0; i < list.length; i++) answer[i] = stopAt(slots[list[i][0]], list[i]);
    return stringify(answer);
  },
  edited: '', copies: '', // what agents keep here for the next one: changed files, and which of the engine's scripts of them run
  version: N.version, n: hr, z: Z,
  // A return without a value, and the end of a function that is written on one line.
  w(hit, since, ...names) { if (hit) try { hit(1, undefined, since, ...names); } catch (e) { /* a program is not disturbed */ } },
  // `h(..).v = x` has the value x, whatever becomes of it here.
  h(hit, since, ...names) { return hit ? { __proto__: null, set v(x) { try { hit(1, x, since, ...names); } catch (e) { /* as above */ } } } : SINK; },
  keep(copies) { C.copies = copies; return true; },
  // Closes the inspector once nobody is connected to it: told to end while a client is there, Node waits for the client, and may crash where that one leaves
  // meanwhile. So the client hands this over, and then leaves, or has been killed. where: descriptor and inode of its connection.
  shut(where) {
    const [fd, inode] = parse(where), turn = ++shutting;
    let looks = LOOKS, gone = 0;
    const look = () => {
      if (turn !== shutting) return;
      let there = false;
      try { there = own(fstatSync(fd, OPTIONS), 'ino') === inode; } catch (e) { /* it is closed */ }
      if (!there && ++gone > 2) { N.close(); return; } // by then the end of its session has been worked off, too
      if (--looks) later(look, there && LOOKS - looks > SOON ? LATER_MS : SOON_MS);
    };
    later(look, SOON_MS);
    return true;
  },
  stay() { shutting++; }, // a client is there again
  counts() { let all = '['; for (const i in slots) all += (all.length > 1 ? ',' : '') + '{"s":' + i + ',"r":' + slots[i].revision + ',' + counts(slots[i]) + '}'; return all + ']'; },
  // For the measurement of the walk alone.
  walk(list, options) { limits = options; seen = new Map(); serial = values = 0; cutTime = false; deadline = Infinity; out = '['; for (let i = 0; i < list.length; i++) { if (i) put(','); value(list[i], options.depth); } const s = out + ']'; out = ''; return s; },
  stack(n) { out = '['; stack(n); const s = out + ']'; out = ''; return s; },
  H,
};
const left = own(global, '__clew'); // by an agent of another version: its calls stand in these files still
if (typeof own(left, 'edited') === 'string') C.edited = own(left, 'edited');
defineProperty(global, '__clew', { __proto__: null, value: C, configurable: true, enumerable: false, writable: false });
return C;
