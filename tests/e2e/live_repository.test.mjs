// Where the host does not show a file, or by choice, the Live page shows it as the project's repository has it, and says so.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { binary, says, signIn, startBrowser, startServer } from './harness.mjs';
import { clean, shoot, startHost } from './live_host.mjs';

const RATE = 'rate = coupon.rate'; // line 14 of what runs
const hashOf = (text) => createHash('sha256').update(text).digest('hex');

let server;
let browser;
let host;
let page;
let problems;
let repository;
let pricing;

const git = (...words) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], { cwd: repository, encoding: 'utf8' }).trim();

/** The file of the tests' host, as it runs there. */
function textOfHost() {
  const source = fs.readFileSync(path.join(import.meta.dirname, 'live_host.py'), 'utf8');
  return /^PRICING = '''(.*?)'''$/ms.exec(source)[1];
}

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }, { n: 2, instance: 'shop-canary', version: '1.3' }], other: ['2-100'] });
  repository = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-e2e-repository-'));
  pricing = textOfHost();
  git('init', '-q', '-b', 'main');
  fs.mkdirSync(path.join(repository, 'app'));
  fs.writeFileSync(path.join(repository, 'app/pricing.py'), pricing);
  fs.writeFileSync(path.join(repository, 'app/gone.py'), 'gone = 1\n');
  git('add', '.');
  git('commit', '-q', '-m', 'One');
  git('tag', 'v1.2');
  fs.writeFileSync(path.join(repository, 'app/pricing.py'), `# newer\n${pricing.replace(RATE, 'rate = coupon.rate or 0')}`);
  git('commit', '-q', '-a', '-m', 'Two');
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), '/live?service=shop&file=app/pricing.py&process=1-100&source=repository');
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
  if (repository) fs.rmSync(repository, { recursive: true, force: true });
});

const instances = () => page.getByRole('region', { name: 'Instances' });
const note = () => page.locator('.note', { hasText: 'From the repository' });
const source = () => page.getByRole('region', { name: 'Source of app/pricing.py' });

describe('the repository beside the host', () => {
  it('is not offered where the project names none', async () => {
    await source().getByText(RATE).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Repository', exact: true }).count(), 0);
    execFileSync(binary, ['project', 'repo', 'add', 'default', repository, '--data', server.data]);
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py&process=1-100`);
  });

  it('is shown by choice, at the commit of what runs, and held against it', async () => {
    await source().getByText(RATE).waitFor();
    assert.equal(await note().count(), 0);
    await page.getByRole('button', { name: 'Repository', exact: true }).click();
    await note().getByText('other text in 1 of 2 instances').waitFor();
    await says(note(), new RegExp(`at ${git('rev-parse', 'v1.2').slice(0, 7)} .* That is the commit of shop@1.2`));
    await says(instances(), /shop-1 1\.2 ready shop-canary 1\.3 ready, other source/);
    await page.waitForURL(/source=repository/);
    assert.deepEqual(problems, []);
  });

  it('shows files that the host does not have', async () => {
    await page.getByRole('button', { name: 'gone.py', exact: true }).click();
    await page.getByText('gone = 1').waitFor();
    await page.goBack();
    await source().getByText(RATE).waitFor();
  });

  it('is left for the host again', async () => {
    await note().getByRole('button', { name: 'Read it from the host' }).click();
    await note().waitFor({ state: 'detached' });
    await source().getByText(RATE).waitFor();
  });
});

describe('a host that shows no source', () => {
  it('has the repository in its place, and says so', async () => {
    await host.tell({ hides: true });
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py&process=2-100`);
    await note().getByText('may differ from what runs').waitFor();
    await says(note(), new RegExp(`at ${git('rev-parse', 'HEAD').slice(0, 7)}`));
    await says(note(), /That is its HEAD: it knows no commit of shop@1\.3/);
    await says(note(), /The host does not show it: .*the policy of the host lets no source leave it/);
    await shoot(page, 'live-repository');
    await clean(page);
  });

  it('takes a probe at the line that is shown only where that is what it runs', async () => {
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py&process=2-100`);
    await page.getByRole('button', { name: 'Place a probe at line 15', exact: true }).click();
    await page.getByLabel('Condition').press('Control+Enter');
    const sent = await host.probe();
    assert.deepEqual([sent.where.line, sent.match, sent.line_hash], [15, 'follow', hashOf('rate = coupon.rate or 0')]);
    assert.equal(sent.source_hash, hashOf(fs.readFileSync(path.join(repository, 'app/pricing.py'))));
    await instances().getByText('other source: the line that was seen is not in the file of this process').waitFor();
  });

  it('whose agent is away still has its source', async () => {
    host.stop();
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py`);
    await note().getByText('may differ from what runs').waitFor();
    await source().waitFor();
    await page.getByRole('button', { name: 'gone.py', exact: true }).waitFor();
  });
});
