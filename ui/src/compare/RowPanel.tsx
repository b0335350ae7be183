// Everything about one row: its figures on both sides, and what of its attributes tells them apart.
import { X } from 'lucide';
import { count, duration, percent, plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { hueOf } from '../state/services.ts';
import { type ComparedRow, type Comparison, delta, isMany, mean } from './answer.ts';
import { spanHref } from './CompareView.tsx';
import { show } from './words.ts';

export function RowPanel({ row, answer, close }: { row: ComparedRow; answer: Comparison; close: () => void }) {
  const traces = answer.population?.compared ?? 1;
  return (
    <aside class="panel vl scroll" aria-label="The chosen row">
      <div class="ph">
        <div class="row phead">
          {row.service && <span class={`svc h${hueOf(row.service)}`}>{row.service}</span>}
          <b class="cut grow" title={row.name}>
            {row.name || '(no name)'}
          </b>
          <button type="button" class="btn g s i" aria-label="Close" onClick={close}>
            <Icon icon={X} size={14} />
          </button>
        </div>
        {(row.b_name ?? row.b_service) && (
          <p class="sm d2">
            In B this is {row.b_service} {row.b_name}.
          </p>
        )}
        <Figures row={row} traces={traces} />
        <div class="row pacts">
          {row.a && (
            <Link class="btn s" follow href={spanHref(answer.a, row.a.span)}>
              Open in A
            </Link>
          )}
          {answer.b && row.b && !isMany(row.b) && (
            <Link class="btn s" follow href={spanHref(answer.b, row.b.span)}>
              Open in B
            </Link>
          )}
        </div>
      </div>
      <Attributes row={row} traces={traces} many={answer.population !== undefined} />
    </aside>
  );
}

function Figures({ row, traces }: { row: ComparedRow; traces: number }) {
  const { a, b } = row;
  const many = b && isMany(b) ? b : undefined;
  const one = b && !isMany(b) ? b : undefined;
  const by = delta(row);
  const lines: [string, string, string][] = [
    [
      'Duration',
      a ? duration(a.duration) : '',
      one ? duration(one.duration) : many ? `${duration(many.duration.p50)}, p95 ${duration(many.duration.p95)}` : '',
    ],
    [
      'Self',
      a ? duration(a.self) : '',
      one ? duration(one.self) : many ? `${duration(many.self.p50)}, p95 ${duration(many.self.p95)}` : '',
    ],
    ['Critical path', a ? duration(a.critical) : '', b ? `${duration(b.critical)}${many ? ', mean' : ''}` : ''],
    ['Spans', a ? count(a.spans) : '', b ? mean(b.spans) : ''],
    ['Failed', a ? count(a.errors) : '', one ? count(one.errors) : many ? `in ${percent(many.error_traces / many.traces)}` : ''],
  ];
  return (
    <>
      <table class="cmp-fig">
        <thead>
          <tr class="th">
            <th scope="col">{Math.abs(by) < 50_000 ? 'No difference' : `A ${duration(Math.abs(by))} ${by > 0 ? 'more' : 'less'}`}</th>
            <th scope="col" class="r">
              A
            </th>
            <th scope="col" class="r">
              B
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(([what, left, right]) => (
            <tr key={what}>
              <th scope="row" class="d2">
                {what}
              </th>
              <td class="r">{left || <span class="d3">∅</span>}</td>
              <td class="r d2">{right || <span class="d3">∅</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {many && many.traces < traces && (
        <p class="sm d2">
          {plural(many.traces, 'trace')} of {count(traces)} have this call; durations are of those.
        </p>
      )}
    </>
  );
}

function Attributes({ row, traces, many }: { row: ComparedRow; traces: number; many: boolean }) {
  const { attributes } = row;
  if (!row.a || !row.b)
    return (
      <p class="hint sm d2">
        {row.a ? 'B does not have this call' : 'A does not have this call'}: there is nothing to hold its attributes against.
      </p>
    );
  return (
    <>
      <div class="sec hl">
        <h2>Attributes that differ</h2>
        <span class="grow">{attributes.length}</span>
      </div>
      {attributes.length === 0 ? (
        <p class="hint sm d2">None that {many ? 'most others have otherwise' : 'differ'}.</p>
      ) : (
        <table class="cmp-attrs">
          <thead class="only-read">
            <tr>
              <th scope="col">Attribute</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {attributes.map((found) => (
              <tr key={`${found.level} ${found.key}`}>
                <th scope="row">
                  <span class="mono d2">{found.key}</span>
                  {found.level === 'resource' && <span class="d3 xs"> resource</span>}
                </th>
                <td class="mono">{found.a === undefined ? <span class="why">not there</span> : show(found.a)}</td>
                <td class="mono d2">
                  {found.b === undefined ? <span class="why">not there</span> : show(found.b)}
                  {many && found.b_traces ? (
                    <span class="d3 xs"> {percent(found.b_traces / Math.max(1, (row.b && isMany(row.b) && row.b.traces) || traces))}</span>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
