// Rules, a line each, with their numbers; what is wrong stands under the line it is in.
import { useId, useRef } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';

interface Props {
  label: string;
  says: string;
  example: string;
  value: string;
  write: (text: string) => void;
  error: ApiError | undefined;
}

const LEAST_LINES = 3;
const MOST_LINES = 16;

export function RuleText({ label, says, example, value, write, error }: Props) {
  const id = useId();
  const numbers = useRef<HTMLDivElement>(null);
  const lines = value.split('\n');
  const shown = Math.min(MOST_LINES, Math.max(LEAST_LINES, lines.length));
  return (
    <div class="ruletext">
      <label class="row" for={id}>
        <span class="sm m">{label}</span>
        <span class="sm d3 cut">{says}</span>
      </label>
      <div class={`rlines ${error ? 'wrong' : ''}`}>
        <div class="gut" aria-hidden="true" ref={numbers}>
          {Array.from({ length: Math.max(shown, lines.length) }, (_, index) => (
            <span key={index} class={error?.line === index + 1 ? 'bad' : ''}>
              {index + 1}
            </span>
          ))}
        </div>
        <textarea
          id={id}
          rows={shown}
          wrap="off"
          value={value}
          placeholder={example}
          spellcheck={false}
          autocapitalize="off"
          aria-invalid={error ? 'true' : undefined}
          aria-errormessage={error ? `${id}-error` : undefined}
          onInput={(event) => write(event.currentTarget.value)}
          onScroll={(event) => numbers.current?.scrollTo(0, event.currentTarget.scrollTop)}
        />
      </div>
      {error && (
        <p class="sm err" role="alert" id={`${id}-error`}>
          {error.line !== undefined && (
            <b>
              Line {error.line}
              {error.column !== undefined && `, column ${error.column}`}:{' '}
            </b>
          )}
          {error.message.replace(/^line \d+: /, '')} {error.hint && <span class="d2">{error.hint}</span>}
          {error.line !== undefined && lines[error.line - 1] && <code class="badline cut">{lines[error.line - 1]}</code>}
        </p>
      )}
    </div>
  );
}
