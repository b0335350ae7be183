// What the panels of all kinds of rows are made of.
import { X } from 'lucide';
import type { ComponentChildren } from 'preact';
import type { SpanRow } from '../api/types.ts';
import { Attributes } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import type { TraceModel } from './model.ts';

export interface Common {
  model: TraceModel;
  close: () => void;
}

export function Header({ children, close }: { children: ComponentChildren; close: () => void }) {
  return (
    <div class="row phead">
      {children}
      <button type="button" class="btn g s i" aria-label="Close" title="Close (Esc)" onClick={close}>
        <Icon icon={X} size={14} />
      </button>
    </div>
  );
}

export function Fact({ name, children, title }: { name: string; children: ComponentChildren; title?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </div>
  );
}

/** The hour around the trace, for questions about its like. */
export function around(model: TraceModel): { from: number; to: number } {
  return { from: Math.floor(model.begin.ms - 1_800_000), to: Math.ceil(model.begin.ms + 1_800_000) };
}

export function rangeParams(model: TraceModel): { from: string; to: string } {
  const { from, to } = around(model);
  return { from: String(from), to: String(to) };
}

export function Process({ row }: { row: { resource?: SpanRow['resource']; scope?: SpanRow['scope'] } }) {
  const resource = row.resource ?? {};
  const scope = row.scope ?? {};
  return (
    <>
      <div class="sec">
        <h2>Resource</h2>
        <span class="grow">{Object.keys(resource).length}</span>
      </div>
      <Attributes bag={resource} />
      <div class="sec hl">
        <h2>Scope</h2>
      </div>
      {Object.keys(scope).length > 0 ? <Attributes bag={scope} /> : <p class="nothing why">The SDK named no instrumentation scope.</p>}
    </>
  );
}
