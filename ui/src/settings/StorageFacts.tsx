// What is kept how long, what it takes, and how long the room lasts.
import { getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { bytes, count, percent, plural } from '../format/number.ts';
import { dayClock, parseInstant } from '../format/time.ts';
import { Paste } from '../parts/Paste.tsx';
import { Head, Rows, When } from './common.tsx';
import { keptFor, outlook } from './outlook.ts';
import type { Storage } from './types.ts';

export function StorageFacts() {
  const load = useLoad('storage', 'storage', (abort) => getJson<Storage>('/api/v1/storage', {}, abort));
  const storage = load.data.value;
  return (
    <>
      <Head title="Storage" says={storage && outlook(storage)}>
        <button type="button" class="btn" onClick={load.retry} disabled={load.busy.value}>
          Refresh
        </button>
      </Head>
      <Rows of={load} rows={6}>
        {(data) => <Facts storage={data} />}
      </Rows>
    </>
  );
}

function Facts({ storage }: { storage: Storage }) {
  const total = storage.sources.reduce((sum, source) => sum + source.bytes, 0);
  return (
    <>
      {!storage.takes_records && (
        <p class="set-note err" role="alert">
          The store takes no records at the moment: {storage.why ?? 'it does not say why'}.
        </p>
      )}
      <dl class="facts">
        <Fact name="Kept">{storage.retention ? keptFor(storage.retention) : 'no age limit'}</Fact>
        <Fact name="Snapshots kept" title="what probes have captured">
          {storage.snapshot_retention ? keptFor(storage.snapshot_retention) : 'no age limit'}
        </Fact>
        <Fact name="Disk cap">{storage.disk_cap ? bytes(storage.disk_cap) : 'none'}</Fact>
        <Fact name="In parts">{bytes(storage.part_bytes)}</Fact>
        <Fact name="Commit log" title={plural(storage.log_files, 'file')}>
          {bytes(storage.log_bytes)}
        </Fact>
        {storage.disk_free !== undefined && (
          <Fact name="Free on the disk" title={`of ${bytes(storage.disk_total ?? 0)}`}>
            {bytes(storage.disk_free)}
          </Fact>
        )}
        <Fact name="A day, at present">{storage.bytes_a_day ? bytes(storage.bytes_a_day) : 'not known yet'}</Fact>
      </dl>
      <Hours storage={storage} />
      <div class="sec hl">
        <h2>By kind</h2>
        <span class="grow">{plural(storage.parts, 'part')}, immutable, dropped as a whole when their time is over</span>
      </div>
      {storage.sources.length === 0 ? (
        <p class="set-note d2">
          No part has been written yet{storage.head_rows ? `: ${plural(storage.head_rows, 'record')} are in the log and in memory` : ''}.
        </p>
      ) : (
        <table class="tbl">
          <thead>
            <tr>
              <th>Kind</th>
              <th class="r">On disk</th>
              <th class="wide">
                <span class="only-read">Share</span>
              </th>
              <th class="r">Records</th>
              <th class="r wide">Bytes each</th>
              <th class="r wide">Parts</th>
              <th>Oldest</th>
            </tr>
          </thead>
          <tbody>
            {storage.sources.map((source) => (
              <tr key={source.source}>
                <td class="m">{source.source}</td>
                <td class="r">{bytes(source.bytes)}</td>
                <td class="wide">
                  <svg class="stored" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={percent(source.bytes / total)}>
                    <rect width="100" height="6" class="stored-all" />
                    <rect width={(100 * source.bytes) / total} height="6" class="stored-part" />
                  </svg>
                </td>
                <td class="r">{count(source.rows)}</td>
                <td class="r wide">{each(source.bytes, source.rows)}</td>
                <td class="r wide">{count(source.parts)}</td>
                <td>
                  <When at={source.oldest} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <dl class="facts hl">
        <Fact name="Not in a part yet" title={`${bytes(storage.head_bytes)} of memory; durable in the log`}>
          {plural(storage.head_rows, 'record')}
        </Fact>
        <Fact name="Still to be rewritten" title="by sealing and merging">
          {plural(storage.merge_debt_rows, 'record')}
        </Fact>
        <Fact name="Parts dropped since the start">{count(storage.parts_expired)}</Fact>
        <Fact name="Sent twice, kept once">{count(storage.duplicates_dropped)}</Fact>
      </dl>
      <div class="sec hl">
        <h2>Change what is kept</h2>
        <span class="grow">for all projects alike; holds from the next start, no record is lost by starting again</span>
      </div>
      <div class="set-paste">
        <Paste
          name="flags of the server"
          text={`clew serve --data ${storage.directory} --retention 30d --snapshot-retention 7d --disk-cap 100GB`}
        />
        <Paste name="/etc/clew/clew.conf" text={'retention = 30d\nsnapshot_retention = 7d\ndisk_cap = 100GB'} />
      </div>
    </>
  );
}

/** Bytes a record; a fraction where it is small. */
function each(size: number, rows: number): string {
  if (rows === 0) return '';
  const one = size / rows;
  return one < 10 ? `${one.toFixed(1)}\u202fB` : bytes(Math.round(one));
}

function Fact({ name, title, children }: { name: string; title?: string; children: preact.ComponentChildren }) {
  return (
    <div title={title}>
      <dt class="sm d3">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const HEIGHT = 64;

/** Bytes by the hour of arrival. The last hour has not ended. */
function Hours({ storage }: { storage: Storage }) {
  const hours = storage.sources.reduce<number[]>(
    (sum, source) => source.hours.map((value, hour) => value + (sum[hour] ?? 0)),
    new Array<number>(48).fill(0),
  );
  const most = Math.max(...hours, 1);
  const from = parseInstant(storage.hours_from).ms;
  const peak = hours.indexOf(Math.max(...hours));
  const has = hours.some((value) => value >= 1);
  const label = has
    ? `Written by hour, the last 48: most at ${dayClock(from + peak * 3_600_000)}, ${bytes(hours[peak] ?? 0)}`
    : 'Nothing written in the last 48 hours';
  return (
    <figure class="hours">
      <figcaption class="sm d3">
        Written by hour of arrival, on disk{has ? `; at most ${bytes(most)} an hour` : ': nothing in 48 h'}
      </figcaption>
      <svg viewBox={`0 0 480 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {[0, 0.5, 1].map((line) => (
          <line key={line} x1="0" x2="480" y1={HEIGHT - 1 - line * (HEIGHT - 2)} y2={HEIGHT - 1 - line * (HEIGHT - 2)} class="hours-line" />
        ))}
        {hours.map((value, hour) => {
          const height = value >= 1 ? Math.max(1, (value / most) * (HEIGHT - 4)) : 0;
          return (
            <rect
              key={hour}
              x={hour * 10 + 1}
              width="8"
              y={HEIGHT - 1 - height}
              height={height}
              class={hour === 47 ? 'hours-now' : 'hours-bar'}
            >
              <title>{`${dayClock(from + hour * 3_600_000)}: ${bytes(value)}${hour === 47 ? ' so far' : ''}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="hours-axis xs d3" aria-hidden="true">
        {[0, 12, 24, 36, 47].map((hour) => (
          <span key={hour}>{hour === 47 ? 'now' : dayClock(from + hour * 3_600_000)}</span>
        ))}
      </div>
    </figure>
  );
}
