// What a probe has captured so far, newest first, as it comes.
import { ExternalLink } from 'lucide';
import type { ApiError } from '../api/client.ts';
import type { Probe } from '../api/probes.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { href } from '../state/route.ts';
import { firstError, hitsWords, isAlive, notYet } from './words.ts';

interface Props {
  probe: Probe;
  hits: readonly SnapshotLine[] | undefined;
  error: ApiError | undefined;
  retry: () => void;
  chosen: string | undefined;
  other: string | undefined;
  choose: (hit: SnapshotLine) => void;
  compare: (hit: SnapshotLine) => void;
  listening: boolean;
}

const COLUMNS = 4;

/** The names that the hits have plain values of, in the order of the newest that has them. */
export function columnsOf(hits: readonly SnapshotLine[]): string[] {
  return [...new Set(hits.flatMap((hit) => Object.keys(hit.columns ?? {})))].slice(0, COLUMNS);
}

const isNumber = (text: string | undefined) => text !== undefined && /^-?\d/.test(text);

export function Hits({ probe, hits, error, retry, chosen, other, choose, compare, listening }: Props) {
  const columns = columnsOf(hits ?? []);
  const right = new Set(columns.filter((name) => hits?.every((hit) => hit.columns?.[name] === undefined || isNumber(hit.columns[name]))));
  const failed = firstError(probe);
  const alive = isAlive(probe) && !probe.paused;
  return (
    <section class="hits" aria-label="Hits">
      <div class="sec">
        <h2>Hits</h2>
        <span class="grow nw cut" role="status">
          {hitsWords(probe)}
        </span>
        {failed && (
          <span class="sm err cut" title={failed}>
            first failure: {failed}
          </span>
        )}
        <span class={`row sm nw ${alive && listening ? 'okc' : 'd3'}`}>
          <span class={`dot ${alive && listening ? 'k' : ''}`} />
          {!alive ? (probe.paused ? 'paused' : 'ended') : listening ? 'listening' : 'reconnecting'}
        </span>
      </div>
      {error && !hits ? (
        <p class="hsay" role="alert">
          <span class="err">{error.message}</span> {error.hint}{' '}
          <button type="button" class="link" onClick={retry}>
            Retry
          </button>
        </p>
      ) : hits?.length === 0 ? (
        <p class="hsay d2">
          {probe.kind === 'log' ? (
            <>
              Its lines go to the logs.{' '}
              <Link class="link" href={href('/logs', { q: `logs probe='${probe.id}'` })} follow>
                Read them there
              </Link>
            </>
          ) : alive ? (
            `Listening, nothing yet: ${notYet(probe)}.`
          ) : (
            'It captured nothing.'
          )}
        </p>
      ) : (
        <div class="scroll htab" tabIndex={0} role="region" aria-label="Table of hits">
          <table class="ht">
            <thead>
              <tr>
                <th>
                  <span class="only-read">Chosen</span>
                </th>
                <th>Time</th>
                <th class="wide">Instance</th>
                {columns.map((name) => (
                  <th key={name} class={`mono ${right.has(name) ? 'r' : ''}`}>
                    {name}
                  </th>
                ))}
                <th>Trace</th>
                <th>
                  <span class="only-read">Compare</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {hits?.map((hit) => {
                const { ms } = parseInstant(hit.time);
                return (
                  <tr key={hit.id} class={hit.id === chosen ? 'sel' : hit.id === other ? 'sel2' : ''} onClick={() => choose(hit)}>
                    <td>
                      <span class={`dia ${hit.id === chosen ? '' : 'h'}`} />
                    </td>
                    <td class="mono">
                      <button type="button" class="plain" title={absolute(ms)} aria-pressed={hit.id === chosen} onClick={() => choose(hit)}>
                        {clock(ms)}
                      </button>
                    </td>
                    <td class="mono d2 wide cut">{hit.instance ?? hit.process ?? ''}</td>
                    {columns.map((name) => (
                      <td key={name} class={`mono hv cut ${right.has(name) ? 'r' : ''}`} title={hit.columns?.[name]}>
                        {hit.columns?.[name] ?? <span class="d3">–</span>}
                      </td>
                    ))}
                    <td>
                      {hit.trace ? (
                        <span onClick={(event) => event.stopPropagation()}>
                          <Link class="mono" href={href(`/traces/${hit.trace}`, { span: hit.span })} follow title="Its trace">
                            {hit.trace.slice(0, 8)}
                          </Link>
                        </span>
                      ) : (
                        <span class="d3">none</span>
                      )}
                    </td>
                    <td class="r nw">
                      {hit.event && (
                        <span onClick={(event) => event.stopPropagation()}>
                          <Link class="sm" href={`/events/${hit.event}`} follow title="The issue of this capture">
                            issue
                          </Link>{' '}
                        </span>
                      )}
                      {chosen && hit.id !== chosen ? (
                        <button
                          type="button"
                          class="link sm"
                          aria-pressed={hit.id === other}
                          onClick={(event) => {
                            event.stopPropagation();
                            compare(hit);
                          }}
                        >
                          {hit.id === other ? 'compared' : 'compare'}
                        </button>
                      ) : (
                        <Link class="link sm" href={`/snapshots/${hit.id}`} follow aria-label="Open the snapshot alone">
                          <Icon icon={ExternalLink} size={12} />
                        </Link>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
