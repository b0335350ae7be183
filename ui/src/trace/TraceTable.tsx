// The waterfall's twin as a table: the same rows, readable by everything that reads tables.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useSize } from '../charts/canvas.ts';
import { duration } from '../format/number.ts';
import { hueOf } from '../state/services.ts';
import { firstValues, placeText } from './captured.ts';
import { ownerOf } from './model.ts';
import { detailOf, type Row } from './rows.ts';

const HEIGHT = 28;

interface Props {
  rows: Row[];
  selected: number;
  select: (index: number) => void;
  label: string;
}

export function TraceTable({ rows, selected, select, label }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / HEIGHT) - 8);
  const last = Math.min(rows.length, Math.ceil((top + size.height) / HEIGHT) + 8);
  const body = useRef<HTMLTableSectionElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const y = selected * HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + 2 * HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = y + 2 * HEIGHT - element.clientHeight;
  }, [selected]);
  return (
    <div
      class="ttable scroll"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label={label}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr class="th">
            <th scope="col">Name</th>
            <th scope="col">Service</th>
            <th scope="col" class="r">
              Starts at
            </th>
            <th scope="col" class="r">
              Duration
            </th>
            <th scope="col" class="r">
              Self
            </th>
            <th scope="col">Status</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {first > 0 && <tr aria-hidden="true" style={{ height: `${first * HEIGHT}px` }} />}
          {rows.slice(first, last).map((row, offset) => (
            <TableRow key={first + offset} row={row} index={first + offset} selected={first + offset === selected} select={select} />
          ))}
          {last < rows.length && <tr aria-hidden="true" style={{ height: `${(rows.length - last) * HEIGHT}px` }} />}
        </tbody>
      </table>
    </div>
  );
}

function TableRow({ row, index, selected, select }: { row: Row; index: number; selected: boolean; select: (index: number) => void }) {
  const { node } = row;
  const pad = { paddingLeft: `calc(var(--gutter) + ${Math.min(row.depth, 20) * 14}px)` };
  const cells = cellsOf(row);
  return (
    <tr class={`${selected ? 'sel' : ''} ${row.matches ? '' : 'faint'}`} aria-rowindex={index + 2}>
      <td style={pad}>
        <button type="button" class="cut" aria-pressed={selected} onClick={() => select(index)}>
          {cells.name}
          {cells.detail && <span class="d3 sm"> {cells.detail}</span>}
        </button>
      </td>
      <td>{cells.service && <span class={`svc h${hueOf(cells.service)} ${cells.external ? 'ext' : ''}`}>{cells.service}</span>}</td>
      <td class="r d2">{duration(node.start)}</td>
      <td class="r">{cells.duration}</td>
      <td class="r d2">{cells.self}</td>
      <td class={cells.bad ? 'err' : 'd2'}>{cells.status}</td>
    </tr>
  );
}

function cellsOf({ node }: Row) {
  const none = { detail: '', self: '', external: false, bad: false };
  if (node.type === 'log') {
    return {
      ...none,
      name: node.text.slice(0, 300),
      service: node.service,
      duration: '',
      status: `${node.level || 'log'} line`,
      bad: node.level === 'error' || node.level === 'fatal',
    };
  }
  if (node.type === 'event') {
    return {
      ...none,
      name: node.title.slice(0, 300),
      detail: node.row.culprit ?? '',
      service: node.service,
      duration: '',
      status: node.row.handled === false ? 'not handled' : node.row.type ? 'exception' : `${node.row.level ?? ''} message`.trim(),
      bad: node.error,
    };
  }
  if (node.type === 'snapshot') {
    return {
      ...none,
      name: `Snapshot ${placeText(node.row)}`,
      detail: firstValues(node.row, 3)
        .map(([name, value]) => `${name} = ${value}`)
        .join('  '),
      service: node.service,
      duration: '',
      status: 'captured',
    };
  }
  if (node.type === 'missing')
    return { ...none, name: `Span ${node.id} never arrived`, service: '', duration: duration(node.duration), status: 'missing' };
  if (node.type === 'repeat') {
    const first = node.spans[0];
    return {
      ...none,
      name: `${first?.name ?? ''} ×${node.spans.length}`,
      detail: (first && detailOf(first)) ?? '',
      service: first ? ownerOf(first) : '',
      external: !!first?.peer,
      duration: duration(node.duration),
      status: 'repeated',
    };
  }
  return {
    name: node.name,
    detail: detailOf(node) ?? '',
    service: ownerOf(node),
    external: !!node.peer,
    duration: duration(node.duration),
    self: duration(node.self),
    status: node.error ? 'error' : (node.row.status ?? 'unset'),
    bad: node.error,
  };
}
