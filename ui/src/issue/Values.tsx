// Variables: name and value, opened where they hold others; where there is no value, why.
import { Check, ChevronDown, ChevronRight, Copy } from 'lucide';
import { useState } from 'preact/hooks';
import type { Bag } from '../api/event.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { paintValue } from './paint.ts';
import { isTree, pathTo, type Scrub, type Shown, textOf, whyMissing } from './values.ts';

export interface Entry {
  name: string;
  value: Shown;
  hot?: boolean;
  used?: boolean;
}

interface Props {
  entries: readonly Entry[];
  /** Strings are what `repr` says. */
  repr: boolean;
  /** Strings without quotes: words for people, not values of a program. */
  plain?: boolean;
  scrubbed?: readonly Scrub[] | undefined;
  /** Where they stand in the event. */
  under?: string;
  /** So many at first, the others when they are asked for. */
  first?: number;
}

/** Fewer are not worth a press. */
const REST_LEAST = 3;

export function Values({ entries, repr, plain = false, scrubbed = [], under = 'vars', first = Number.POSITIVE_INFINITY }: Props) {
  const [all, setAll] = useState(false);
  const cut = !all && entries.length >= first + REST_LEAST;
  return (
    <div class="vals code">
      {(cut ? entries.slice(0, first) : entries).map((entry) => (
        <Node
          key={entry.name}
          {...entry}
          path={entry.name}
          at={`${under}.${entry.name}`}
          depth={0}
          repr={repr}
          plain={plain}
          scrubbed={scrubbed}
        />
      ))}
      {cut && (
        <button type="button" class="link more1" onClick={() => setAll(true)}>
          {entries.length - first} more
        </button>
      )}
    </div>
  );
}

interface NodeProps extends Entry {
  /** As a program names it. */
  path: string;
  /** Where it stands in the event. */
  at: string;
  depth: number;
  repr: boolean;
  plain: boolean;
  scrubbed: readonly Scrub[];
}

const AT_ONCE = 100;

function Node({ name, value, hot, used, path, at, depth, repr, plain, scrubbed }: NodeProps) {
  const [open, setOpen] = useState(false);
  const [most, setMost] = useState(AT_ONCE);
  const tree = isTree(value);
  const list = Array.isArray(value);
  const why = whyMissing(value, at, scrubbed);
  const text = safeText(plain && typeof value === 'string' ? value : textOf(value, repr));
  const long = !tree && text.length > 42;
  const children = tree && open ? Object.entries(value as Bag) : [];
  const shown = !open && text.length > 400 ? `${text.slice(0, 400)}…` : text;
  const body = (
    <span class={open && !tree ? 'whole' : 'cut'}>
      {why ? (
        <span class="why">{why}</span>
      ) : (
        (plain && typeof value === 'string' ? [{ tone: '', text: shown }] : paintValue(shown)).map((piece, index) => (
          <span class={piece.tone} key={index}>
            {piece.text}
          </span>
        ))
      )}
    </span>
  );
  return (
    <>
      <div class={`v1 ${hot ? 'hot' : ''} ${used ? 'used' : ''}`}>
        <span class="vn cut" style={{ paddingLeft: `${depth * 12}px` }} title={path}>
          {name}
        </span>
        {tree || (long && !why) ? (
          <button type="button" class="vv" aria-expanded={open} title={`${path} in full`} onClick={() => setOpen(!open)}>
            {tree && <Icon icon={open ? ChevronDown : ChevronRight} size={12} class="tg" />}
            {body}
          </button>
        ) : (
          <span class="vv">{body}</span>
        )}
        <CopyPath path={path} />
      </div>
      {children.slice(0, most).map(([inner, of]) => (
        <Node
          key={inner}
          name={inner}
          value={of}
          path={pathTo(path, inner, list)}
          at={`${at}.${inner}`}
          depth={depth + 1}
          repr={repr}
          plain={plain}
          scrubbed={scrubbed}
        />
      ))}
      {children.length > most && (
        <button type="button" class="link more1" style={{ marginLeft: `${(depth + 1) * 12}px` }} onClick={() => setMost(most + 1000)}>
          {children.length - most} more
        </button>
      )}
    </>
  );
}

function CopyPath({ path }: { path: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="vc"
      title={`Copy ${path}`}
      aria-label={`Copy the path ${path}`}
      onClick={() => {
        void navigator.clipboard.writeText(path).then(() => {
          setDone(true);
          setTimeout(() => setDone(false), 1200);
        });
      }}
    >
      <Icon icon={done ? Check : Copy} size={12} />
    </button>
  );
}
