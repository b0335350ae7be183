// Live: from a host without an agent to the values of a line that has run; against an agent that answers as a real one does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, holds, leads, says, signIn, startBrowser, startServer } from './harness.mjs';
import { clean, shoot, startHost } from './live_host.mjs';

const PROCESSES = [
  { n: 1 },
  { n: 2 },
  { n: 3, instance: 'shop-old', version: '1.1' },
  { n: 4, service: 'web', instance: 'web-1' },
  { n: 5, service: 'legacy', instance: 'legacy-1', attachable: false, code: 'no_permission', message: 'the agent may not trace this process', hint: 'Run the agent as root.' },
];

let server;
let browser;
let host;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

describe('before the first agent', () => {
  it('says what to paste, and goes on by itself when the agent says hello', async () => {
    const { page, problems, context } = await browser.open();
    await signIn(page, await server.freshLink(), '/live');
    await page.getByRole('heading', { name: /No agent yet/ }).waitFor();
    await page.getByRole('button', { name: 'Make an enrolment token' }).click();
    await page.getByText('Waiting for the agent').waitFor();
    const paste = page.locator('.paste pre').first();
    await says(paste, new RegExp(`^sudo CLEW_TOKEN=\\S+ clew agent --server ${server.url}$`));
    await clean(page);
    host = await startHost(server);
    await host.tell({ processes: PROCESSES, old: ['3-100'] });
    await page.getByRole('heading', { name: /3 services to look into/ }).waitFor();
    await clean(page);
    assert.deepEqual(problems, []);
    await context.close();
  });
});

