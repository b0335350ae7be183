// Messages: which have arrived, which wait to be tried again, and what the other side said.
import { useState } from 'preact/hooks';
import { type Channel, type Delivery, loadDeliveries } from '../api/alerts.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { useEvery } from '../parts/every.ts';
import { Link } from '../parts/Link.tsx';
import { Rows, useDeed, When } from '../settings/common.tsx';

const TONES: Record<Delivery['state'], string> = { sent: 'k', waiting: 'w', failed: 'e' };
const EVERY_MS = 5000;

export function Deliveries({ channels, rule }: { channels: readonly Channel[]; rule?: number }) {
  const turn = useEvery(EVERY_MS);
  const about = rule === undefined ? {} : { rule };
  const list = useLoad(`deliveries ${rule}`, `deliveries ${rule} ${turn}`, (abort) => loadDeliveries({ limit: 100, ...about }, abort));
  const [older, setOlder] = useState<{ deliveries: Delivery[]; next?: number } | undefined>();
  const deed = useDeed();
  return (
    <Rows of={list} rows={6}>
      {(first) => {
        const before = older ? older.next : first.next;
        const known = new Set(first.deliveries.map((one) => one.id));
        const shown = [...first.deliveries, ...(older?.deliveries ?? []).filter((one) => !known.has(one.id))];
        const more = () =>
          deed.run(async () => {
            const page = await loadDeliveries({ limit: 200, ...about, ...(before !== undefined && { before }) });
            setOlder({
              deliveries: [...(older?.deliveries ?? []), ...page.deliveries],
              ...(page.next !== undefined && { next: page.next }),
            });
          });
        if (shown.length === 0)
          return (
            <div class="say">
              <h2>Nothing was sent</h2>
              <p>When a rule fires, each of its channels gets a message. What cannot be delivered is tried again, and stands here.</p>
            </div>
          );
        return (
          <>
            <table class="tbl dtbl">
              <thead>
                <tr>
                  <th>State</th>
                  <th>To</th>
                  {rule === undefined && <th class="wide">Rule</th>}
                  <th class="wide">About</th>
                  <th class="r wide">Attempts</th>
                  <th>Answer</th>
                  <th class="r">When</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((one) => (
                  <tr key={one.id}>
                    <td>
                      <span class={`pill ${TONES[one.state]}`}>{one.state}</span>
                    </td>
                    <td class="cut">
                      {one.channel_name ?? channels.find((channel) => channel.id === one.channel)?.name ?? 'a channel that is gone'}
                    </td>
                    {rule === undefined && (
                      <td class="cut wide">
                        <Link class="plain" href={`/alerts/${one.rule}`} follow>
                          {one.rule_name ?? `rule ${one.rule}`}
                        </Link>
                      </td>
                    )}
                    <td class="wide">{plural(one.firings, 'firing')}</td>
                    <td class="r wide">{one.attempts}</td>
                    <td class="cut answer" title={one.answer}>
                      {one.answer ?? <span class="d3">{one.attempts === 0 ? 'not tried yet' : 'none'}</span>}
                      {one.state === 'waiting' && one.due && one.attempts > 0 && (
                        <span class="d3">
                          , again <When at={one.due} />
                        </span>
                      )}
                    </td>
                    <td class="r">
                      <When at={one.done ?? one.created} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {before !== undefined && (
              <div class="amore">
                <button type="button" class="btn" disabled={deed.busy} onClick={() => void more()}>
                  Older
                </button>
                {deed.error && <span class="err sm">{deed.error.message}</span>}
              </div>
            )}
          </>
        );
      }}
    </Rows>
  );
}
