// The forms by which something is added or changed: a few fields, what sends them, the way back, and what the server has against it.
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';
import { Refusal, useDeed, useFocus } from './common.tsx';

interface FormProps {
  label?: string;
  class?: string;
  verb: string;
  /** All is there that it takes. */
  ready: boolean;
  save: () => Promise<unknown>;
  close?: (() => void) | undefined;
  /** Beside the buttons. */
  note?: string;
  children: ComponentChildren | ((error: ApiError | undefined) => ComponentChildren);
}

export function Form({ label, class: more = '', verb, ready, save, close, note, children }: FormProps) {
  const deed = useDeed();
  return (
    <form
      class={`set-form ${more}`}
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        void deed.run(save);
      }}
    >
      {typeof children === 'function' ? children(deed.error) : children}
      <div class="row wrap">
        <button type="submit" class="btn" disabled={deed.busy || !ready}>
          {verb}
        </button>
        {close && (
          <button type="button" class="btn g" onClick={close}>
            Cancel
          </button>
        )}
        {note && <span class="sm d3">{note}</span>}
      </div>
      <Refusal error={deed.error} />
    </form>
  );
}

interface TextProps {
  label: string;
  value: string;
  change: (text: string) => void;
  /** Characters. */
  most: number;
  example?: string;
  need?: boolean;
  mono?: boolean;
  long?: boolean;
  /** The one that is written first. */
  first?: boolean;
  wrong?: boolean;
}

export function TextField({ label, value, change, most, example, need = true, mono, long, first, wrong }: TextProps) {
  const field = useFocus();
  return (
    <label class={`field ${long ? 'long' : ''}`}>
      <span class="sm d3">{label}</span>
      <input
        class={`text ${mono ? 'mono' : ''}`}
        required={need}
        maxLength={most}
        placeholder={example}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={wrong}
        value={value}
        ref={first ? field : undefined}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </label>
  );
}
