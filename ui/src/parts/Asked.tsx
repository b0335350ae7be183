// What a page asks, for the person to see, change and take along.
import { signal } from '@preact/signals';
import { SquareTerminal, X } from 'lucide';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Painted } from '../query/QueryBar.tsx';
import { type Ask, asks, commandLine, flagsOf, recordsOf } from '../state/asks.ts';
import { DEFAULT_FROM } from '../state/range.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { Icon } from './Icon.tsx';
import { Link } from './Link.tsx';
import { CopyButton } from './Paste.tsx';

export const askedOpen = signal(false);

/** All queries of the page, a command line each. */
export function commandLines(): string {
  return asks.value.map((ask) => commandLine(ask.query, flagsOf(ask, DEFAULT_FROM))).join('\n');
}

export function AskedButton() {
  const n = asks.value.length;
  if (n === 0) return null;
  return (
    <button type="button" class="link asked" title="What this page asks (q)" onClick={() => (askedOpen.value = true)}>
      <Icon icon={SquareTerminal} size={14} />
      {n === 1 ? 'query' : `${n} queries`}
    </button>
  );
}

export function Asked() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = askedOpen.value && asks.value.length > 0;
  useLayoutEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="pop asks"
      aria-label="What this page asks"
      onClose={(event) => {
        if (!event.currentTarget.open) askedOpen.value = false;
      }}
    >
      {open && (
        <>
          <div class="sec">
            <h2>What this page asks</h2>
            <span class="grow cut">every figure of it comes from these</span>
            <CopyButton text={commandLines()} label="Copy all as commands" />
            <button type="button" class="btn g s i" aria-label="Close" onClick={() => (askedOpen.value = false)}>
              <Icon icon={X} size={14} />
            </button>
          </div>
          <ul class="scroll">
            {asks.value.map((ask) => (
              <AskRow ask={ask} key={ask.what} />
            ))}
          </ul>
        </>
      )}
    </dialog>
  );
}

function rangeOf({ range }: Ask): Record<string, string> {
  return range ? { from: String(range.from), to: String(range.to) } : {};
}

function AskRow({ ask }: { ask: Ask }) {
  const records = recordsOf(ask.query);
  return (
    <li class="hl">
      <p class="row sm d3">
        <span class="grow">{ask.what}</span>
        {records && (
          <span onClick={() => (askedOpen.value = false)}>
            <Link href={href(records.page, { ...kept.value, project: undefined, env: undefined, ...rangeOf(ask), q: records.query })}>
              Change it
            </Link>
          </span>
        )}
        <CopyButton text={commandLine(ask.query, flagsOf(ask, DEFAULT_FROM))} label="Copy as a command" />
      </p>
      <code class="wrap painted">
        <Painted text={ask.query} />
      </code>
    </li>
  );
}
