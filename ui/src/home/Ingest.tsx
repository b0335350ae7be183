// Is everything that is sent also kept?
import { getJson, runQuery, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { bytes, count } from '../format/number.ts';
import { ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { range, rangeKey } from '../state/live.ts';
import { href } from '../state/route.ts';
import { scope, scoped } from '../state/scope.ts';
import { type IngestAnswer, ingestState, perSecond } from './ingest.ts';

const WINDOW_MS = 60_000;
export const INGEST_QUERY = '* | stats count() as n by source';
const KINDS: [string, string, string | undefined][] = [
  ['spans', 'Spans', '/traces'],
  ['logs', 'Logs', '/logs'],
  ['metrics', 'Metric points', undefined],
];

export function Ingest() {
  const within = JSON.stringify(scope.value);
  const loaded = useLoad(
    within,
    `${within} ${rangeKey.value}`,
    async (abort) => {
      const now = serverNow();
      const [totals, rows] = await Promise.all([
        getJson<IngestAnswer>('/api/v1/ingest', {}, abort),
        runQuery<{ source: string; n: number }>(scoped(INGEST_QUERY), { from: now - WINDOW_MS, to: now }, 10, abort),
      ]);
      return { totals, rates: new Map(rows.rows.map((row) => [row.source, row.n / (WINDOW_MS / 1000)])) };
    },
    true,
  );
  const { value: data } = loaded.data;
  const error = loaded.error.value;
  // A reader of one project has no say in the whole.
  if (error?.status === 403) return null;
  const state = data && ingestState(data.totals);
  const store = data?.totals.store;
  return (
    <section class="ingest hl" aria-label="Ingest">
      <div class="sec">
        <h2>Ingest</h2>
        {state && (
          <span class={`pill ${state.mood}`} title={state.why}>
            {state.word}
          </span>
        )}
        <span class="grow" />
        <span class="sm d3">in the last minute</span>
      </div>
      {error && !data ? (
        <p class="sm hint">
          <span class="err">{error.message}</span>{' '}
          <button type="button" class="link" onClick={loaded.retry}>
            Retry
          </button>
        </p>
      ) : (
        <>
          <table class="ing">
            <thead>
              <tr class="th">
                <td />
                {KINDS.map(([source, label]) => (
                  <th scope="col" class="r" key={source}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row" class="d3">
                  in /s
                </th>
                {KINDS.map(([source, , page]) => {
                  const rate = data ? perSecond(data.rates.get(source) ?? 0) : '';
                  return (
                    <td class="r" key={source}>
                      {page && data ? (
                        <Link class="plain" href={href(page, { q: scoped(source), from: '-5m' })}>
                          {rate}
                        </Link>
                      ) : (
                        rate
                      )}
                    </td>
                  );
                })}
              </tr>
            </tbody>
          </table>
          <p class="sm d2 note2">
            <span>
              {store &&
                `Disk ${bytes(store.bytes)}${store.cap ? ` of ${bytes(store.cap)}` : ''}${store.free !== undefined ? `, ${bytes(store.free)} free` : ''}`}
            </span>
            <span class={state?.refused ? 'wrn' : 'd3'} title={state?.why}>
              {data && `${count(state?.refused ?? 0)} refused since the start, ${ago(parseInstant(data.totals.since).ms, range.value.to)}`}
            </span>
          </p>
        </>
      )}
    </section>
  );
}
