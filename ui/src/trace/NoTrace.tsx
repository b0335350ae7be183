// A trace of which nothing is stored. What a probe has captured in it may well be: probes tell within a second, SDKs send their spans every few seconds.
import { runQuery, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { plural } from '../format/number.ts';
import { ago, clock, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { snapshotHref } from '../snapshots/links.ts';
import { shortPlace } from '../snapshots/tree.ts';
import { epoch, refresh } from '../state/live.ts';
import { hueOf } from '../state/services.ts';
import { stillDue, useAgain } from './again.ts';

const BACK_MS = 7 * 86_400_000;
const SHOWN = 20;

type Row = Pick<SnapshotLine, 'id' | 'time' | 'service' | 'file' | 'line' | 'function'>;

export function NoTrace({ id }: { id: string }) {
  const hex = /^[0-9a-f]{16,32}$/i.test(id) ? id : '';
  // Without values: reading no more than where and when enters nothing in the audit trail.
  const found = useLoad(hex, `${hex} ${epoch.value}`, async (abort) => {
    if (!hex) return [];
    const now = serverNow();
    const query = `snapshots trace=${hex} | select capture as id, time, service, file, line, function`;
    return (await runQuery<Row>(query, { from: now - BACK_MS, to: now + 60_000 }, SHOWN, abort)).rows;
  });
  const rows = found.data.value ?? [];
  const newest = Math.max(0, ...rows.map(({ time }) => parseInstant(time).ms));
  const due = stillDue(newest, serverNow());
  useAgain(due);
  if (!found.data.value && !found.error.value) return null;
  return (
    <div class="say">
      <h1>
        {rows.length === 0 ? 'No trace with this id is stored' : due ? 'Its spans are not stored yet' : 'No span of this trace was stored'}
      </h1>
      {rows.length === 0 ? (
        <p>
          No span, no log and no error of <code>{id}</code> is here. It may be older than the retention, not sampled by the service that
          began it, or not arrived yet: SDKs send every few seconds.
        </p>
      ) : (
        <>
          <p>
            {plural(rows.length, 'snapshot')} of <code>{id}</code> {rows.length === 1 ? 'is' : 'are'} here, the last of{' '}
            {ago(newest, serverNow())}.{' '}
            {due ? (
              <span role="status">SDKs send spans every few seconds: this page looks again by itself.</span>
            ) : (
              'The service that began it may not have sampled it, or sends no spans.'
            )}
          </p>
          <ul class="snapsof">
            {rows.map((row) => (
              <li key={row.id} class="row">
                <span class="dia" aria-hidden="true" />
                <Link class="mono cut" href={snapshotHref(row.id)} follow>
                  {clock(parseInstant(row.time).ms)} {row.function ?? ''} {shortPlace(row)}
                </Link>
                {row.service && <span class={`svc h${hueOf(row.service)} cut`}>{row.service}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      <div class="row">
        <button type="button" class="btn" onClick={refresh}>
          Look again
        </button>
        <a class="btn" href="/traces">
          Go to traces
        </a>
      </div>
    </div>
  );
}
