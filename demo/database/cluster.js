'use strict';
// A PostgreSQL cluster for one run: in a private directory, on a unix socket only, without durability, thrown away after.
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');
const pg = require('pg');

const run = promisify(execFile);
const USER = 'shop';
const DATABASE = 'shop';

/** Where initdb and postgres are: the newest of Debian's versions, or the PATH. */
function findBinaries() {
  const root = '/usr/lib/postgresql';
  const versions = fs.existsSync(root) ? fs.readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [...versions.map((version) => path.join(root, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  const found = places.find((place) => fs.existsSync(path.join(place, 'initdb')) && fs.existsSync(path.join(place, 'postgres')));
  if (!found) throw new Error('PostgreSQL is not installed (looked in /usr/lib/postgresql and PATH): apt-get install postgresql');
  return found;
}

/** PostgreSQL refuses to run as root: then somebody with fewer rights runs it. Empty when we are not root. */
async function findIdentity() {
  if (process.getuid() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const uid = await run('id', ['-u', name]).catch(() => null);
    const gid = await run('id', ['-g', name]).catch(() => null);
    if (uid && gid) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL refuses to run as root and there is neither a user "postgres" nor "nobody"');
}

/**
 * Starts a cluster in `dir` (ours, empty) and fills it. `launch(name, command, args, options)` starts and watches a process.
 * Returns the environment that finds the database.
 */
async function startCluster(dir, launch) {
  const binaries = findBinaries();
  const identity = await findIdentity();
  // Only its owner (and root) passes this directory, hence "trust" on the socket inside it.
  if (identity.uid !== undefined) fs.chownSync(dir, identity.uid, identity.gid);
  const data = path.join(dir, 'data');
  await launch(
    'initdb',
    path.join(binaries, 'initdb'),
    ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'],
    { cwd: dir, ...identity, finishes: true },
  );
  const settings = ['listen_addresses=', `unix_socket_directories=${dir}`, 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off',
    'max_connections=40', 'shared_buffers=48MB', 'max_parallel_workers_per_gather=0', 'jit=off'];
  void launch('postgres', path.join(binaries, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    cwd: dir,
    ...identity,
  });
  const env = { PGHOST: dir, PGUSER: USER, PGDATABASE: DATABASE };
  const admin = await connect({ host: dir, user: USER, database: 'postgres' });
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  await admin.end();
  const shop = await connect({ host: dir, user: USER, database: DATABASE });
  await shop.query(fs.readFileSync(path.join(__dirname, 'schema.sql'), 'utf8'));
  await shop.end();
  return env;
}

async function connect(config) {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client(config);
    client.on('error', () => {}); // the server was stopped under us; the query that waits rejects too, and that is the one to report
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries >= 150) throw error;
      await sleep(100);
    }
  }
}

module.exports = { startCluster };
