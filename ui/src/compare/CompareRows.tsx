// The rows of both sides: a real table, of which only what is seen is drawn.
import { useEffect, useState } from 'preact/hooks';
import { useSize } from '../charts/canvas.ts';
import { count, duration, percent } from '../format/number.ts';
import { ErrorDisc } from '../parts/Icon.tsx';
import { hueOf } from '../state/services.ts';
import { type Cell, type ComparedRow, type Comparison, delta, durationOfB, isMany, type ManyCell, mean, side } from './answer.ts';

const HEIGHT = 32;

interface Props {
  answer: Comparison;
  rows: { row: ComparedRow; index: number }[];
  /** In rows. */
  selected: number;
  choose: (index: number | undefined) => void;
}

/** What bars are measured by. */
interface Scale {
  /** The longest time on either side. */
  time: number;
  /** The largest difference of a row. */
  difference: number;
  traces: number;
}

export function CompareRows({ answer, rows, selected, choose }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / HEIGHT) - 8);
  const last = Math.min(rows.length, Math.ceil((top + size.height) / HEIGHT) + 8);
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const y = selected * HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + 2 * HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = y + 2 * HEIGHT - element.clientHeight;
  }, [selected]);
  const many = answer.population !== undefined;
  const scale: Scale = {
    time: Math.max(1, ...answer.rows.map((row) => reach(row))),
    difference: Math.max(1, ...answer.rows.map((row) => Math.abs(delta(row)))),
    traces: answer.population?.compared ?? 1,
  };
  return (
    <div
      class="cmp scroll"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label="Calls of both sides; n goes to the next difference"
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={rows.length + 1}>
        <colgroup>
          <col class="c-name" />
          <col class="c-num" />
          <col class="c-num" />
          <col class="c-diff" />
          <col class="c-time" />
        </colgroup>
        <thead>
          <tr class="th">
            <th scope="col">Call</th>
            <th scope="col" class="r">
              A
            </th>
            <th scope="col" class="r">
              {many ? 'B, p50' : 'B'}
            </th>
            <th scope="col">
              <span class="ends">
                <span>A less</span>
                <span>A more</span>
              </span>
            </th>
            <th scope="col" class="wide">
              <span class="ends">
                <span>{many ? 'Duration: the others p50 to p95, and A' : 'When: A above, B below'}</span>
                <span>{duration(scale.time)}</span>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true" style={{ height: `${first * HEIGHT}px` }} />}
          {rows.slice(first, last).map(({ row, index }, offset) => (
            <Row
              key={index}
              row={row}
              at={first + offset}
              selected={first + offset === selected}
              choose={() => choose(index)}
              scale={scale}
              many={many}
            />
          ))}
          {last < rows.length && <tr aria-hidden="true" style={{ height: `${(rows.length - last) * HEIGHT}px` }} />}
        </tbody>
      </table>
      {rows.length === 0 && <p class="say d2">Nothing differs: the same calls, in about the same time, with the same results.</p>}
    </div>
  );
}

function reach(row: ComparedRow): number {
  const b = row.b && (isMany(row.b) ? row.b.duration.p95 : row.b.to);
  return Math.max((row.b && isMany(row.b) ? row.a?.duration : row.a?.to) ?? 0, b ?? 0);
}

interface RowProps {
  row: ComparedRow;
  at: number;
  selected: boolean;
  choose: () => void;
  scale: Scale;
  many: boolean;
}

