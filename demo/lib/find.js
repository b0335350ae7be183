'use strict';
// Where what the demo needs is on this machine; each that is missing says what brings it.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const READY_MS = 60_000; // a JVM on a busy machine
const setup = path.join(__dirname, '..', '..', '.setup');

/** The wanted port when it is free, else any. */
async function freePort(wanted = 0) {
  for (const port of [wanted, 0]) {
    const found = await new Promise((resolve) => {
      const probe = net.createServer().once('error', () => resolve(0));
      probe.listen(port, '127.0.0.1', () => {
        const { port: got } = probe.address();
        probe.close(() => resolve(got));
      });
    });
    if (found) return found;
  }
  throw new Error('no free port on 127.0.0.1');
}

/** Resolves when somebody listens there. */
async function ready(processes, name, port) {
  const until = Date.now() + READY_MS;
  while (!processes.stopping) {
    const listens = await new Promise((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      probe.on('close', () => resolve(false)).on('connect', () => probe.destroy());
    });
    if (listens) return;
    if (Date.now() > until) throw new Error(`${name} does not listen on port ${port}:\n${processes.tail(name)}`);
    await sleep(50);
  }
}

function findPython() {
  const venv = path.join(setup, 'venv', 'bin', 'python');
  const python = process.env.CLEW_PYTHON ?? (fs.existsSync(venv) ? venv : 'python3');
  try {
    execFileSync(python, ['-c', 'import flask, psycopg, waitress, opentelemetry.sdk, sentry_sdk, sqlalchemy'], { stdio: 'ignore' });
  } catch {
    throw new Error(`${python} lacks the packages of demo/requirements.txt: run tools/setup`);
  }
  return python;
}

/** { java, agent, classes }: a JVM, OpenTelemetry's agent as it comes from Maven Central, and the compiled service. */
function findJava() {
  const home = path.join(setup, 'java');
  const agent = path.join(home, 'opentelemetry-javaagent.jar');
  const classes = path.join(home, 'payments');
  for (const file of [agent, classes]) if (!fs.existsSync(file)) throw new Error(`${file} is missing: run tools/setup`);
  return { java: 'java', agent, classes };
}

module.exports = { findJava, findPython, freePort, ready };
