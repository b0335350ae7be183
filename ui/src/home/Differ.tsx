// What the failing (or slow) requests have that the others have not.
import type { Finding } from '../api/overview.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Shares } from '../parts/Shares.tsx';
import { addTerm, term } from '../query/write.ts';
import { href, setParams } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import type { Difference } from './load.ts';

const ROWS = 8;

export function Differ({ finding, rows }: { finding: Finding; rows: readonly Difference[] }) {
  const service = finding.service ?? '';
  const doing = finding.state === 'failing' ? 'Failing' : 'Slow';
  return (
    <section class="differ hl" aria-label="What differs">
      <div class="sec">
        <h2>What differs</h2>
        <span class="grow cut">
          {doing.toLowerCase()} operations of {service} against their like, the surest first
        </span>
        <button type="button" class="link" onClick={() => setParams({ differ: undefined }, { replace: true })}>
          Close
        </button>
      </div>
      <Shares
        sides={[doing, 'Others']}
        rows={rows.slice(0, ROWS).map((row) => ({
          label: `${row.field} = ${valueText(row.value)}`,
          href: href('/traces', { ...kept.value, q: addTerm(row.among, term(row.field, row.value)) }),
          in: row.in,
          out: row.out,
        }))}
      />
    </section>
  );
}
