// The thread of what has and has not arrived, and the last requests.
import { useState } from 'preact/hooks';
import type { Agent } from '../api/agents.ts';
import type { Loaded } from '../api/load.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { CopyButton, Paste } from '../parts/Paste.tsx';
import { Failure } from '../parts/States.tsx';
import { agentName, conclusion, type Knot, knots, type Recent, type SetupAnswer } from './thread.ts';

interface Props {
  load: Loaded<SetupAnswer>;
  service: string;
  makeKey: (() => Promise<void>) | undefined;
  agents: readonly Agent[] | undefined;
  /** What is waited for: events of an SDK of Sentry's. */
  sentry: boolean;
}

export function Door({ load, service, makeKey, agents, sentry }: Props) {
  const answer = load.data.value;
  const error = load.error.value;
  const now = answer ? parseInstant(answer.now).ms : 0;
  return (
    <aside class="door vl scroll" aria-label="What has arrived">
      {!answer && error && <Failure error={error} retry={load.retry} />}
      {!answer && !error && <Skeleton />}
      {answer && (
        <>
          <header class="door-head">
            <p class="xs d3" title={absolute(parseInstant(answer.since).ms)}>
              {error
                ? 'Clew does not answer; trying again'
                : `Since ${clock(parseInstant(answer.since).ms).slice(0, 5)}, when the server started`}
            </p>
            <h2 aria-live="polite">{conclusion(answer, service, sentry)}</h2>
          </header>
          <ol class="knots">
            {knots(answer, service, agents, sentry).map((knot) => (
              <KnotRow key={knot.id} knot={knot} now={now} makeKey={makeKey} />
            ))}
          </ol>
          {!sentry && <Next answer={answer} service={service} />}
          <div class="sec hl">
            <h2>At the door</h2>
            <span class="grow">last requests, kept or not</span>
          </div>
          {answer.recent.length === 0 ? (
            <p class="door-none sm d3">None yet. What knocks shows here, also when it is refused.</p>
          ) : (
            <table class="knocks">
              <thead class="only-read">
                <tr>
                  <th>When</th>
                  <th>What</th>
                  <th>Outcome</th>
                </tr>
              </thead>
              <tbody>
                {answer.recent.slice(0, 12).map((entry) => (
                  <Knock key={`${entry.time} ${entry.path}`} entry={entry} />
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
      <div class="no-service">
        <div class="grow">
          <b>No service at hand?</b>
          <p class="sm d2">
            <code>clew demo</code> runs a small shop with a real bug.
          </p>
        </div>
        <CopyButton text="clew demo" label="Copy" />
      </div>
    </aside>
  );
}

function KnotRow({ knot, now, makeKey }: { knot: Knot; now: number; makeKey: (() => Promise<void>) | undefined }) {
  const { problem } = knot;
  const [busy, setBusy] = useState(false);
  const keyTrouble = problem && ['unknown_key', 'no_key', 'no_scope', 'bad_authorization'].includes(problem.code);
  return (
    <li class={knot.state}>
      <span class="k" aria-hidden="true" />
      <div class="grow">
        <div class="row">
          <span class="m grow">{knot.title}</span>
          {knot.mark && <span class={`xs nw ${knot.state === 'ok' ? 'okc' : 'd3'}`}>{knot.mark}</span>}
          {knot.link && (
            <Link class="link xs nw" href={knot.link.href} follow>
              {knot.link.label}
            </Link>
          )}
        </div>
        <p class="sm d">
          {knot.says}
          {knot.at && !problem && <span class="nw">, {ago(parseInstant(knot.at).ms, now)}</span>}
        </p>
        {problem && (
          <>
            <p class="sm fix">{problem.fix}</p>
            {problem.paste && <Paste name={problem.paste.includes('\n') ? 'config.yaml' : 'instead'} text={problem.paste} />}
            <p class="xs d3 cut" title={problem.agent}>
              {agentName(problem.agent)} from {problem.peer}
              {problem.path ? `, ${problem.method} ${problem.path}` : `, port ${problem.port}`}, {ago(parseInstant(problem.last).ms, now)}
            </p>
            {keyTrouble && makeKey && (
              <button
                type="button"
                class="btn s"
                disabled={busy}
                onClick={() => {
                  setBusy(true);
                  void makeKey().finally(() => setBusy(false));
                }}
              >
                Make a key
              </button>
            )}
          </>
        )}
      </div>
    </li>
  );
}

function Next({ answer, service }: { answer: SetupAnswer; service: string }) {
  const has = (signal: string) => answer.arrived.some((entry) => entry.signal === signal && (!service || entry.services.includes(service)));
  const filter = service ? ` service=${/^[\w.-]+$/.test(service) ? service : JSON.stringify(service)}` : '';
  const links = [
    ...(has('traces') ? [['Its traces', `/traces?q=${encodeURIComponent(`spans${filter}`)}`] as const] : []),
    ...(has('logs') ? [['Its logs', `/logs?q=${encodeURIComponent(`logs${filter}`)}`] as const] : []),
  ];
  if (links.length === 0) return null;
  return (
    <div class="row door-next">
      {links.map(([label, to]) => (
        <Link class="btn" key={to} href={to} follow>
          {label}
        </Link>
      ))}
    </div>
  );
}

const WORDS: Record<string, string> = { tls_on_plain: 'TLS', plain_on_tls: 'no TLS', certificate: 'certificate' };

function Knock({ entry }: { entry: Recent }) {
  const { ms } = parseInstant(entry.time);
  const what = entry.method ? `${entry.method} ${shortPath(entry.path ?? '')}` : 'TLS handshake';
  const good = entry.code === 'accepted';
  return (
    <tr title={`${entry.agent ?? ''} from ${entry.peer}: ${entry.code}`}>
      <td class="mono d3" title={absolute(ms)}>
        {clock(ms).slice(0, 8)}
      </td>
      <td class="mono cut">
        {what}
        {entry.repeats > 1 && <span class="d3"> ×{entry.repeats}</span>}
      </td>
      <td class="r">
        <span class={`pill ${good ? 'k' : 'e'}`}>{entry.status ?? WORDS[entry.code] ?? 'cut'}</span>
      </td>
    </tr>
  );
}

/** gRPC's long names by what tells them apart. */
function shortPath(path: string): string {
  return path.replace(/^\/opentelemetry\.proto\.collector\.[a-z]+\.v1(?:development)?\./, '…');
}

/** Of the height that the thread has before anything has arrived. */
function Skeleton() {
  const line = (width: string, height: string) => <span class="skel" style={{ width, height }} />;
  return (
    <div aria-hidden="true">
      <header class="door-head">
        <p class="xs waits">{line('160px', '10px')}</p>
        <div class="waits tall">{line('240px', '18px')}</div>
      </header>
      <ol class="knots">
        {['55%', '70%', '60%', '80%', '65%', '75%', '60%'].map((width) => (
          <li class="todo" key={width}>
            <span class="k" />
            <div class="grow">
              <div class="row waits">{line('96px', '10px')}</div>
              <p class="sm d waits low">{line(width, '8px')}</p>
            </div>
          </li>
        ))}
      </ol>
      <div class="sec hl" />
      <p class="door-none sm">{'\u00a0'}</p>
    </div>
  );
}
