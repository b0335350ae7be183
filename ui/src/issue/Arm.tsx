// "Capture locals next time": the button at the frame that raised, and what has become of it.
import { Crosshair } from 'lucide';
import { serverNow } from '../api/client.ts';
import type { Probe } from '../api/probes.ts';
import { plural } from '../format/number.ts';
import { ago } from '../format/time.ts';
import { ToneIcon } from '../live/Marks.tsx';
import { instanceSaid, nameOf, placementSaid, placeOf } from '../live/words.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { href } from '../state/route.ts';
import type { Arming, Obstacle } from './arming.ts';
import { ARM_HITS, ARM_TTL_S, placedOf, unsupported, waits } from './capture.ts';

export function ArmButton({ arming }: { arming: Arming }) {
  const { probe, busy, ready, arm, target } = arming;
  if (probe && waits(probe)) return null;
  return (
    <button
      type="button"
      class="btn live s armb"
      disabled={busy || !ready}
      title={`When ${target.where.exception} is raised there again, all its locals are taken: the next ${ARM_HITS} times, for at most ${ARM_TTL_S / 3600} hours, without a restart`}
      onClick={arm}
    >
      <Icon icon={Crosshair} size={14} />
      {probe ? 'Capture again' : 'Capture locals next time'}
    </button>
  );
}

/** own: no SDK reports it, so that each capture is an event as well. */
export function ArmStrip({ arming, own }: { arming: Arming; own: boolean }) {
  const { probe, error, asked, obstacle } = arming;
  if (!probe && !error && !(asked && obstacle)) return null;
  return (
    <div class="armed sm" role="status">
      {error && (
        <p role="alert">
          <span class="err">{error.message}</span> {error.hint}
        </p>
      )}
      {asked && obstacle ? <InTheWay obstacle={obstacle} /> : probe && <Waiting arming={arming} own={own} />}
    </div>
  );
}

const hour = (text: string) => {
  const at = new Date(text);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
};

function Waiting({ arming, own }: { arming: Arming; own: boolean }) {
  const { probe, hits, busy, stop, atLine, target } = arming;
  if (!probe) return null;
  const alive = waits(probe);
  const { placed, of, refusals } = placedOf(probe);
  const newest = hits[0];
  const onLive = href('/live', { service: probe.service, probe: probe.id });
  return (
    <>
      <div class="row armrow">
        <span class={`dia ${probe.captures > 0 ? '' : 'h'} ${alive ? '' : 'off'}`} aria-hidden="true" />
        <p class="grow">
          {alive ? (
            <>
              {probe.where.exception ? (
                <>
                  <b>Waits for the next {probe.where.exception}</b>
                  {probe.where.function && (
                    <>
                      {' in '}
                      <code>{probe.where.function}</code>
                    </>
                  )}
                </>
              ) : (
                <>
                  <b>
                    Takes the locals when <code>{placeOf(probe.where)}</code> is reached
                  </b>
                  ; those of a request that fails show here, with its event
                </>
              )}
              . {placedText(probe, placed, of)}{' '}
              {probe.captures > 0 && newest
                ? `Captured ${probe.captures} of ${probe.hits}, the last ${ago(Date.parse(newest.time), serverNow())}.`
                : `Takes at most ${probe.hits}, until ${hour(probe.expires)}.`}
              {own && probe.where.exception && ' Each becomes an event as well.'}
            </>
          ) : probe.captures > 0 ? (
            <>
              <b>Captured {probe.captures === 1 ? 'once' : `${probe.captures} times`}</b> by a probe that has ended.
              {newest && ` The last ${ago(Date.parse(newest.time), serverNow())}.`}
            </>
          ) : (
            <>A probe waited for it until {hour(probe.expires)}: it was not raised there.</>
          )}
        </p>
        <Link href={onLive} follow>
          On the Live page
        </Link>
        {alive && (
          <button type="button" class="btn s" disabled={busy} onClick={stop}>
            Stop
          </button>
        )}
      </div>
      {alive && refusals.length > 0 && (
        <ul class="whys2">
          {refusals.slice(0, 4).map((one) => {
            const said = placementSaid(one, undefined);
            return (
              <li key={one.code}>
                <ToneIcon tone={said.tone} />
                <span>
                  <span class="mono">{nameOf(one)}</span> {said.text} {said.way && <span class="d2">{said.way}</span>}{' '}
                  <code class="d3">{said.code}</code>
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {alive && target.line && unsupported(probe) && (
        <p>
          <button type="button" class="btn s" disabled={busy} onClick={atLine}>
            <Icon icon={Crosshair} size={14} />
            Capture at line {target.line.line} instead
          </button>
        </p>
      )}
    </>
  );
}

function placedText({ service }: Probe, placed: number, of: number): string {
  const many = plural(of, 'process', 'processes');
  if (of === 0) return `On its way to ${service}.`;
  return placed > 0 ? `Placed in ${placed} of ${many} of ${service}.` : `Placed in none of ${many} of ${service} yet.`;
}

function InTheWay({ obstacle }: { obstacle: Obstacle }) {
  switch (obstacle.why) {
    case 'scope':
      return (
        <p>
          Placing a probe takes the scope <code>probe</code>, which you do not have. Who administers this Clew can give it to you under
          Settings, Users.
        </p>
      );
    case 'agent':
      return (
        <p>
          <b>No host has an agent yet.</b> One <code>clew agent</code> a host takes the locals from outside, without a restart.{' '}
          <Link class="link" href="/live" follow>
            Put one on the host
          </Link>
        </p>
      );
    case 'service':
      return (
        <>
          <p>
            <b>No live process is called {obstacle.names.slice(0, 3).join(' or ') || 'as the event says: it names no service'}.</b>{' '}
            {obstacle.seen.length > 0
              ? `The agents see ${obstacle.seen.slice(0, 6).join(', ')}${obstacle.seen.length > 6 ? ` and ${obstacle.seen.length - 6} more` : ''}.`
              : 'The agents see no process of yours.'}{' '}
            Start an agent on the host where it runs, or name the process so:{' '}
            <Link class="link" href="/live" follow>
              which processes there are
            </Link>
          </p>
          {obstacle.names[0] && <Paste name="where it is started" text={`OTEL_SERVICE_NAME=${obstacle.names[0]}`} />}
        </>
      );
    case 'environment':
      return (
        <p>
          <b>
            No process of {obstacle.service} runs in {obstacle.wanted}
          </b>{' '}
          under an agent: those that it sees are in {obstacle.found.join(', ')}.
        </p>
      );
    case 'instances':
      return (
        <>
          <p>
            <b>No process of {obstacle.service} takes a probe now.</b>{' '}
            {obstacle.instances.length === 0 && 'They have ended, or the agent of their host is away.'}
          </p>
          <ul class="whys2">
            {obstacle.instances.slice(0, 4).map((one) => {
              const said = instanceSaid(one);
              return (
                <li key={`${one.agent} ${one.id}`}>
                  <ToneIcon tone={said.tone} />
                  <span>
                    <span class="mono">{nameOf(one)}</span> {said.text} {said.way && <span class="d2">{said.way}</span>}
                  </span>
                </li>
              );
            })}
          </ul>
        </>
      );
  }
}
