'use strict';
// A program that runs a line many times in a row at SIGUSR2, and then not any more.
let calls = 0, runs = 0;
function run() {
  runs++;
  return runs;
}
setInterval(() => { calls++; process.stdout.write(`calls ${calls} ran 0\n`); }, 100);
process.on('SIGUSR2', () => { for (let i = 0; i < 777; i++) run(); });
process.stdout.write('ready\n');
