// Monitors: which jobs run as they should, which do not, since when, and when each is due.
import '../styles/settings.css';
import '../styles/alerts.css';
import '../styles/monitors.css';
import { BellOff, Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { type Environment, loadMonitors, type Monitor } from '../api/monitors.ts';
import { useEvery } from '../parts/every.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, StaleNote, useLate } from '../parts/States.tsx';
import { When } from '../settings/common.tsx';
import { useKeys } from '../state/keys.ts';
import { refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, go, param, setParams } from '../state/route.ts';
import { scope } from '../state/scope.ts';
import { pending } from '../state/undo.ts';
import { change, failure, isLeaving } from './deeds.ts';
import { MonitorForm } from './MonitorForm.tsx';
import { MonitorMenu } from './MonitorMenu.tsx';
import { NoMonitors } from './NoMonitors.tsx';
import { scheduleWords } from './schedule.ts';
import { TickKey, Ticks } from './Ticks.tsx';
import { conclusion, dayWords, runTime, STATUS_TONE, STATUS_WORDS, sorted, troubleWords } from './words.ts';

const EVERY_MS = 5000;

export function MonitorsPage() {
  usePage({ here: 'Monitors', tab: 'monitors', ranged: false });
  const turn = useEvery(EVERY_MS);
  const { project } = scope.value;
  const load = useLoad(`monitors ${project}`, `monitors ${project} ${turn} ${me.value?.name}`, (abort) => loadMonitors(project, abort));
  pending.value;
  const monitors = sorted(load.data.value ?? []).filter((monitor) => !isLeaving(monitor));
  const several = monitors.some((monitor) => monitor.project !== monitors[0]?.project);
  const [chosen, setChosen] = useState(0);
  const at = Math.min(chosen, monitors.length - 1);
  const adding = param('add') === '1';
  const add = () => setParams({ add: adding ? undefined : '1' });
  useKeys('Monitors', [
    { keys: ['j', 'ArrowDown'], does: 'next monitor', run: () => setChosen(Math.min(monitors.length - 1, at + 1)) },
    { keys: ['k', 'ArrowUp'], does: 'previous monitor', run: () => setChosen(Math.max(0, at - 1)) },
    { keys: ['Enter'], does: 'open it', run: () => monitors[at] && followTo(`/monitors/${monitors[at].id}`, 'Monitors') },
    { keys: ['e'], does: 'edit it', run: () => monitors[at] && followTo(`/monitors/${monitors[at].id}?edit=1`, 'Monitors') },
    { keys: ['m'], does: 'mute it, or not', run: () => monitors[at] && void change(monitors[at], { muted: !monitors[at].muted }) },
    { keys: ['n'], does: 'add one by hand', run: add },
    { keys: ['Escape'], does: 'close the form', run: () => adding && add() },
  ]);
  const error = load.error.value;
  const data = load.data.value;
  const late = useLate(!data && load.busy.value);
  return (
    <>
      <h1 class="only-read">Monitors</h1>
      <div class="bar abar">
        <span class="m cut">{data && monitors.length > 0 ? conclusion(monitors) : '\u00a0'}</span>
        {project && (
          <span class="chip mono" title="The project of the top bar">
            project={project}
          </span>
        )}
        <span class="grow" />
        {monitors.length > 0 && <TickKey />}
        <button type="button" class="btn p" aria-expanded={adding} onClick={add}>
          <Icon icon={Plus} size={14} />
          <span>
            Add<span class="wide"> a monitor</span>
          </span>
        </button>
      </div>
      <MonitorTroubles again={data && error ? error.message : undefined} />
      <div class="abody scroll" tabIndex={0} role="region" aria-label="Jobs">
        {adding && (
          <section class="mnew" aria-label="Add a monitor">
            <MonitorForm done={(id) => go(`/monitors/${id}`)} close={add} />
          </section>
        )}
        {error && !data ? (
          <Failure error={error} retry={load.retry} />
        ) : !data ? (
          late && <SkeletonRows rows={8} height="56px" widths={['56px', '30%', '300px', '80px']} />
        ) : monitors.length === 0 ? (
          !adding && <NoMonitors add={add} />
        ) : (
          <ul class="mlist" aria-label="Monitors">
            {monitors.map((monitor, index) => (
              <Item key={monitor.id} monitor={monitor} several={several} chosen={index === at} choose={() => setChosen(index)} />
            ))}
          </ul>
        )}
      </div>
      <Foot
        keys={[
          ...(monitors.length > 0
            ? ([
                ['j k', 'move'],
                ['Enter', 'open'],
                ['e', 'edit'],
                ['m', 'mute'],
              ] as [string, string][])
            : []),
          ['n', 'add'],
          ['?', 'all keys'],
        ]}
      >
        <span />
      </Foot>
    </>
  );
}

export function MonitorTroubles({ again }: { again: string | undefined }) {
  const refused = failure.value;
  return (
    <>
      {refused && (
        <p class="note sm" role="alert">
          <b>{refused.message}</b> {refused.hint}{' '}
          <button type="button" class="link" onClick={() => (failure.value = undefined)}>
            Close
          </button>
        </p>
      )}
      {again && <StaleNote error={{ message: again }} retry={refresh} />}
    </>
  );
}

interface ItemProps {
  monitor: Monitor;
  /** The list has monitors of several projects. */
  several: boolean;
  chosen: boolean;
  choose: () => void;
}

function Item({ monitor, several, chosen, choose }: ItemProps) {
  const { environments } = monitor;
  return (
    <li class={`mi ${chosen ? 'sel' : ''} ${monitor.disabled ? 'off' : ''}`} aria-current={chosen ? 'true' : undefined} onClick={choose}>
      <div class="mhead">
        <div class="at">
          <div class="row">
            <span class="m cut">
              <Link class="plain" href={`/monitors/${monitor.id}`} follow>
                {monitor.name}
              </Link>
            </span>
            {monitor.muted && (
              <span class="chip">
                <Icon icon={BellOff} size={12} />
                muted
              </span>
            )}
            {monitor.disabled && <span class="chip">disabled</span>}
            {monitor.trouble && (
              <span class="pill w" title={troubleWords(monitor)}>
                bad configuration
              </span>
            )}
          </div>
          <div class="sm d3 cut" title={monitor.schedule?.value}>
            {scheduleWords(monitor.schedule)}
            {several && (
              <>
                {' in '}
                <span class="mono">{monitor.project}</span>
              </>
            )}
          </div>
        </div>
      </div>
      <div class="menvs">
        {environments.length === 0 && (
          <div class="menv">
            <span class="pill">waiting</span>
            <span class="sm d3 cut">no check-in yet</span>
          </div>
        )}
        {environments.map((environment) => (
          <EnvironmentRow key={environment.environment} of={environment} off={monitor.disabled} />
        ))}
      </div>
      <div class="acts">
        <MonitorMenu monitor={monitor} />
      </div>
    </li>
  );
}

export function EnvironmentRow({ of, off }: { of: Environment; off: boolean }) {
  return (
    <div class="menv">
      <span class={`pill ${off ? '' : STATUS_TONE[of.status]}`}>{STATUS_WORDS[of.status]}</span>
      <span class="sm cut d2 ename" title={dayWords(of)}>
        {of.environment}
      </span>
      <Ticks checks={of.checks} />
      <span class="ag sm r wide" title="How long the last one took">
        {of.duration === undefined ? <span class="d3">no duration</span> : runTime(of.duration)}
      </span>
      <span class="ag sm mtimes">
        <span>{of.last ? <When at={of.last} /> : <span class="d3">never ran</span>}</span>
        <span class="d3">
          {off ? (
            'not watched'
          ) : of.next ? (
            <>
              due <When at={of.next} />
            </>
          ) : (
            'no schedule'
          )}
        </span>
      </span>
      <span class="sm mfail">
        {of.failing_since && (
          <span class="err nw">
            failing since <When at={of.failing_since} />
          </span>
        )}
        {of.issue !== undefined && of.failing_since && (
          <Link class="link" href={`/issues/${of.issue}`} follow>
            Issue
          </Link>
        )}
      </span>
    </div>
  );
}
