import { ChevronDown, Clock } from 'lucide';
import { useState } from 'preact/hooks';
import { absolute } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { range } from '../state/live.ts';
import { DEFAULT_FROM, PRESETS, rangeLabel } from '../state/range.ts';
import { param, setParams } from '../state/route.ts';

/** As `datetime-local` wants it, in the reader's zone. */
function toLocal(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return d.toISOString().slice(0, 19);
}

export function RangePicker() {
  const from = param('from');
  const to = param('to');
  const { value } = range;
  return (
    <Popover
      class="ctl"
      title={`${absolute(value.from)} to ${absolute(value.to)}`}
      label={
        <>
          <Icon icon={Clock} size={14} class="wide" />
          <b>{rangeLabel(from, to)}</b>
          <Icon icon={ChevronDown} size={12} />
        </>
      }
    >
      {(close) => (
        <>
          <div role="radiogroup" aria-label="Range">
            {PRESETS.map(([preset, label]) => (
              <button
                type="button"
                class="item"
                key={preset}
                role="radio"
                aria-checked={!to && (from ?? DEFAULT_FROM) === preset}
                onClick={() => {
                  setParams({ from: preset === DEFAULT_FROM ? undefined : preset, to: undefined });
                  close();
                }}
              >
                {label}
              </button>
            ))}
          </div>
          <Custom close={close} />
        </>
      )}
    </Popover>
  );
}

function Custom({ close }: { close: () => void }) {
  const [from, setFrom] = useState(toLocal(range.value.from));
  const [to, setTo] = useState(toLocal(range.value.to));
  const begin = Date.parse(from);
  const end = Date.parse(to);
  const good = begin < end;
  return (
    <form
      class="custom"
      onSubmit={(event) => {
        event.preventDefault();
        if (!good) return;
        setParams({ from: String(begin), to: String(end) });
        close();
      }}
    >
      <label>
        <span class="sm d3">From</span>
        <input class="text" type="datetime-local" step="1" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
      </label>
      <label>
        <span class="sm d3">To</span>
        <input class="text" type="datetime-local" step="1" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
      </label>
      <button type="submit" class="btn" disabled={!good}>
        {good ? 'Show this range' : 'From must be before To'}
      </button>
    </form>
  );
}
