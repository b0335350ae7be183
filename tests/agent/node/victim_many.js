// A program of very many functions: victim_many.js writes itself a file of them (its argument says how many), and calls the one that is probed.
'use strict';
const fs = require('fs'), path = require('path');
const folder = fs.mkdtempSync(path.join(require('os').tmpdir(), 'clew-many-')), file = path.join(folder, 'many.js');
let text = 'function step(order) {\n  const total = order.price * order.count;\n  return total;\n}\nexports.step = step;\n';
for (let i = 0; i < +process.argv[2]; i++) text += `exports.f${i} = a => a + ${i};\n`;
fs.writeFileSync(file, text);
const { step } = require(file);
fs.rmSync(folder, { recursive: true });
let calls = 0;
console.log('ready');
setInterval(() => { calls += step({ price: 2, count: 3 }) === 6; }, 20);
const stops = () => Object.keys(globalThis.__clew ?? {}).filter(name => /^b\d/.test(name)).length;
setInterval(() => console.log(`calls ${calls} ran 0 stops ${stops()}`), 50);
