// One job: how it is in each environment, and each check-in with how long it took.
import '../styles/settings.css';
import '../styles/alerts.css';
import '../styles/monitors.css';
import { BellOff, BellRing, Pencil } from 'lucide';
import { useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { type Check, loadChecks, loadMonitor, type Monitor } from '../api/monitors.ts';
import { span } from '../format/span.ts';
import { absolute, dayClock, parseInstant } from '../format/time.ts';
import { useEvery } from '../parts/every.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { Rows, When } from '../settings/common.tsx';
import { useKeys } from '../state/keys.ts';
import { usePage } from '../state/page.ts';
import { go, param, setParams } from '../state/route.ts';
import { change } from './deeds.ts';
import { MonitorForm } from './MonitorForm.tsx';
import { MonitorMenu } from './MonitorMenu.tsx';
import { EnvironmentRow, MonitorTroubles } from './MonitorsPage.tsx';
import { Snippets } from './NoMonitors.tsx';
import { scheduleWords } from './schedule.ts';
import { dayWords, runTime, STATUS_TONE, STATUS_WORDS, troubleWords } from './words.ts';

const EVERY_MS = 5000;
const AT_ONCE = 100;
const MOST = 500;

export function MonitorPage({ id }: { id: string }) {
  const turn = useEvery(EVERY_MS);
  const load = useLoad(`monitor ${id}`, `monitor ${id} ${turn} ${me.value?.name}`, (abort) => loadMonitor(id, abort));
  const monitor = load.data.value;
  usePage({ here: monitor?.name ?? 'Monitor', title: `${monitor?.name ?? 'Monitor'} · Monitors`, tab: 'monitors', ranged: false });
  const editing = param('edit') === '1';
  useKeys('Monitor', [
    { keys: ['e'], does: 'edit it', run: () => setParams({ edit: editing ? undefined : '1' }) },
    { keys: ['m'], does: 'mute it, or not', run: () => monitor && void change(monitor, { muted: !monitor.muted }) },
    { keys: ['Escape'], does: 'back to the monitors', run: () => (editing ? setParams({ edit: undefined }) : go('/monitors')) },
  ]);
  const late = useLate(!monitor && load.busy.value);
  const error = load.error.value;
  if (error && !monitor) {
    if (error.status !== 404) return <Failure error={error} retry={load.retry} />;
    return (
      <div class="say">
        <h1>There is no monitor {id}</h1>
        <p>It may have been deleted. Its check-ins are still records: a query finds them.</p>
        <Link class="btn" href="/monitors">
          All monitors
        </Link>
      </div>
    );
  }
  if (!monitor) return late ? <SkeletonRows rows={6} height="40px" widths={['40%', '20%']} /> : <div />;
  return (
    <>
      <header class="ahead">
        <div class="grow">
          <div class="row">
            <h1 class="cut">{monitor.name}</h1>
            {monitor.muted && <span class="pill">muted</span>}
            {monitor.disabled && <span class="pill">disabled</span>}
          </div>
          <p class="sm d2">
            {scheduleWords(monitor.schedule)}
            <span class="d3">
              {' '}
              in <span class="mono">{monitor.project}</span> as <span class="mono">{monitor.slug}</span>
            </span>
          </p>
        </div>
        <button type="button" class="btn" onClick={() => void change(monitor, { muted: !monitor.muted })}>
          <Icon icon={monitor.muted ? BellRing : BellOff} size={14} />
          {monitor.muted ? 'Unmute' : 'Mute'}
        </button>
        <button type="button" class="btn wide" onClick={() => setParams({ edit: editing ? undefined : '1' })}>
          <Icon icon={Pencil} size={14} />
          Edit
        </button>
        <MonitorMenu monitor={monitor} gone={() => go('/monitors')} class="btn i" />
      </header>
      <MonitorTroubles again={error?.message} />
      {monitor.trouble && (
        <p class="note sm" role="status">
          {troubleWords(monitor)}
        </p>
      )}
      <div class="abody scroll" tabIndex={0} role="region" aria-label="The job">
        {editing ? (
          <section class="mnew">
            <MonitorForm was={monitor} done={() => setParams({ edit: undefined })} close={() => setParams({ edit: undefined })} />
          </section>
        ) : (
          <p class="sm d3 mlimits">{limits(monitor)}</p>
        )}
        {monitor.environments.every((one) => one.status === 'waiting') ? (
          <Waiting monitor={monitor} />
        ) : (
          <Environments monitor={monitor} turn={turn} />
        )}
      </div>
      <Foot
        keys={[
          ['e', 'edit'],
          ['m', 'mute'],
          ['Esc', 'all monitors'],
          ['?', 'all keys'],
        ]}
      >
        <span />
      </Foot>
    </>
  );
}

function limits(monitor: Monitor): string {
  const { margin_s, max_runtime_s, failure_threshold: bad, recovery_threshold: good } = monitor;
  const issue = bad === 1 ? 'The first failure makes an issue' : `${bad} failures in a row make an issue`;
  const over = good === 1 ? 'the first success ends it' : `${good} successes in a row end it`;
  return `${monitor.schedule ? `Missed ${span(margin_s)} after it was due. ` : ''}Timed out after ${span(max_runtime_s)}. ${issue}, ${over}.`;
}

function Waiting({ monitor }: { monitor: Monitor }) {
  return (
    <div class="say">
      <h2>It waits for its first check-in</h2>
      <p>
        {monitor.environments[0]?.next && !monitor.disabled && (
          <>
            Due <When at={monitor.environments[0].next} />; if nothing has come then, it is missed.{' '}
          </>
        )}
        With one of these the job says when it begins and how it ended:
      </p>
      <Snippets slug={monitor.slug} />
    </div>
  );
}

function Environments({ monitor, turn }: { monitor: Monitor; turn: number }) {
  const { environments } = monitor;
  const wanted = param('environment');
  const chosen = environments.find((one) => one.environment === wanted) ?? environments[0];
  const [shown, setShown] = useState(AT_ONCE);
  const name = chosen?.environment ?? '';
  const key = `${monitor.id} ${name} ${shown}`;
  const list = useLoad(`${monitor.id} ${name}`, `${key} ${turn}`, (abort) => loadChecks(String(monitor.id), name, shown, abort));
  return (
    <>
      <div class="menvs mall">
        {environments.map((one) => (
          <EnvironmentRow key={one.environment} of={one} off={monitor.disabled} />
        ))}
      </div>
      <div class="bar abar hl">
        {environments.length > 1 ? (
          <nav class="tabs scroll" aria-label="Environment">
            {environments.map((one) => (
              <button
                type="button"
                key={one.environment}
                aria-current={one === chosen ? 'page' : undefined}
                onClick={() => setParams({ environment: one.environment }, { replace: true })}
              >
                {one.environment}
              </button>
            ))}
          </nav>
        ) : (
          <h2 class="m">Check-ins</h2>
        )}
        <span class="grow" />
        {chosen && <span class="sm d3 cut wide">{dayWords(chosen)}</span>}
      </div>
      <Rows of={list} rows={8}>
        {(checks) => (
          <>
            <Checks checks={checks} />
            {checks.length >= shown && shown < MOST && (
              <div class="amore">
                <button type="button" class="btn" onClick={() => setShown(MOST)}>
                  Older
                </button>
              </div>
            )}
          </>
        )}
      </Rows>
    </>
  );
}

function Checks({ checks }: { checks: readonly Check[] }) {
  const most = Math.max(1, ...checks.map((check) => check.duration ?? 0));
  return (
    <table class="tbl ctbl">
      <thead>
        <tr>
          <th>State</th>
          <th>When</th>
          <th class="wide">Was due</th>
          <th>Took</th>
          <th class="r">
            <span class="only-read">Trace</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {checks.map((check) => (
          <tr key={check.id}>
            <td>
              <span class={`pill ${STATUS_TONE[check.status]}`}>{STATUS_WORDS[check.status]}</span>
            </td>
            <td>
              <Moment at={check.time} />
            </td>
            <td class="wide">{check.expected ? <Moment at={check.expected} /> : <span class="d3">not known</span>}</td>
            <td>
              {check.duration === undefined ? (
                <span class="d3">{check.status === 'running' ? 'still runs' : check.status === 'missed' ? 'did not run' : 'not said'}</span>
              ) : (
                <span class="row">
                  <span class="took r">{runTime(check.duration)}</span>
                  <svg class="dbar wide" width="200" height="6" viewBox="0 0 200 6" preserveAspectRatio="none" aria-hidden="true">
                    <rect
                      class={STATUS_TONE[check.status] === 'e' ? 'be' : 'bv'}
                      width={Math.max(2, (check.duration / most) * 200)}
                      height="6"
                    />
                  </svg>
                </span>
              )}
            </td>
            <td class="r">
              {check.trace && (
                <Link class="link" href={`/traces/${check.trace}`} follow>
                  Trace
                </Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Moment({ at }: { at: string }) {
  const { ms } = parseInstant(at);
  return (
    <time class="nw" title={absolute(ms)}>
      {dayClock(ms)}{' '}
      <span class="d3 wide">
        <When at={at} />
      </span>
    </time>
  );
}
