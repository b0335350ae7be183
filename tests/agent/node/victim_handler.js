'use strict';
// A program with a handler of its own for the signal that opens the inspector.
let ran = 0, calls = 0;
process.on('SIGHUP', () => {});
process.on('SIGUSR1', () => { ran++; });
process.on('SIGWINCH', () => {});
setInterval(() => { process.stdout.write(`calls ${++calls} ran ${ran}\n`); }, 100);
process.stdout.write('ready\n');
