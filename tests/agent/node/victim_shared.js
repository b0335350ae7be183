'use strict';
// What all threads of victim_pool.js run, each with a copy of its own.
let ran = 0;
const trap = { get bad() { ran++; return 1; } };
function work(n, where) {
  const twice = n * 2;
  const it = { where, trap };
  return twice + (it.where ? 1 : 0);
}
work.ran = () => ran;
exports.work = work;
