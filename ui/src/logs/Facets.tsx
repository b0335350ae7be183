// Values of the fields that the lines have, with how many lines have each: check one to have only it, or leave it out.
import { ChevronDown, ChevronRight } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Value } from '../api/types.ts';
import { count } from '../format/number.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Failure } from '../parts/States.tsx';
import { ENUMS } from '../query/complete.ts';
import { choiceOf, exclude, toggle, without } from '../query/facet.ts';
import { splitSteps, writeField } from '../query/write.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';

interface FacetRow {
  field: string;
  value: Value;
  count: number;
  share: number;
}

interface Facet {
  field: string;
  values: FacetRow[];
}

const VALUES = 10;
const FIRST = ['level', 'service', 'scope.name', 'environment', 'version', 'host'];
/** Where the process runs, not what it did: last. */
const LATE = /^(process|telemetry|host|os|instance|container|service)\.|^instance$/;
const OPEN_KEY = 'clew.logs.facets';
const WIDTH_KEY = 'clew.logs.facets.width';
const NARROWEST = 160;
const WIDEST = 480;

export function facetQuery(query: string, fields?: string): string {
  return `${splitSteps(query).filter} | facets ${VALUES}${fields ? ` ${fields}` : ''}`;
}

export function facetsOf(rows: readonly FacetRow[]): Facet[] {
  const by = new Map<string, FacetRow[]>();
  for (const row of rows) {
    const list = by.get(row.field);
    if (list) list.push(row);
    else by.set(row.field, [row]);
  }
  const place = (field: string) => {
    const first = FIRST.indexOf(field);
    return first >= 0 ? first : LATE.test(field) ? 1000 : 100;
  };
  const levels = ENUMS['level'] ?? [];
  return [...by]
    .map(([field, values]) => ({
      field,
      values: field === 'level' ? values.sort((a, b) => levels.indexOf(String(b.value)) - levels.indexOf(String(a.value))) : values,
    }))
    .sort((a, b) => place(a.field) - place(b.field));
}

/** Of a field that the query narrows, the counts without that: what else there would be. */
async function loadFacets(query: string, abort: AbortSignal): Promise<Facet[]> {
  const all = await runQuery<FacetRow>(facetQuery(query), range.value, 5000, abort);
  const facets = facetsOf(all.rows);
  const narrowed = facets.filter(({ field }) => {
    const { only, not } = choiceOf(query, field);
    return only.length + not.length > 0;
  });
  await Promise.all(
    narrowed.slice(0, 6).map(async (facet) => {
      const answer = await runQuery<FacetRow>(facetQuery(without(query, facet.field), writeField(facet.field)), range.value, VALUES, abort);
      const wider = facetsOf(answer.rows)[0];
      if (wider) facet.values = wider.values;
    }),
  );
  return facets;
}

function stored<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(key);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

function store(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // remembered for this page only
  }
}

interface Props {
  written: string;
  /** Where the screen is narrow it lies over the lines. */
  open: boolean;
}

export function Facets({ written, open }: Props) {
  const query = scoped(written);
  const facets = useLoad(`${query} ${rangeSubject.value}`, `${query} ${slow(rangeKey.value)}`, (abort) => loadFacets(query, abort), true);
  const [folded, setFolded] = useState<Record<string, boolean>>(() => stored(OPEN_KEY, {}));
  const [width, setWidth] = useState(() => Math.max(NARROWEST, Math.min(WIDEST, Number(stored(WIDTH_KEY, 224)) || 224)));
  const fold = (field: string, shown: boolean) => {
    const next = { ...folded, [field]: shown };
    setFolded(next);
    store(OPEN_KEY, next);
  };
  const data = facets.data.value;
  return (
    <aside class={`facets ${open ? 'open' : ''}`} style={{ '--facets': `${width}px` }} aria-label="Fields">
      <div class={`scroll grow ${facets.stale.value ? 'stale' : ''}`} tabIndex={0} role="region" aria-label="Values of fields">
        {facets.error.value && !data ? (
          <Failure error={facets.error.value} retry={facets.retry} />
        ) : data ? (
          data.map((facet, index) => {
            const shown = folded[facet.field] ?? (index < 4 || choiceOf(written, facet.field).only.length > 0);
            return <FacetGroup key={facet.field} facet={facet} written={written} shown={shown} fold={() => fold(facet.field, !shown)} />;
          })
        ) : (
          <div aria-hidden="true" class="fskel">
            {Array.from({ length: 12 }, (_, i) => (
              <span class="skel" key={i} style={{ width: `${80 - (i % 4) * 14}%` }} />
            ))}
          </div>
        )}
        {data?.length === 0 && <p class="why fnone">no line, no fields</p>}
      </div>
      <Handle
        width={width}
        set={(next) => {
          setWidth(next);
          store(WIDTH_KEY, next);
        }}
      />
    </aside>
  );
}

