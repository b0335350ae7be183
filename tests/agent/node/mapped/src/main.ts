import { place } from './orders';

let count = 0;
setInterval(() => {
  count += 1;
  place(count, 2);
}, 20);
console.log('ready');
