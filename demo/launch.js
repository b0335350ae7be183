'use strict';
// Starts the demo, prints a line a service, stops everything on SIGINT, SIGTERM, SIGHUP or when its parent is gone.
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const STOP_MS = 1500; // after that, kill -9
const READY_MS = 30_000;
const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318';
const state = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-demo-'));
const children = new Map(); // name -> ChildProcess, in the order of starting
let stopping = false;

// What cleans up if this process is killed. It also removes the state in the ordinary case, so there is one way only.
const guard = spawn(path.join(__dirname, 'guard.sh'), [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
guard.stdin.on('error', () => {});
guard.stdin.write(`dir ${state}\n`);

/**
 * Each in a process group of its own: Ctrl-C in the terminal reaches only the launcher, which stops them in order.
 * With `finishes`, returns a promise of its good end; else an end is the end of the demo.
 */
function launch(name, command, args, { finishes, ...options }) {
  if (stopping) throw new Error('stopping');
  const log = fs.openSync(path.join(state, `${name}.log`), 'a');
  const child = spawn(command, args, { ...options, stdio: ['ignore', log, log], detached: true });
  fs.closeSync(log);
  if (child.pid) guard.stdin.write(`group ${child.pid}\n`);
  children.set(name, child);
  child.on('error', (error) => fail(new Error(`${name} does not start: ${error.message}`)));
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      children.delete(name);
      if (finishes && code === 0) resolve();
      else if (!stopping) fail(new Error(`${name} ended with ${signal ?? `status ${code}`}:\n${tail(name)}`));
    });
  });
}

function tail(name) {
  const lines = fs.readFileSync(path.join(state, `${name}.log`), 'utf8').trimEnd().split('\n');
  return lines.slice(-15).map((line) => `  ${line}`).join('\n');
}

async function stop(status) {
  if (stopping) return;
  stopping = true;
  const until = Date.now() + STOP_MS;
  // Who calls goes before who is called, the database last: nobody logs an error about the end.
  for (const name of ['users', 'web', 'checkout', 'initdb', 'postgres']) {
    const child = children.get(name);
    if (!child) continue;
    signal(child, 'SIGINT');
    while (children.has(name) && Date.now() < until - (name === 'postgres' ? 0 : 500)) await sleep(20);
  }
  for (const child of children.values()) signal(child, 'SIGKILL');
  guard.stdin.end();
  await new Promise((done) => guard.once('exit', done));
  process.exit(status);
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // gone already
  }
}

function fail(error) {
  if (stopping) return;
  console.error(`demo: ${error.message}`);
  void stop(1);
}

/** The wanted port when it is free, else any. */
async function freePort(wanted) {
  for (const port of [wanted, 0]) {
    const found = await new Promise((resolve) => {
      const probe = net.createServer().once('error', () => resolve(0));
      probe.listen(port, 'localhost', () => {
        const { port: got } = probe.address();
        probe.close(() => resolve(got));
      });
    });
    if (found) return found;
  }
  throw new Error('no free port on localhost');
}

async function ready(name, url) {
  const until = Date.now() + READY_MS;
  while (!stopping) {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) }).catch(() => null);
    if (answer?.ok) return;
    if (Date.now() > until) throw new Error(`${name} does not answer at ${url}:\n${tail(name)}`);
    await sleep(50);
  }
}

function findPython() {
  const venv = path.join(__dirname, '..', '.setup', 'venv', 'bin', 'python');
  const python = process.env.CLEW_PYTHON ?? (fs.existsSync(venv) ? venv : 'python3');
  try {
    execFileSync(python, ['-c', 'import flask, psycopg, waitress, opentelemetry.sdk'], { stdio: 'ignore' });
  } catch {
    throw new Error(`${python} lacks the packages of demo/requirements.txt: run tools/setup`);
  }
  return python;
}

/** The environment that OpenTelemetry's SDKs are configured by; what is set outside wins. */
function telemetryOf(service, version) {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf',
    OTEL_SERVICE_NAME: service,
    OTEL_RESOURCE_ATTRIBUTES: `service.namespace=shop,service.version=${version},service.instance.id=${service}-1,deployment.environment.name=demo`,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
    OTEL_PYTHON_LOG_CODE_ATTRIBUTES: 'true',
    // Somebody is watching: a second of delay, not the five and sixty of production.
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '10000',
  };
}

function say(name, text) {
  console.log(`${name.padEnd(9)} ${text}`);
}

async function main() {
  const began = Date.now();
  if (!fs.existsSync(path.join(__dirname, 'node_modules'))) throw new Error('demo/node_modules is missing: run tools/setup');
  const python = findPython();
  const [webPort, checkoutPort] = await Promise.all([freePort(18080), freePort(18081)]);
  const urls = { WEB_URL: `http://localhost:${webPort}`, CHECKOUT_URL: `http://localhost:${checkoutPort}` };

  const { startCluster } = require('./database/cluster.js');
  const cluster = path.join(state, 'pg');
  fs.chmodSync(state, 0o711); // the database's user must get through to its own directory
  fs.mkdirSync(cluster, { mode: 0o700 });
  const database = await startCluster(cluster, launch);
  say('postgres', `ready, private to this run, on the socket ${cluster}`);

  const env = { ...process.env, ...urls, ...database };
  void launch('checkout', python, [path.join(__dirname, 'checkout', 'app.py')], {
    env: { ...env, ...telemetryOf('checkout', '1.4.2'), PORT: String(checkoutPort), PYTHONDONTWRITEBYTECODE: '1' },
  });
  void launch('web', process.execPath, ['--require', './web/telemetry.js', './web/server.js'], {
    cwd: __dirname,
    env: { ...env, ...telemetryOf('web', '2.0.1'), PORT: String(webPort) },
  });
  await Promise.all([ready('checkout', urls.CHECKOUT_URL), ready('web', urls.WEB_URL)]);
  say('checkout', `ready at ${urls.CHECKOUT_URL}, Python`);
  say('web', `ready at ${urls.WEB_URL}, Node`);
  void launch('users', process.execPath, [path.join(__dirname, 'load', 'users.js')], { env });
  say('users', 'shopping, about three requests a second; some use the coupon AUTUMN-15');
  say('demo', `sends to ${endpoint}, up in ${((Date.now() - began) / 1000).toFixed(1)} s; Ctrl-C stops it`);
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void stop(0));
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void stop(0), 250);
main().catch(fail);
