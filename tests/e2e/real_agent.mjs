// `clew agent` itself, on the machine of the tests: it needs root to attach to processes.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { binary } from './harness.mjs';

const run = promisify(execFile);

export const needsRoot = process.getuid() === 0 ? false : 'the agent attaches to processes: needs root';

/** { stop() }: enrolled with the server. */
export async function startAgent(server) {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-e2e-agent-'));
  const clew = async (...given) => (await run(binary, [...given, '--data', server.data])).stdout.trim();
  const admin = await clew('token', 'add', 'host', '--scope', 'read,admin');
  const { stdout } = await run(binary, ['agents', 'token', 'shop', '--server', server.url, '--token', admin]);
  const child = spawn(binary, ['agent', '--server', server.url, '--state', path.join(state, 'agent')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CLEW_TOKEN: stdout.trim() },
  });
  return {
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', (code, signal) => done(signal ?? code)));
      assert.equal(child.exitCode, null, 'it ran on until it was told to end');
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
      fs.rmSync(state, { recursive: true, force: true });
    },
  };
}
