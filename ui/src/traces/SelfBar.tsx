// Where a trace's time went, by service: the larger first, the same colours as everywhere.
import { duration } from '../format/number.ts';
import { hueOf } from '../state/services.ts';
import type { SelfTime } from './outline.ts';

const SHOWN = 6;

export function SelfBar({ of }: { of: SelfTime[] | undefined }) {
  if (!of) return <span class="selfbar" />;
  const all = of.reduce((sum, one) => sum + one.ns, 0);
  if (all === 0) return <span class="selfbar" />;
  const text = of.map((one) => `${one.service} ${duration(one.ns)}`).join(', ');
  return (
    <span class="selfbar" role="img" aria-label={`Self time: ${text}`} title={`Self time: ${text}`}>
      {of.slice(0, SHOWN).map((one) => (
        <i key={one.service} class={`h${hueOf(one.service)}`} style={{ flexGrow: one.ns / all }} />
      ))}
    </span>
  );
}
