import { Search } from 'lucide';
import { Icon } from '../parts/Icon.tsx';

interface Props {
  value: string;
  change: (text: string) => void;
  /** undefined: nothing is searched for. */
  found: number | undefined;
  next: (by: 1 | -1) => void;
}

/** Finds in names, services, messages and attributes; what does not match stays, faint, for context. */
export function FindBox({ value, change, found, next }: Props) {
  return (
    <label class="find">
      <Icon icon={Search} size={14} />
      <input
        data-slash
        value={value}
        placeholder="Find in trace"
        aria-label="Find in trace"
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') next(event.shiftKey ? -1 : 1);
          else if (event.key === 'Escape') {
            change('');
            event.currentTarget.blur();
          } else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      {found === undefined ? <kbd class="kbd wide">/</kbd> : <span class={`sm nw ${found ? 'd3' : 'err'}`}>{found || 'none'}</span>}
    </label>
  );
}
