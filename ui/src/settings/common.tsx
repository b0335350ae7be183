// What the sections of the settings share.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, me, remove, serverNow } from '../api/client.ts';
import type { Loaded } from '../api/load.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Paste } from '../parts/Paste.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { later, pending } from '../state/undo.ts';

export function mayAdminister(): boolean {
  return me.value?.scopes?.includes('admin') ?? false;
}

/** The head of a section: its name, its state in one sentence, its one action. */
export function Head({ title, says, children }: { title: string; says?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="set-head">
      <div class="grow">
        <h1>{title}</h1>
        <p class="d2" aria-live="polite">
          {says ?? '\u00a0'}
        </p>
      </div>
      {children}
    </header>
  );
}

/** Loading, an error, or the rows. */
export function Rows<T>({ of, rows, children }: { of: Loaded<T>; rows: number; children: (data: T) => ComponentChildren }) {
  const data = of.data.value;
  const late = useLate(!data && of.busy.value);
  if (of.error.value && !data) return <Failure error={of.error.value} retry={of.retry} />;
  if (!data) return late ? <SkeletonRows rows={rows} height="36px" widths={['160px', '90px', '120px', '80px']} /> : null;
  return (
    <>
      {of.error.value && (
        <p class="set-note err" role="alert">
          Not up to date: {of.error.value.message}{' '}
          <button type="button" class="link" onClick={of.retry}>
            Retry
          </button>
        </p>
      )}
      {children(data)}
    </>
  );
}

export function When({ at, none = 'never' }: { at: string | undefined; none?: string }) {
  if (!at) return <span class="d3">{none}</span>;
  const { ms } = parseInstant(at);
  const now = serverNow();
  return <time title={absolute(ms)}>{ms > now + 1000 ? `in ${until(ms - now)}` : ago(ms, now)}</time>;
}

/** Rounded to the unit that is shown: an invitation for 7 days ends in 7 d, not in 6. */
function until(ms: number): string {
  const half = ms >= 86_400_000 ? 43_200_000 : ms >= 3_600_000 ? 1_800_000 : ms >= 60_000 ? 30_000 : 0;
  return ago(0, ms + half).replace(' ago', '');
}

/** For the first field of a form that has just been opened. */
export function useFocus() {
  const field = useRef<HTMLInputElement>(null);
  // With the drawing, not after it: what is typed at once into another field of the form must stay there.
  useLayoutEffect(() => field.current?.focus(), []);
  return field;
}

/** One request at a time, and what it said. */
export function useDeed() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | undefined>();
  const run = async (deed: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      await deed();
      return true;
    } catch (failure) {
      setError(failure instanceof ApiError ? failure : new ApiError(0, { message: String(failure) }));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

/** Removes what is at this path once it cannot be taken back any more; lists leave it out from now on (isAway). */
export function takeAway(path: string, says: string, run: ReturnType<typeof useDeed>['run'], retry: () => Promise<void> | void): void {
  later(path, says, async (leaving) => {
    if (leaving) return remove(path, true);
    await run(() => remove(path, false));
    await retry();
  });
}

export const isAway = (path: string) => pending.value?.subject === path;

export function Refusal({ error }: { error: ApiError | undefined }) {
  if (!error) return null;
  return (
    <p class="set-note err" role="alert">
      {error.message} {error.hint}
    </p>
  );
}

/** A secret, the one time that it is seen. */
export function Once({ name, text, children }: { name: string; text: string; children: ComponentChildren }) {
  return (
    <div class="once" role="status">
      <p>{children}</p>
      <Paste name={name} text={text} />
    </div>
  );
}

/** Checkboxes; those that the reader does not have himself cannot be handed out. */
export function ScopeChoice({
  chosen,
  change,
  scopes,
}: {
  chosen: string[];
  change: (scopes: string[]) => void;
  scopes: [string, string][];
}) {
  return (
    <fieldset class="scopes">
      <legend class="sm d3">May</legend>
      {scopes.map(([scope, says]) => {
        const mine = me.value?.scopes?.includes(scope) ?? false;
        return (
          <label key={scope} title={mine ? undefined : 'You do not have this scope yourself'}>
            <input
              type="checkbox"
              checked={chosen.includes(scope)}
              disabled={!mine}
              onChange={(event) => change(event.currentTarget.checked ? [...chosen, scope] : chosen.filter((other) => other !== scope))}
            />
            <span>{scope}</span>
            <span class="sm d3">{says}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