describe('a probe', () => {
  let page;
  let problems;
  let id;

  before(async () => {
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/live');
  });

  it('is placed beside a line of the source that the process runs', async () => {
    await page.getByRole('button', { name: /^shop/ }).click();
    await page.getByRole('button', { name: 'app', exact: true }).click();
    await page.getByRole('button', { name: 'pricing.py' }).first().click();
    await page.getByText('same text in 2 of 3 instances').waitFor();
    await clean(page);
    await page.getByRole('button', { name: 'Place a probe at line 16', exact: true }).click();
    await page.waitForURL(/service=shop.*file=app%2Fpricing\.py.*line=16.*edit=1/);
    await page.getByText('160 runs a second').or(page.getByText(/Counted first/)).first().waitFor();
    await clean(page);
  });

  it('has a condition that is checked and completed as it is written', async () => {
    const condition = page.getByLabel('Condition');
    await condition.pressSequentially('cou');
    await page.getByRole('option', { name: /^coupon arg, Coupon/ }).waitFor();
    await page.keyboard.press('Enter');
    await holds(condition, 'coupon');
    await condition.fill('order.total > 100 && 1 == "a"');
    await page.getByText('at column 22').waitFor();
    await says(page.locator('.expr .bad'), /^1$/);
    await eventually(async () => assert.ok(await page.getByRole('button', { name: /^Place on/ }).isDisabled()));
    await clean(page);
    await condition.fill('order.total > 100');
    await page.getByText('bool', { exact: true }).waitFor();
    await page.keyboard.press('Control+Enter');
    const sent = await host.probe();
    assert.deepEqual(sent.where, { file: 'app/pricing.py', line: 16 });
    id = sent.id;
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
  });

  it('says of each instance what has become of it, and the way out', async () => {
    const instances = page.getByRole('region', { name: 'Instances' });
    await instances.getByText('2 of 3 placed').waitFor();
    await says(instances, /shop-old 1\.1 no statement begins at this line Nearest with a statement: line 13 ?line 15/);
    await page.getByRole('region', { name: 'Hits' }).getByText(/no run of the line has met the condition/).waitFor();
    await clean(page);
  });

  it('shows hits as they come, with their values and the way to their trace', async () => {
    await host.tell({ capture: id, total: 184.5 });
    await host.tell({ capture: id, total: 210.1, rate: 15, n: 1 });
    const rows = page.locator('.ht tbody tr');
    await rows.nth(1).waitFor();
    await page.getByText('2 of 20 hits').waitFor();
    await says(rows.nth(0), /shop-2 210\.1/);
    await leads(rows.nth(0).getByRole('link', { name: '7f3a9c04' }), '/traces/7f3a9c0444aa4bb29d1e5a6b7c8d9e0f?span=5a6b7c8d9e0f1122');
    await says(page.locator('[data-line="16"]'), /order\.total = /);
    await page.keyboard.press('j');
    await page.waitForURL(/snapshot=/);
    await clean(page);
  });

  it('opens a hit beside the source: its variables, what has changed, and a value as a condition', async () => {
    const snapshot = page.getByRole('complementary', { name: 'Snapshot' });
    await page.locator('.ht tbody tr').nth(0).getByRole('button').first().click();
    await snapshot.getByRole('heading', { name: 'Snapshot 2' }).waitFor();
    await page.getByRole('button', { name: 'compare' }).click();
    await snapshot.getByRole('tab', { name: /Changed since 1/, selected: true }).waitFor();
    await says(snapshot, /order\.total 184\.5 210\.1/);
    await clean(page);
    await page.keyboard.press('Escape');
    await snapshot.getByRole('tab', { name: 'Variables', selected: true }).waitFor();
    await snapshot.locator('.cv', { hasText: /^rate/ }).first().click();
    await snapshot.getByRole('button', { name: 'Condition' }).click();
    await holds(page.getByLabel('Condition'), 'order.total > 100 && rate == 15');
    await page.getByLabel('Condition').press('Escape');
    await page.getByLabel('Condition').waitFor({ state: 'detached' });
  });

  it('is looked at by others, too', async () => {
    await promisify(execFile)(binary, ['user', 'add', 'jonas', '--scope', 'read', '--data', server.data]);
    const { page: second, context } = await browser.open();
    const { stdout } = await promisify(execFile)(binary, ['login-link', 'jonas', '--data', server.data]);
    await signIn(second, /http:\S+#\S+/.exec(stdout)[0], '/live?service=shop');
    await page.getByText('jonas is looking too').waitFor();
    await context.close();
    await page.getByText('jonas is looking too').waitFor({ state: 'detached' });
  });

  it('stands beside others of its line, and each is reached', async () => {
    await page.getByRole('button', { name: 'Probe at line 16', exact: true }).click();
    const here = page.getByRole('group', { name: 'Probes at this line' });
    await says(here, new RegExp(`^Tracepoint ${id}, 2 of 20 Another$`));
    await here.getByRole('button', { name: 'Another', exact: true }).click();
    await page.getByLabel('Condition').fill('order.total < 5');
    await page.getByText('bool', { exact: true }).waitFor();
    await page.getByLabel('Condition').press('Control+Enter');
    const second = (await host.probe((one) => one.id !== id)).id;
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await page.getByRole('button', { name: '2 probes at line 16', exact: true }).click();
    await here.getByRole('button', { name: new RegExp(`^Tracepoint ${second}, 0 of 20$`), pressed: true }).waitFor();
    await clean(page);
    await shoot(page, 'several');
    await here.getByRole('button', { name: new RegExp(`^Tracepoint ${id}, 2 of 20$`) }).click();
    await here.getByRole('button', { name: new RegExp(`^Tracepoint ${id}, 2 of 20$`), pressed: true }).waitFor();
    await holds(page.getByLabel('Condition'), 'order.total > 100');
    await here.getByRole('button', { name: new RegExp(`^Tracepoint ${second}, 0 of 20$`) }).click();
    await here.getByRole('button', { name: new RegExp(`^Tracepoint ${second}, 0 of 20$`), pressed: true }).waitFor();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('pricing.py:16 is removed').waitFor();
    await page.getByRole('button', { name: 'Probe at line 16', exact: true }).waitFor();
  });

  it('is paused, changed into a log line, and removed', async () => {
    await page.getByRole('button', { name: 'Probe at line 16', exact: true }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    await host.probe((probe) => probe.revision === 3 && !probe.paused);
    await page.getByRole('button', { name: 'Logpoint' }).click();
    await page.getByLabel('Message').fill('order {order.id}: {order.total}');
    await clean(page);
    await page.getByRole('button', { name: /^Update/ }).click();
    await host.probe((probe) => probe.kind === 'log');
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await page.getByRole('button', { name: 'Probe at line 16', exact: true }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('pricing.py:16 is removed').waitFor();
    await host.next((line) => line === 'probe none');
  });

  it('goes with all others at once when somebody says so', async () => {
    await page.getByRole('button', { name: 'Place a probe at line 14', exact: true }).click();
    await page.getByLabel('Condition').press('Control+Enter');
    await host.probe((probe) => probe.where.line === 14);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await page.getByRole('button', { name: 'Remove all', exact: true }).click();
    await page.getByText('Probes leave their processes at once').waitFor();
    await clean(page);
    await page.getByRole('button', { name: 'Remove 1 probe of shop' }).click();
    await host.next((line) => line === 'probe none');
    await page.getByRole('region', { name: 'Probes' }).getByText('none yet').waitFor();
  });

  it('stands where a function ends, or where an exception is raised, and is edited there', async () => {
    await page.getByRole('button', { name: 'Place a probe at line 16', exact: true }).click();
    await page.getByRole('button', { name: 'exit', exact: true }).click();
    await page.getByText('Only lines are counted first').waitFor();
    await clean(page);
    await page.getByRole('button', { name: /^Place on/ }).click();
    const left = await host.probe((probe) => probe.where.at === 'exit');
    assert.deepEqual([left.kind, left.where], ['snapshot', { file: 'app/pricing.py', function: 'apply_discount', at: 'exit' }]);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    const probes = page.getByRole('region', { name: 'Probes' });
    await probes.getByText('apply_discount() exit').waitFor();
    await page.getByText('Listening, nothing yet: the function has not ended.').waitFor();
    await page.getByRole('button', { name: 'Probe at line 10', exact: true }).click();
    await page.getByRole('button', { name: 'exception', exact: true }).click();
    await page.getByLabel('Type of the exception').fill('Type Error');
    await eventually(async () => assert.ok(await page.getByRole('button', { name: /^Update/ }).isDisabled()));
    await page.getByLabel('Type of the exception').fill('TypeError');
    await clean(page);
    await page.getByRole('button', { name: /^Update/ }).click();
    const raised = await host.probe((probe) => probe.where.exception);
    assert.deepEqual([raised.id, raised.kind, raised.where], [left.id, 'exception', { exception: 'TypeError', file: 'app/pricing.py', function: 'apply_discount' }]);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await probes.getByText('TypeError in apply_discount()').waitFor();
    await page.getByRole('button', { name: 'Probe at line 10', exact: true }).click();
    await holds(page.getByLabel('Type of the exception'), 'TypeError');
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('TypeError in apply_discount() is removed').waitFor();
    await host.next((line) => line === 'probe none');
  });

  it('is where its address says', async () => {
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py&line=7`);
    await page.locator('[data-line="7"].at').waitFor();
    await page.keyboard.press('b');
    await page.getByLabel('Condition').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Condition').waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowUp');
    await page.locator('[data-line="6"].at').waitFor();
    await page.getByLabel('Open a file by its path').fill('app/orders.py:2');
    await page.keyboard.press('Enter');
    await page.locator('[data-line="2"].at').waitFor();
    await page.getByLabel('Open a file by its path').fill('app/none.py');
    await page.keyboard.press('Enter');
    await page.getByText('the process has no such file').waitFor();
    await clean(page);
  });

  it('is refused with the reason where no process takes it', async () => {
    await page.goto(`${server.url}/live?service=legacy`);
    await page.getByRole('heading', { name: 'No process of legacy takes a probe' }).waitFor();
    await says(page.locator('.whys'), /legacy-1 the agent may not trace this process no_permission Run the agent as root\./);
    await clean(page);
    assert.deepEqual(problems, []);
  });
});
