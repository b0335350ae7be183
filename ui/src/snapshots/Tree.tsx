// A tree of captured values: opened where one looks, every gap with its reason. One tab stop; arrows move and open (the ARIA pattern of trees).
import { Check, ChevronDown, ChevronRight, Copy, SquareFunction } from 'lucide';
import { Fragment } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Capture, Captured } from '../api/snapshots.ts';
import { paintValue } from '../issue/paint.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { AT_ONCE, isMore, type Place, places, type Root, type Row, rootsOf, rowsAbove, rowsOf, search } from './tree.ts';
import { childrenOf, copyText, isPython, oneLine, reasonOf, typeText } from './value.ts';

interface Props {
  capture: Capture;
  frame: number;
  find: string;
  /** The row that is chosen, as an expression; undefined: none, or it cannot be named. */
  chosen: (path: string | undefined, value: Captured | undefined) => void;
}

/** Those with little in them are open at first, so that most is seen without a click. */
function openAtFirst(roots: readonly Root[]): Set<string> {
  const open = new Set<string>();
  let rows = roots.length;
  for (const [at, { value }] of roots.entries()) {
    const inner = value ? childrenOf(value).length : 0;
    if (inner === 0 || inner > 16 || rows + inner > 40) continue;
    open.add(String(at));
    rows += inner;
  }
  return open;
}

export function Tree({ capture, frame, find, chosen }: Props) {
  const roots = useMemo(() => rootsOf(capture, frame), [capture, frame]);
  const known = useMemo(() => places(capture), [capture]);
  const found = useMemo(() => search(roots, find), [roots, find]);
  const [open, setOpen] = useState(() => openAtFirst(roots));
  const [most, setMost] = useState<ReadonlyMap<string, number>>(new Map());
  const [at, setAt] = useState<string>();
  const list = useRef<HTMLDivElement>(null);
  const rows = rowsOf(roots, { open, most, found, known });
  const here = rows.find((row) => row.id === at) ?? rows[0];
  const python = isPython(capture.file);

  // Before it is painted: the holder says it at once.
  useLayoutEffect(() => chosen(here?.path, here?.value), [here?.id, here?.path, capture]);

  const focus = (id: string) => list.current?.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus();
  const toggle = (row: Row, to = !row.open) => {
    const next = new Set(open);
    if (to) next.add(row.id);
    else next.delete(row.id);
    setOpen(next);
  };
  const act = (row: Row) => {
    setAt(row.id);
    if (isMore(row) && row.parent) setMost(new Map(most).set(row.parent, (most.get(row.parent) ?? AT_ONCE) + 1000));
    else if (row.open !== undefined) toggle(row);
    else if (row.value?.k === 'ref') go(known.get(Number(row.value.v)));
  };
  /** To where an object was captured, if that is in this frame. */
  const go = (to: Place | undefined) => {
    if (to?.frame !== frame) return;
    setOpen(new Set([...open, ...rowsAbove(to.row)]));
    requestAnimationFrame(() => focus(to.row));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = rows.indexOf(here);
    const to = (row: Row | undefined) => row && focus(row.id);
    switch (event.key) {
      case 'ArrowDown':
        to(rows[index + 1]);
        break;
      case 'ArrowUp':
        to(rows[index - 1]);
        break;
      case 'Home':
        to(rows[0]);
        break;
      case 'End':
        to(rows.at(-1));
        break;
      case 'ArrowRight':
        if (here.open === false) toggle(here, true);
        else if (here.open) to(rows[index + 1]);
        break;
      case 'ArrowLeft':
        if (here.open && open.has(here.id)) toggle(here, false);
        else to(rows.find((row) => row.id === here.parent));
        break;
      case 'Enter':
      case ' ':
        act(here);
        break;
      case 'y':
        if (!here.path) return;
        copied(here.id, here.path, 'path');
        break;
      case 'c':
        if (!here.value) return;
        copied(here.id, copyText(here.value), 'value');
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const [done, setDone] = useState('');
  const copied = (id: string, text: string, what: 'path' | 'value') => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(`${id} ${what}`);
      setTimeout(() => setDone(''), 1200);
    });
  };

  if (roots.length === 0)
    return (
      <p class="hint">
        <span class="why">{nothing(capture, frame)}</span>
      </p>
    );
  if (rows.length === 0)
    return (
      <p class="hint">
        <span class="why">nothing captured in this frame holds “{find}”</span>
      </p>
    );
  return (
    <div class="ctree code" role="tree" aria-label="Variables" ref={list} onKeyDown={onKeyDown}>
      {rows.map((row, index) => (
        <Fragment key={row.id}>
          {row.depth === 0 && row.group !== lastGroup(rows, index) && (
            <div class="cgrp" role="presentation">
              <span class="grow">{row.group}</span>
              <span>{rows.filter((one) => one.depth === 0 && one.group === row.group).length}</span>
            </div>
          )}
          <div
            data-id={row.id}
            class={`cv ${row === here ? 'sel' : ''} ${row.found ? 'found' : ''} ${row.value?.k === 'null' ? 'nil' : ''}`}
            style={{ '--d': row.depth }}
            role="treeitem"
            aria-level={row.depth + 1}
            aria-setsize={row.of}
            aria-posinset={row.at}
            aria-selected={row === here}
            {...(row.open !== undefined && { 'aria-expanded': row.open })}
            tabIndex={row === here ? 0 : -1}
            onClick={() => act(row)}
            onFocus={() => setAt(row.id)}
          >
            <span class="tw">{row.open !== undefined && <Icon icon={row.open ? ChevronDown : ChevronRight} size={12} />}</span>
            {isMore(row) ? (
              <span class="as">{row.name}</span>
            ) : (
              <>
                <span class="cn">{row.rest ? '' : `${safeText(row.name)}:`}</span>
                <Shown row={row} python={python} />
              </>
            )}
            {row.value && (
              <span class="cacts">
                {row.path && (
                  <Act
                    label="Copy as an expression"
                    done={done === `${row.id} path`}
                    icon={SquareFunction}
                    run={() => copied(row.id, row.path ?? '', 'path')}
                  />
                )}
                <Act
                  label="Copy the value"
                  done={done === `${row.id} value`}
                  icon={Copy}
                  run={() => copied(row.id, copyText(row.value as Captured), 'value')}
                />
              </span>
            )}
            {row.value && <span class="ct">{typeText(row.value)}</span>}
          </div>
        </Fragment>
      ))}
    </div>
  );
}

