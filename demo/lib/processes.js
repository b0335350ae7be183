'use strict';
// Processes of one run of the demo: started in groups of their own, watched, ended in order, and by guard.sh if this process is killed.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const STOP_MS = 1800; // for all of them together; after that, kill -9
const RETIRE_MS = 3000;

/** `order`: groups of names, those who call before those who are called; a name stands for its instances (`web` for `web-1`), too. */
class Processes {
  constructor(order) {
    this.order = order;
    this.stopping = false;
    this.children = new Map(); // name -> ChildProcess
    this.retired = new Set();
    this.state = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-demo-'));
    // It also removes the state in the ordinary case, so there is one way only.
    this.guard = spawn(path.join(__dirname, '..', 'guard.sh'), [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.guard.stdin.on('error', () => {});
    this.guard.stdin.write(`dir ${this.state}\n`);
  }

  /**
   * Each in a process group of its own: Ctrl-C in the terminal reaches only the launcher, which stops them in order.
   * With `finishes`, returns a promise of its good end; with `mayFail`, of any, and whether it was good; else an end is the end of the demo.
   */
  launch(name, command, args, { finishes, mayFail, ...options } = {}) {
    if (this.stopping) throw new Error('stopping');
    const log = fs.openSync(path.join(this.state, `${name}.log`), 'a');
    const child = spawn(command, args, { ...options, stdio: ['ignore', log, log], detached: true });
    fs.closeSync(log);
    if (child.pid) this.guard.stdin.write(`group ${child.pid}\n`);
    this.children.set(name, child);
    child.on('error', (error) => this.fail(new Error(`${name} does not start: ${error.message}`)));
    return new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.children.delete(name);
        if (child.pid) this.guard.stdin.write(`gone ${child.pid}\n`);
        if (mayFail || (finishes && code === 0) || this.retired.has(name)) resolve(code === 0);
        else if (!this.stopping) this.fail(new Error(`${name} ended with ${signal ?? `status ${code}`}:\n${this.tail(name)}`));
      });
    });
  }

  /** Ends one that has been replaced; resolves when it is gone. */
  async retire(name) {
    const child = this.children.get(name);
    if (!child) return;
    this.retired.add(name);
    signal(child, 'SIGTERM');
    const until = Date.now() + RETIRE_MS;
    while (this.children.has(name) && Date.now() < until) await sleep(20);
    if (this.children.has(name)) signal(child, 'SIGKILL');
  }

  tail(name) {
    const lines = fs.readFileSync(path.join(this.state, `${name}.log`), 'utf8').trimEnd().split('\n');
    return lines.slice(-15).map((line) => `  ${line}`).join('\n');
  }

  named(name) {
    return [...this.children].filter(([key]) => key === name || key.startsWith(`${name}-`)).map(([, child]) => child);
  }

  async stop(status) {
    if (this.stopping) return;
    this.stopping = true;
    const until = Date.now() + STOP_MS;
    for (const [index, names] of this.order.entries()) {
      const stage = names.flatMap((name) => this.named(name));
      for (const child of stage) signal(child, 'SIGINT');
      const last = index === this.order.length - 1;
      while (names.some((name) => this.named(name).length > 0) && Date.now() < until - (last ? 0 : 500)) await sleep(20);
    }
    for (const child of this.children.values()) signal(child, 'SIGKILL');
    this.guard.stdin.end();
    await new Promise((done) => this.guard.once('exit', done));
    process.exit(status);
  }

  fail(error) {
    if (this.stopping) return;
    console.error(`demo: ${error.message}`);
    void this.stop(1);
  }
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // gone already
  }
}

module.exports = { Processes };
