'use strict';
// What a worker thread runs alone.
function alone(n) {
  return n + 1;
}
setInterval(alone, 5);
