// One line in full, under it: all fields, what each can do for the query, and where the line leads.
import { Braces, ChartNoAxesGantt, OctagonAlert, Rows3 } from 'lucide';
import { useState } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { LogRow, Value } from '../api/types.ts';
import { absolute, parseInstant } from '../format/time.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Holes } from '../parts/Holes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term } from '../query/write.ts';
import { CaptureHere } from '../snapshots/CaptureHere.tsx';
import { ownCode } from '../snapshots/code.ts';
import { FromProbe } from '../snapshots/FromProbe.tsx';
import { type Field, fieldsOf, queryName } from './fields.ts';
import { safeText } from './text.ts';

interface Props {
  row: LogRow;
  columns: readonly string[];
  narrow: (term: string) => void;
  column: (name: string) => void;
  toTrace: () => void;
  around: () => void;
}

export function LogDetail({ row, columns, narrow, column, toTrace, around }: Props) {
  const [json, setJson] = useState(false);
  const { ms } = parseInstant(row.time);
  const fields = fieldsOf(row);
  const stack = row.attr?.['exception.stacktrace'];
  const body = row.body ?? row.name ?? '';
  const pattern = row.pattern;
  return (
    <aside class={`ldetail l-${row.level ?? ''}`} aria-label="The chosen line">
      <div class="scroll lfields" tabIndex={0} role="region" aria-label="Its fields">
        {json ? (
          <pre class="code wrap stmt">{safeText(JSON.stringify(row, null, 2))}</pre>
        ) : (
          <>
            <table>
              <tbody>
                <tr>
                  <th scope="row" class="mono">
                    body
                  </th>
                  <td class="mono">
                    <Body value={body} />
                  </td>
                </tr>
                {fields
                  .filter((field) => field.name !== 'exception.stacktrace')
                  .map((field) => (
                    <FieldRow
                      key={`${field.level} ${field.name}`}
                      field={field}
                      row={row}
                      columns={columns}
                      narrow={narrow}
                      column={column}
                    />
                  ))}
              </tbody>
            </table>
            {typeof stack === 'string' && (
              <details class="lstack">
                <summary class="link sm">Stack trace</summary>
                <pre class="code scroll" tabIndex={0}>
                  {safeText(stack)}
                </pre>
              </details>
            )}
          </>
        )}
      </div>
      <div class="lfacts">
        <dl>
          <dt>Time</dt>
          <dd class="wrap">{absolute(ms)}</dd>
          <dt>Trace</dt>
          <dd>
            {row.trace ? (
              <button type="button" class="link mono" onClick={toTrace}>
                {row.trace.slice(0, 8)}
              </button>
            ) : (
              <span class="why">written outside of any trace</span>
            )}
          </dd>
          {row.span && (
            <>
              <dt>Span</dt>
              <dd class="mono">{row.span.slice(0, 8)}</dd>
            </>
          )}
          {row.probe && (
            <>
              <dt>From</dt>
              <dd>
                <FromProbe row={row} />
              </dd>
            </>
          )}
          {pattern && (
            <>
              <dt>Pattern</dt>
              <dd class="cut">
                <button
                  type="button"
                  class="link mono"
                  title={`Only lines of this pattern: ${pattern}`}
                  onClick={() => narrow(term('pattern', pattern))}
                >
                  <Holes text={pattern} />
                </button>
              </dd>
            </>
          )}
        </dl>
        <div class="row pacts">
          {!row.probe && <CaptureHere place={ownCode(row.service, row.attr)} />}
          {row.trace && <ItsIssue row={row} trace={row.trace} />}
          {row.trace && (
            <button type="button" class="btn s" onClick={toTrace}>
              <Icon icon={ChartNoAxesGantt} size={14} />
              Its trace
            </button>
          )}
          <button type="button" class="btn s" onClick={around}>
            <Icon icon={Rows3} size={14} />
            Lines around
          </button>
          <button type="button" class="btn s" aria-pressed={json} onClick={() => setJson(!json)}>
            <Icon icon={Braces} size={14} />
            JSON
          </button>
          <CopyButton text={json ? JSON.stringify(row, null, 2) : typeof body === 'string' ? body : JSON.stringify(body)} label="Copy" />
        </div>
      </div>
    </aside>
  );
}

interface Raised {
  event_id: string;
  title?: string;
  span?: string;
}

/** An error that an SDK sent from the same request: that of the same span, if there is one. */
function ItsIssue({ row, trace }: { row: LogRow; trace: string }) {
  const { ms } = parseInstant(row.time);
  const query = `events ${term('trace', trace)} | select event_id, title, span`;
  const found = useLoad(query, query, (abort) => runQuery<Raised>(query, { from: ms - NEAR_MS, to: ms + NEAR_MS }, 20, abort)).data.value;
  const event = found?.rows.find((one) => one.span === row.span) ?? found?.rows[0];
  if (!event) return null;
  return (
    <Link class="btn s" follow href={`/events/${event.event_id}`} title={event.title ?? 'An error of the same request'}>
      <Icon icon={OctagonAlert} size={14} />
      Open the issue
    </Link>
  );
}

const NEAR_MS = 600_000;

/** Text as text, structure as structure. */
function Body({ value }: { value: Value }) {
  if (typeof value === 'string') {
    const parsed = /^\s*[{[]/.test(value) ? structureOf(value) : undefined;
    return <span class="wrap">{safeText(parsed === undefined ? value : JSON.stringify(parsed, null, 2))}</span>;
  }
  return <span class="wrap">{safeText(JSON.stringify(value, null, 2))}</span>;
}

function structureOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function FieldRow({ field, row, columns, narrow, column }: { field: Field; row: LogRow } & Pick<Props, 'columns' | 'narrow' | 'column'>) {
  const name = queryName(field, row);
  const { value } = field;
  const kind =
    typeof value === 'number' || typeof value === 'boolean' ? 'nu' : typeof value === 'string' && field.level === 'attr' ? 'st' : '';
  const text = safeText(typeof value === 'string' ? (field.level === 'attr' ? `"${value}"` : value) : valueText(value));
  const comparable = typeof value !== 'object';
  return (
    <tr>
      <th scope="row" class="mono cut" title={name}>
        {name}
      </th>
      <td class={`mono ${kind}`}>
        <span class="fv">{text}</span>
        <span class="acts">
          {comparable && (
            <>
              <button type="button" class="link" onClick={() => narrow(term(name, value))} aria-label={`Only ${name}=${text}`}>
                only
              </button>
              <button type="button" class="link" onClick={() => narrow(term(name, value, true))} aria-label={`Not ${name}=${text}`}>
                not
              </button>
            </>
          )}
          <button type="button" class="link" onClick={() => column(name)} aria-label={`${name} as a column`}>
            {columns.includes(name) ? 'no column' : 'column'}
          </button>
          <button
            type="button"
            class="link"
            onClick={() => void navigator.clipboard.writeText(valueText(value))}
            aria-label={`Copy ${name}`}
          >
            copy
          </button>
        </span>
      </td>
    </tr>
  );
}
