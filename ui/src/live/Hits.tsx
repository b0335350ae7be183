// What a probe has captured so far, newest first, as it comes.
import { ExternalLink } from 'lucide';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Probe } from '../api/probes.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Shares } from '../parts/Shares.tsx';
import { href } from '../state/route.ts';
import { differences, type End, loadDiffer, loadEnds, nothingDiffers } from './ended.ts';
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
  const [differs, setDiffers] = useState(false);
  const traced = hits?.some((hit) => hit.trace) ?? false;
  // Spans come a moment after the hit that they are of: what is not known yet is asked for again with the next hit.
  const ends = useLoad(traced ? `ends ${probe.id}` : '', `ends ${probe.id} ${hits?.[0]?.id}`, (abort) =>
    traced ? loadEnds(probe, abort) : Promise.resolve(undefined),
  );
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
        {traced && (
          <span class="seg s" role="group" aria-label="Hits as">
            <button type="button" aria-pressed={!differs} onClick={() => setDiffers(false)}>
              Table
            </button>
            <button
              type="button"
              aria-pressed={differs}
              title="What the hits of requests that failed have, and the others have not"
              onClick={() => setDiffers(true)}
            >
              What differs
            </button>
          </span>
        )}
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
      ) : differs && traced ? (
        <Differs key={probe.id} probe={probe} newest={hits?.[0]?.id} />
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
                {traced && <th>Ended</th>}
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
                    {traced && (
                      <td>
                        <Ended end={hit.trace ? ends.data.value?.get(hit.trace) : undefined} />
                      </td>
                    )}
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

/** Nothing while its trace has sent nothing. */
function Ended({ end }: { end: End | undefined }) {
  return end === 'error' ? <span class="pill e">error</span> : <span class="d3">{end ?? ''}</span>;
}

function Differs({ probe, newest }: { probe: Probe; newest: string | undefined }) {
  const found = useLoad(`differs ${probe.id}`, `differs ${probe.id} ${newest}`, (abort) => loadDiffer(probe, abort));
  const answer = found.data.value;
  const rows = differences(answer?.rows ?? []);
  if (found.error.value && !answer)
    return (
      <p class="hsay" role="alert">
        <span class="err">{found.error.value.message}</span> {found.error.value.hint}{' '}
        <button type="button" class="link" onClick={found.retry}>
          Retry
        </button>
      </p>
    );
  if (!answer) return <p class="hsay d3">{'\u00a0'}</p>;
  if (rows.length === 0) return <p class="hsay d2">{nothingDiffers(answer.stats.compared)}</p>;
  return (
    <div class="scroll htab" tabIndex={0} role="region" aria-label="What differs">
      <Shares sides={['Failed', 'Others']} rows={rows} />
    </div>
  );
}
