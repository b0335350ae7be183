// Where an expression or a message is written: in its colours, completed at the cursor, checked by the server as it is written.
import { Check } from 'lucide';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type CheckAs, type Checked, checkText, type Variable } from '../api/probes.ts';
import { Icon } from '../parts/Icon.tsx';
import { indexOfColumn } from '../query/lex.ts';
import { type Choice, choicesFor, insertChoice, paint, spotAt } from './expression.ts';

interface Props {
  as: CheckAs;
  label: string;
  value: string;
  placeholder?: string;
  variables: readonly Variable[];
  write: (text: string) => void;
  /** Hears whether the text as it stands can be used. */
  checked: (fine: boolean) => void;
  focus?: boolean;
}

const CHECK_MS = 180;

export function ExprField({ as, label, value, placeholder, variables, write, checked, focus }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const id = useId();
  const [cursor, setCursor] = useState<number | undefined>();
  const [at, setAt] = useState(0);
  const answer = useCheck(as, value, checked);
  const template = as === 'template';
  const spot = cursor === undefined ? undefined : spotAt(value, cursor, template);
  const choices = spot ? choicesFor(spot, variables) : [];
  const open = choices.length > 0;
  const problem = answer && !answer.ok ? answer : undefined;
  useLayoutEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  const follow = () => {
    if (picture.current && input.current) picture.current.scrollLeft = input.current.scrollLeft;
  };
  useLayoutEffect(follow);
  const look = () => {
    setCursor(input.current?.selectionStart ?? undefined);
    setAt(0);
  };
  const choose = (choice: Choice) => {
    if (!spot || !input.current) return;
    const next = insertChoice(value, spot, choice);
    write(next.text);
    input.current.value = next.text;
    input.current.setSelectionRange(next.cursor, next.cursor);
    input.current.focus();
    look();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === ' ' && event.ctrlKey) look();
    else if (!open || event.ctrlKey || event.metaKey) return;
    else if ((event.key === 'Tab' && !event.shiftKey) || event.key === 'Enter') choose(choices[at] as Choice);
    else if (event.key === 'ArrowDown') setAt((at + 1) % choices.length);
    else if (event.key === 'ArrowUp') setAt((at + choices.length - 1) % choices.length);
    else if (event.key === 'Escape') setCursor(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="expr">
      <div class="qbar">
        <span class="field">
          <div class="paint" ref={picture} aria-hidden="true">
            <Painted text={value} template={template} column={problem?.column} />
          </div>
          <input
            ref={input}
            value={value}
            aria-label={label}
            placeholder={placeholder}
            role="combobox"
            aria-expanded={open}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={open ? `${id}-${at}` : undefined}
            aria-invalid={problem ? 'true' : undefined}
            aria-describedby={`${id}-said`}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            maxLength={1024}
            onInput={(event) => {
              write(event.currentTarget.value);
              look();
            }}
            onClick={look}
            onKeyUp={(event) => /^(Arrow(Left|Right)|Home|End)$/.test(event.key) && look()}
            onBlur={() => setCursor(undefined)}
            onKeyDown={onKeyDown}
            onScroll={follow}
          />
        </span>
        {answer?.ok && !template && (
          <span class="okc tyk">
            <Icon icon={Check} size={12} />
            {answer.type}
          </span>
        )}
        {open && (
          <div class="popover pop qsuggest" role="listbox" id={`${id}-list`} aria-label="Suggestions">
            {choices.map((choice, index) => (
              <div
                class="item"
                role="option"
                id={`${id}-${index}`}
                key={choice.insert}
                aria-selected={index === at}
                onPointerDown={(event) => event.preventDefault()}
                onPointerMove={() => index !== at && setAt(index)}
                onClick={() => choose(choice)}
              >
                <span>{choice.insert}</span>
                <span class="what">{choice.what}</span>
              </div>
            ))}
          </div>
        )}
      </div>
      <p class="sm esaid" id={`${id}-said`} aria-live="polite">
        {problem && (
          <>
            <span class="err">{problem.message}</span> <span class="d3">at column {problem.column}.</span>{' '}
            {problem.hint && <span class="d2">{problem.hint}</span>}
          </>
        )}
      </p>
    </div>
  );
}

/** The answer to the text as it stands; while it is being written the last one goes. */
function useCheck(as: CheckAs, text: string, checked: (fine: boolean) => void): Checked | undefined {
  const [answer, setAnswer] = useState<{ text: string; said: Checked } | undefined>();
  const plain = text.trim() === '';
  useEffect(() => {
    if (plain) {
      checked(true);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      checkText(as, text, abort.signal).then(
        (said) => {
          if (!said || abort.signal.aborted) return;
          setAnswer({ text, said });
          checked(said.ok);
        },
        // The server says it again, and why, when the probe is placed.
        () => checked(true),
      );
    }, CHECK_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [as, text]);
  return !plain && answer?.text === text ? answer.said : undefined;
}

function Painted({ text, template, column }: { text: string; template: boolean; column: number | undefined }) {
  const bad = column === undefined ? undefined : indexOfColumn(text, column);
  return (
    <>
      {paint(text, template).map((piece) => {
        const wrong = bad !== undefined && piece.from <= bad && bad < piece.from + piece.text.length;
        return (
          <span class={`${piece.tone}${wrong ? ' bad' : ''}`} key={piece.from}>
            {piece.text}
          </span>
        );
      })}
      {bad !== undefined && bad >= text.length && <span class="bad"> </span>}
    </>
  );
}