/** Live updates ask for facets again every eighth time only: counts of many fields cost more than lines. */
function slow(key: string): string {
  const [subject, epoch = '0'] = [key.slice(0, key.lastIndexOf('~')), key.slice(key.lastIndexOf('~') + 1)];
  return `${subject}~${Math.floor(Number(epoch) / 8)}`;
}

function Handle({ width, set }: { width: number; set: (width: number) => void }) {
  const begun = useRef<{ x: number; width: number } | undefined>(undefined);
  const clamp = (next: number) => Math.max(NARROWEST, Math.min(WIDEST, Math.round(next)));
  return (
    <div
      class="handle wide"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the fields"
      aria-valuenow={width}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      tabIndex={0}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        set(clamp(width + by));
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        begun.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => begun.current && set(clamp(begun.current.width + event.clientX - begun.current.x))}
      onPointerUp={() => (begun.current = undefined)}
      onPointerCancel={() => (begun.current = undefined)}
      onDblClick={() => set(224)}
    />
  );
}

function FacetGroup({ facet, written, shown, fold }: { facet: Facet; written: string; shown: boolean; fold: () => void }) {
  const { field, values } = facet;
  const choice = choiceOf(written, field);
  const most = Math.max(1, ...values.map((row) => row.count));
  // A value that is asked for and found no more still has its box.
  const missing = choice.only.filter((value) => !values.some((row) => valueText(row.value) === value));
  const all: FacetRow[] = [...values, ...missing.map((value) => ({ field, value, count: 0, share: 0 }))];
  const set = (q: string) => setParams({ q: q === 'logs' ? undefined : q });
  return (
    <section class="facet">
      <h2>
        <button type="button" class="fhead" aria-expanded={shown} onClick={fold}>
          <span class={`cut grow ${shown ? 'm' : 'd2'}`} title={field}>
            {field}
          </span>
          <span class="d3">{values.length === VALUES ? `${VALUES}+` : values.length}</span>
          <Icon icon={shown ? ChevronDown : ChevronRight} size={14} />
        </button>
      </h2>
      {shown &&
        all.map((row) => {
          const text = valueText(row.value);
          const on = choice.only.includes(text);
          const off = choice.not.includes(text);
          return (
            <div class={`fval ${off ? 'off' : ''}`} key={text}>
              <label title={text}>
                <input
                  type="checkbox"
                  checked={on || (choice.only.length === 0 && choice.not.length > 0 && !off)}
                  onChange={() => set(toggle(written, field, row.value))}
                />
                <span class={field === 'service' ? `svc h${hueOf(text)} cut grow` : `cut grow ${field === 'level' ? `lv ${text}` : ''}`}>
                  {text === '' ? 'empty' : text}
                </span>
              </label>
              <button
                type="button"
                class="link not"
                aria-label={`${off ? 'Have' : 'Leave out'} ${field} ${text}`}
                onClick={() => set(exclude(written, field, row.value))}
              >
                {off ? 'left out' : 'not'}
              </button>
              <span class="n">{count(row.count)}</span>
              <i style={{ width: `${(100 * row.count) / most}%` }} />
            </div>
          );
        })}
    </section>
  );
}

/** Closes what lies over the lines when the reader touches these. */
export function useCloses(open: boolean, close: () => void): void {
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!(event.target as HTMLElement).closest('.facets, .fbutton')) close();
    };
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, [open]);
}