function Row({ row, at, selected, choose, scale, many }: RowProps) {
  const b = durationOfB(row);
  return (
    <tr class={`${selected ? 'sel' : ''} only-${side(row)}`} aria-rowindex={at + 2} onClick={choose}>
      <td style={{ paddingLeft: `calc(var(--gutter) + ${Math.min(row.depth, 20) * 14}px)` }}>
        <button type="button" class="cmp-name" aria-pressed={selected} title={`${row.service ?? ''} ${row.name ?? ''}`.trim()}>
          <span class={`svc h${hueOf(row.service ?? 'unknown service')} ${row.a ? '' : 'ext'}`} />
          <span class="only-read">{row.service} </span>
          <span class="cut">{row.name || '(no name)'}</span>
          <Counts row={row} scale={scale} />
          {(row.a?.errors ?? 0) > 0 && <ErrorDisc label="failed in A" />}
        </button>
      </td>
      <td class="r">{row.a ? duration(row.a.duration) : <None />}</td>
      <td class="r d2">{b === undefined ? <None /> : duration(b)}</td>
      <td>
        <Diverging ns={delta(row)} most={scale.difference} />
      </td>
      <td class="wide">{many ? <Band row={row} scale={scale} /> : <Times row={row} scale={scale} />}</td>
    </tr>
  );
}

const None = () => (
  <span class="d3">
    <span aria-hidden="true">∅</span>
    <span class="only-read">not there</span>
  </span>
);

/** How often, where it is not once on both sides, and who has it at all. */
function Counts({ row, scale }: { row: ComparedRow; scale: Scale }) {
  const { a, b } = row;
  const folded = (cell: Cell | ManyCell) => `×${mean(cell.spans)}`;
  if (b && isMany(b)) {
    const share = b.traces / scale.traces;
    return (
      <>
        {a && (a.spans > 1 || b.spans >= 1.05) && (
          <span class={`pill ${a.spans > b.spans * 1.5 ? 'w' : ''}`}>{`×${count(a.spans)}, usually ${folded(b)}`}</span>
        )}
        {!a && <span class="pill">B only, {percent(share)}</span>}
        {a && share < 0.995 && <span class="d3 xs nw">in {percent(share)}</span>}
      </>
    );
  }
  if (!b) return <span class="pill w">A only{a && a.spans > 1 ? ` ${folded(a)}` : ''}</span>;
  if (!a) return <span class="pill">B only{b.spans > 1 ? ` ${folded(b)}` : ''}</span>;
  if (a.spans !== b.spans) return <span class="pill w">{`${folded(a)}, B ${folded(b)}`}</span>;
  return a.spans > 1 ? <span class="d3 xs">{folded(a)}</span> : null;
}

function Diverging({ ns, most }: { ns: number; most: number }) {
  const width = `${Math.max(ns === 0 ? 0 : 0.6, (Math.abs(ns) / most) * 50)}%`;
  return (
    <span class="dvg">
      <i class={ns > 0 ? 'more' : 'less'} style={ns > 0 ? { left: '50%', width } : { right: '50%', width }} />
      <span class={ns > 0 ? 'at-more' : 'at-less'}>{Math.abs(ns) < 50_000 ? '' : `${ns > 0 ? '+' : '−'}${duration(Math.abs(ns))}`}</span>
    </span>
  );
}

const place = (from: number, to: number, of: number) => ({
  left: `${(Math.max(0, from) / of) * 100}%`,
  width: `${(Math.max(0, to - Math.max(0, from)) / of) * 100}%`,
});

function Times({ row, scale }: { row: ComparedRow; scale: Scale }) {
  const b = row.b && !isMany(row.b) ? row.b : undefined;
  return (
    <span class={`tms h${hueOf(row.service ?? 'unknown service')}`} aria-hidden="true">
      {row.a && <i class={`A ${row.a.errors ? 'bad' : ''}`} style={place(row.a.from, row.a.to, scale.time)} />}
      {b && <i class={`B ${b.errors ? 'bad' : ''}`} style={place(b.from, b.to, scale.time)} />}
    </span>
  );
}

function Band({ row, scale }: { row: ComparedRow; scale: Scale }) {
  const b = row.b && isMany(row.b) ? row.b : undefined;
  return (
    <span class={`tms h${hueOf(row.service ?? 'unknown service')}`} aria-hidden="true">
      {b && <i class="band" style={place(b.duration.p50, b.duration.p95, scale.time)} />}
      {row.a && <i class={`mark ${row.a.errors ? 'bad' : ''}`} style={{ left: `${(row.a.duration / scale.time) * 100}%` }} />}
    </span>
  );
}
