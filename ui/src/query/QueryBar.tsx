// Where a query is written: its text coloured, completed at the cursor, its error under the column.
import { Search } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';
import type { FieldInfo, ValueInfo } from '../api/types.ts';
import { count } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { range } from '../state/live.ts';
import { scope, scopeTerms } from '../state/scope.ts';
import { fieldsOf, valuesOf } from './catalogue.ts';
import { type Choice, choicesFor, insertChoice, type Spot, spotAt } from './complete.ts';
import { indexOfColumn, lex } from './lex.ts';

interface Props {
  value: string;
  run: (query: string) => void;
  /** Hears of every letter, for what is saved with a button elsewhere. */
  write?: (query: string) => void;
  /** The scope of the top bar has no part in it. */
  unscoped?: true;
  /** Of the query as it was run, if that failed. */
  error: ApiError | undefined;
  busy: boolean;
  /** What stands at the right: how many. */
  found?: string | undefined;
  label: string;
}

export function QueryBar({ value, run, error, busy, found, label, write, unscoped }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const paint = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState<number | undefined>();
  const [at, setAt] = useState(-1);
  // With the drawing: what is typed into the bar at once stays in it.
  useLayoutEffect(() => setText(value), [value]);
  const spot = cursor === undefined ? undefined : spotAt(text, cursor);
  const choices = useChoices(text, spot);
  const open = choices.length > 0;
  const problem = error && text === value ? error : undefined;

  const follow = () => {
    if (paint.current && input.current) paint.current.scrollLeft = input.current.scrollLeft;
  };
  useLayoutEffect(follow);

  const look = () => {
    setCursor(input.current?.selectionStart ?? undefined);
    setAt(-1);
  };
  const choose = (choice: Choice) => {
    if (!spot || !input.current) return;
    const next = insertChoice(text, spot, choice);
    setText(next.text);
    write?.(next.text);
    input.current.value = next.text;
    input.current.setSelectionRange(next.cursor, next.cursor);
    input.current.focus();
    look();
  };
  const submit = (query: string) => {
    setCursor(undefined);
    setText(query);
    write?.(query);
    run(query.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') {
      const choice = choices[at];
      if (choice) choose(choice);
      else submit(text);
    } else if (event.key === 'Tab' && open && !event.shiftKey) {
      const choice = choices[Math.max(at, 0)];
      if (choice) choose(choice);
    } else if (event.key === 'ArrowDown' && open) setAt((at + 1) % choices.length);
    else if (event.key === 'ArrowUp' && open) setAt(((at + choices.length) % (choices.length + 1)) - (at === 0 ? 1 : 0));
    else if (event.key === ' ' && event.ctrlKey) look();
    else if (event.key === 'Escape') {
      if (open) setCursor(undefined);
      else {
        setText(value);
        input.current?.blur();
      }
    } else return;
    event.preventDefault();
  };
  return (
    <form
      class="qbar"
      onSubmit={(event) => {
        event.preventDefault();
        submit(text);
      }}
    >
      <Icon icon={Search} size={14} />
      {!unscoped && <ScopeChip />}
      <span class="field">
        <div class="paint" ref={paint} aria-hidden="true">
          <Painted text={text} error={problem} />
        </div>
        <input
          ref={input}
          data-slash
          value={text}
          aria-label={label}
          role="combobox"
          aria-expanded={open}
          aria-controls="query-choices"
          aria-autocomplete="list"
          aria-activedescendant={open && at >= 0 ? `query-choice-${at}` : undefined}
          aria-invalid={problem ? 'true' : undefined}
          aria-errormessage={problem ? 'query-error' : undefined}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          onInput={(event) => {
            setText(event.currentTarget.value);
            write?.(event.currentTarget.value);
            look();
          }}
          onClick={look}
          onKeyUp={(event) => /^(Arrow(Left|Right)|Home|End)$/.test(event.key) && look()}
          onFocus={look}
          onBlur={() => setCursor(undefined)}
          onKeyDown={onKeyDown}
          onScroll={follow}
        />
      </span>
      {found && <span class="count sm wide">{found}</span>}
      <kbd class="kbd wide">/</kbd>
      {busy && <span class="working" />}
      {open && <Choices choices={choices} at={at} choose={choose} hover={setAt} />}
    </form>
  );
}

