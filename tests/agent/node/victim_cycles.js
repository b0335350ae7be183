// One function that is probed again and again. Each line says whether it is as it was written, and what the heap holds after a collection.
'use strict';
let calls = 0;
function step(order) {
  const total = order.price * order.count;
  calls += total > 0 ? 1 : 0;
  return total;
}
console.log('ready');
const written = step.toString();
setInterval(() => {
  for (let i = 0; i < 20; i++) step({ price: 2, count: 1 + i });
  gc();
  const { heapUsed, rss } = process.memoryUsage();
  console.log(`calls ${calls} ran 0 same ${+(step.toString() === written)} heap ${heapUsed} rss ${rss}`);
}, 10);
