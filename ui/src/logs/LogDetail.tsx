import { ChartNoAxesGantt, X } from 'lucide';
import type { LogRow, Value } from '../api/types.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Attributes, valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term } from '../query/write.ts';
import { hueOf } from '../state/services.ts';
import { logText } from '../trace/model.ts';

interface Props {
  row: LogRow;
  close: () => void;
  narrow: (term: string) => void;
  toTrace: () => void;
}

/** One line in full. Each value can narrow the list to it, or to everything else. */
export function LogDetail({ row, close, narrow, toTrace }: Props) {
  const { ms } = parseInstant(row.time);
  const text = logText(row);
  const service = row.service ?? 'unknown service';
  const filter = (prefix: string) => (name: string, value: Value) => [
    { label: 'only', run: () => narrow(term(prefix + name, value)) },
    { label: 'not', run: () => narrow(term(prefix + name, value, true)) },
  ];
  const stack = row.attr?.['exception.stacktrace'];
  return (
    <>
      <div class="ph">
        <div class="row phead">
          <span class="grow cut">
            <span class={`svc h${hueOf(service)} m`}>{service}</span>&ensp;<b class={`lv ${row.level ?? ''}`}>{row.level ?? 'no level'}</b>
            &ensp;
            <span class="mono d2" title={absolute(ms)}>
              {clock(ms)}
            </span>
          </span>
          <button type="button" class="btn g s i" aria-label="Close" title="Close (Esc)" onClick={close}>
            <Icon icon={X} size={14} />
          </button>
        </div>
        <div class="row pacts">
          {row.trace ? (
            <button type="button" class="btn s" onClick={toTrace}>
              <Icon icon={ChartNoAxesGantt} size={14} />
              Its trace <span class="mono d3">{row.trace.slice(0, 8)}</span>
            </button>
          ) : (
            <span class="why">written outside of any trace</span>
          )}
        </div>
      </div>
      <div class="scroll grow pbody hl" tabIndex={0} role="region" aria-label="The line in full">
        <div class="sec">
          <h2>Message</h2>
          <span class="grow" />
          <CopyButton text={text} label="Copy" />
        </div>
        <pre class="code wrap stmt">{text}</pre>
        {typeof stack === 'string' && (
          <div class="exc hl">
            <b class="err">{valueText(row.attr?.['exception.type'] ?? 'Exception')}</b>
            <p class="code wrap">{valueText(row.attr?.['exception.message'] ?? '')}</p>
            <details>
              <summary class="link sm">Stack trace</summary>
              <pre class="code scroll">{stack}</pre>
            </details>
          </div>
        )}
        <div class="sec hl">
          <h2>Attributes</h2>
          <span class="grow">{Object.keys(row.attr ?? {}).length}</span>
          <CopyButton text={JSON.stringify(row, null, 2)} label="Copy JSON" />
        </div>
        {row.attr && Object.keys(row.attr).length > 0 ? (
          <Attributes bag={row.attr} actions={filter('attr.')} />
        ) : (
          <p class="nothing why">This line has none.</p>
        )}
        <div class="sec hl">
          <h2>Resource</h2>
          <span class="grow">{Object.keys(row.resource ?? {}).length}</span>
        </div>
        <Attributes bag={row.resource ?? {}} actions={filter('resource.')} />
        {row.scope && Object.keys(row.scope).length > 0 && (
          <>
            <div class="sec hl">
              <h2>Scope</h2>
            </div>
            <Attributes bag={row.scope} actions={filter('scope.')} />
          </>
        )}
      </div>
    </>
  );
}