/** What the scope of the top bar adds to the query. */
function ScopeChip() {
  const terms = scopeTerms(scope.value).join(' ');
  if (!terms) return null;
  return (
    <span class="chip mono wide cut" title="The scope of the top bar is part of the query">
      {terms}
    </span>
  );
}

/** A query in its colours; with an error, a squiggle where it is. */
export function Painted({ text, error }: { text: string; error?: ApiError | undefined }) {
  const bad = error?.column ? badRange(text, error.column, error.length ?? 1) : undefined;
  const parts: ComponentChildren[] = [];
  let last = 0;
  for (const token of lex(text)) {
    parts.push(text.slice(last, token.from));
    const wrong = bad && token.from < bad.to && token.to > bad.from;
    parts.push(<span class={`t-${token.kind}${wrong ? ' bad' : ''}`}>{token.text}</span>);
    last = token.to;
  }
  parts.push(text.slice(last));
  if (bad && bad.from >= text.trimEnd().length) parts.push(<span class="bad"> </span>);
  return <>{parts}</>;
}

function badRange(text: string, column: number, length: number): { from: number; to: number } {
  const from = indexOfColumn(text, column);
  return { from, to: Math.max(from + 1, indexOfColumn(text, column + length)) };
}

/** What completes the text, once it is known; the last answer stays while the next is on its way. */
function useChoices(text: string, spot: Spot | undefined): Choice[] {
  const [known, setKnown] = useState<{ key: string; fields: FieldInfo[]; values: ValueInfo[] }>({ key: '', fields: [], values: [] });
  const key = spot ? `${spot.kind} ${spot.source} ${spot.field ?? ''}` : '';
  const prefix = spot?.kind === 'value' ? spot.prefix.replace(/^["']/, '') : '';
  useEffect(() => {
    if (!spot) return;
    let left = false;
    const { from, to } = range.value;
    const done = (fields: FieldInfo[], values: ValueInfo[]) => !left && setKnown({ key, fields, values });
    if (spot.kind === 'field' || spot.kind === 'step-args')
      fieldsOf(spot.source, { from, to }).then(
        (fields) => done(fields, []),
        () => done([], []),
      );
    else if (spot.kind === 'value')
      valuesOf(spot.source, spot.field ?? '', prefix, { from, to }).then(
        (values) => done([], values),
        () => done([], []),
      );
    else done([], []);
    return () => {
      left = true;
    };
  }, [key, prefix]);
  if (!spot || known.key !== key) return [];
  // A word that is whole needs no list that says so.
  if (spot.kind === 'field' && spot.prefix === '' && text.trim() !== '' && !/\s$/.test(text.slice(0, spot.from))) return [];
  return choicesFor(spot, known.fields, known.values);
}

function Choices({
  choices,
  at,
  choose,
  hover,
}: {
  choices: Choice[];
  at: number;
  choose: (c: Choice) => void;
  hover: (n: number) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at]);
  return (
    <div class="popover pop qsuggest" role="listbox" id="query-choices" aria-label="Suggestions" ref={list}>
      {choices.map((choice, index) => (
        <div
          class="item"
          role="option"
          id={`query-choice-${index}`}
          key={choice.insert}
          aria-selected={index === at}
          onPointerDown={(event) => event.preventDefault()}
          onPointerMove={() => index !== at && hover(index)}
          onClick={() => choose(choice)}
        >
          <span>{choice.label ?? choice.insert}</span>
          {choice.what && <span class="what">{choice.what}</span>}
          {choice.rows !== undefined && <span class="n">{count(choice.rows)}</span>}
        </div>
      ))}
    </div>
  );
}

/** Under the bar: what is wrong, and the fixes as buttons. */
export function QueryError({ error, query, fix }: { error: ApiError; query: string; fix: (query: string) => void }) {
  const column = error.column;
  return (
    <div class="qerror" id="query-error" role="alert">
      <span>
        {error.message}
        {column ? <span class="d2"> at column {column}.</span> : null} {error.hint && <span class="d2">{error.hint}</span>}
      </span>
      {column !== undefined &&
        error.suggest.slice(0, 4).map((word) => {
          const { from, to } = badRange(query, column, error.length ?? 1);
          return (
            <button type="button" class="btn s" key={word} onClick={() => fix(query.slice(0, from) + word + query.slice(to))}>
              {word}
            </button>
          );
        })}
    </div>
  );
}
