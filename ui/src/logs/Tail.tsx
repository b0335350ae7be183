// How the page follows what arrives: a dot, how much a second, and the button that stops it.
import { Pause, Play } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../parts/Icon.tsx';
import { arrived, connected, live, range } from '../state/live.ts';

const OVER_S = 10;

/** Lines a second over the last ten. */
function useRate(): number {
  const [rate, setRate] = useState(0);
  useEffect(() => {
    let seen: number[] = [arrived.value];
    const timer = setInterval(() => {
      const now = arrived.value;
      // It begins anew with another query.
      if (now < (seen.at(-1) ?? 0)) seen = [0];
      seen = [...seen, now].slice(-OVER_S - 1);
      setRate((now - (seen[0] ?? 0)) / Math.max(1, seen.length - 1));
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return rate;
}

export function Tail() {
  const rate = useRate();
  if (!range.value.relative) return null;
  const on = live.value;
  return (
    <span class="row tail">
      {on && <span class={`dot ${connected.value ? 'k' : 'w'}`} />}
      <span class="m wide" role="status">
        {!on ? 'Paused' : connected.value ? 'Tailing' : 'Reconnecting'}
      </span>
      {on && connected.value && <span class="d3 rate wide">{rate >= 10 || rate === 0 ? Math.round(rate) : rate.toFixed(1)} /s</span>}
      <button type="button" class="btn s" onClick={() => (live.value = !on)}>
        <Icon icon={on ? Pause : Play} size={12} />
        <span class="narrow">
          <span class="only-read">{on ? 'Pause' : 'Tail'}</span>
        </span>
        <span class="wide">
          {on ? 'Pause' : 'Tail'} <span class="kbd">l</span>
        </span>
      </button>
    </span>
  );
}
