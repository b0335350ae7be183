// The smaller panes of Home: what went out, and what is new in the logs.
import { serverNow } from '../api/client.ts';
import type { Loaded } from '../api/load.ts';
import type { Deploy } from '../api/overview.ts';
import { count, plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Holes } from '../parts/Holes.tsx';
import { Link } from '../parts/Link.tsx';
import { useLate } from '../parts/States.tsx';
import { entryQuery } from '../query/services.ts';
import { addTerm, term } from '../query/write.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import type { NewLogs, NewPattern } from './load.ts';
import { deployEffect, moment } from './words.ts';

const DEPLOYS = 5;

export function Deploys({ deploys }: { deploys: readonly Deploy[] }) {
  const now = serverNow();
  return (
    <section class="deploys" aria-label="Deploys">
      <div class="sec">
        <h2>Deploys</h2>
        <span class="grow cut">
          {deploys.length > DEPLOYS ? `the newest of ${count(deploys.length)}` : 'versions first seen in this range'}
        </span>
      </div>
      {deploys.length === 0 ? (
        <p class="sm d3 hint">
          No version changed. They are seen by <code>service.version</code> of each service.
        </p>
      ) : (
        <table class="dep2">
          <tbody>
            {deploys.slice(0, DEPLOYS).map((deploy) => (
              <DeployRow deploy={deploy} now={now} key={`${deploy.time} ${deploy.service}`} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const EFFECTS = { e: 'err', w: 'wrn', k: '', none: 'd3' };

function DeployRow({ deploy, now }: { deploy: Deploy; now: number }) {
  const at = parseInstant(deploy.time).ms;
  const effect = deployEffect(deploy);
  const query = addTerm(entryQuery(deploy.service), term('version', deploy.version));
  const to = (more?: string) => href('/traces', { ...kept.value, q: more ? addTerm(query, more) : query });
  return (
    <tr>
      <td class="d3" title={absolute(at)}>
        {moment(at, now)}
      </td>
      <th scope="row">
        <span class={`svc h${hueOf(deploy.service)}`}>{deploy.service}</span>
      </th>
      <td class="mono">
        {deploy.before} → {deploy.version}
      </td>
      <td class={EFFECTS[effect.mood]}>
        <Link class="plain" href={to(effect.mood === 'e' ? 'status=error' : undefined)}>
          {effect.text}
        </Link>
      </td>
      <td class="r">
        <Link href={to()}>{plural(deploy.requests ?? 0, 'request')}</Link>
      </td>
    </tr>
  );
}

const PATTERNS = 8;
/** Rows that have their place before they have come. */
const AWAITED = 3;

interface NewLogsProps {
  since: number;
  /** Is that when something began, or just the begin of the range? */
  named: boolean;
  logs: Loaded<NewLogs>;
}

export function NewInLogs({ since, named, logs }: NewLogsProps) {
  const answered = logs.data.value;
  const late = useLate(!answered && logs.busy.value);
  // A server that cannot tell patterns apart has no such pane.
  if (logs.error.value?.code === 'not_yet') return null;
  const when = moment(since, serverNow());
  const rest = (answered?.rows.length ?? 0) - PATTERNS;
  return (
    <section class={`newlog hl ${logs.stale.value ? 'stale' : ''}`} aria-label="New in the logs">
      <div class="sec">
        <h2>{named ? `New in the logs since ${when}` : 'New in the logs'}</h2>
        <span class="grow cut">
          {rest > 0 ? `the first ${PATTERNS} of ${count(answered?.rows.length ?? 0)} kinds of` : 'kinds of'} warnings and errors never seen
          before
        </span>
        <Link href={href('/logs', { ...kept.value, q: 'logs level>=warn' })}>All warnings and errors</Link>
      </div>
      <div class="awaited">
        {logs.error.value && !answered ? (
          <p class="sm hint">
            <span class="err">{logs.error.value.message}</span> <span class="d2">{logs.error.value.hint}</span>{' '}
            <button type="button" class="link" onClick={logs.retry}>
              Retry
            </button>
          </p>
        ) : !answered ? (
          late && Array.from({ length: AWAITED }, (_, index) => <span class="skel" key={index} style={{ width: `${60 - index * 12}%` }} />)
        ) : answered.rows.length === 0 ? (
          <p class="sm d3 hint">
            Nothing new
            {answered.known > 0
              ? `: the ${plural(answered.known, 'kind')} of this range had been there before`
              : ', no warnings or errors at all'}
            .
          </p>
        ) : (
          <table class="pat">
            <tbody>
              {answered.rows.slice(0, PATTERNS).map((row) => (
                <PatternLine row={row} key={row.pattern} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

function PatternLine({ row }: { row: NewPattern }) {
  const serious = row.level === 'error' || row.level === 'fatal';
  const query = `logs ${row.service ? `${term('service', row.service)} ` : ''}${term('pattern', row.pattern)}`;
  const last = row.last ? parseInstant(row.last).ms : undefined;
  return (
    <tr>
      <td class="m r">{count(row.count)}</td>
      <td>
        <span class={`pill ${serious ? 'e' : 'w'}`}>{row.level ?? 'warn'}</span>
      </td>
      <td>
        {row.service ? (
          <span class={`svc h${hueOf(row.service)}`}>{row.service}</span>
        ) : (
          row.services > 1 && <span class="d3">{plural(row.services, 'service')}</span>
        )}
      </td>
      <td class="mono cut">
        <Link class="plain" href={href('/logs', { ...kept.value, q: query })} title={row.pattern}>
          <Holes text={row.pattern} />
        </Link>
      </td>
      <td class="r sm d3" title={last === undefined ? undefined : absolute(last)}>
        {last !== undefined && ago(last, serverNow())}
      </td>
    </tr>
  );
}