/** Of the top row before this one. */
function lastGroup(rows: readonly Row[], index: number): string | undefined {
  for (let at = index - 1; at >= 0; at--) if (rows[at]?.depth === 0) return rows[at]?.group;
  return undefined;
}

function nothing(capture: Capture, frame: number): string {
  const it = capture.frames?.[frame];
  if (it && it.vars === undefined) return 'only the place of this frame was captured: raise “frames with variables” for the next ones';
  return 'nothing in scope';
}

/** Buttons beside a row are for pointers; keys do the same from the row. */
function Act({ label, done, icon, run }: { label: string; done: boolean; icon: typeof Copy; run: () => void }) {
  return (
    <span
      class="ca"
      title={label}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        run();
      }}
    >
      <Icon icon={done ? Check : icon} size={12} />
    </span>
  );
}

function Shown({ row, python }: { row: Row; python: boolean }) {
  const { value } = row;
  if (row.error !== undefined)
    return (
      <span class="why cut" title={row.error}>
        {safeText(row.error)}
      </span>
    );
  if (row.rest)
    return (
      <span class="why cut" title={row.rest.next}>
        {row.rest.why}
        {row.rest.next && <span class="next">; {row.rest.next}</span>}
      </span>
    );
  if (!value) return null;
  if (value.k === 'missing') {
    const { why, next } = reasonOf(value.why, value.rule);
    return (
      <span class="why cut" title={next ? `${why}: ${next}` : why}>
        {why}
        {next && <span class="next">; {next}</span>}
      </span>
    );
  }
  if (value.k === 'ref')
    return (
      <span class="same cut" title={row.same ? `the same object as ${row.same}` : undefined}>
        ↺ the same object
        {row.same ? (
          <>
            {' '}
            as <b class="mono">{row.same}</b>
          </>
        ) : (
          ' as one that was captured'
        )}
      </span>
    );
  const text = oneLine(value, python);
  const scalar = value.k === 'str' || value.k === 'int' || value.k === 'float' || value.k === 'bool' || value.k === 'null';
  // Open, its rows say it; the type stands at the right.
  if (row.open) return <span class="grow" />;
  return (
    <span class={`cx cut ${scalar ? '' : 'd2'}`} title={text.length > 60 ? text.slice(0, 2000) : undefined}>
      {value.v === undefined && scalar && value.k !== 'null' ? (
        <span class="why">only its type and size leave this host</span>
      ) : (
        paintValue(text).map((piece, index) => (
          <span class={piece.tone} key={index}>
            {piece.text}
          </span>
        ))
      )}
    </span>
  );
}
