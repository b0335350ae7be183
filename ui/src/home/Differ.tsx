// What the failing (or slow) requests have that the others have not.
import type { Finding } from '../api/overview.ts';
import { percent } from '../format/number.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Link } from '../parts/Link.tsx';
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
      <table class="dif">
        <thead>
          <tr class="th">
            <th scope="col">Field and value</th>
            <th scope="col">{doing}</th>
            <th scope="col">Others</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((row) => (
            <tr key={`${row.field} ${valueText(row.value)}`}>
              <th scope="row" class="mono cut">
                <Link class="plain" href={href('/traces', { ...kept.value, q: addTerm(row.among, term(row.field, row.value)) })}>
                  {row.field} = {valueText(row.value)}
                </Link>
              </th>
              <td>
                <Share of={row.in} tone="in" />
              </td>
              <td>
                <Share of={row.out} tone="out" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Share({ of, tone }: { of: number; tone: 'in' | 'out' }) {
  return (
    <span class="share">
      <i class={tone} style={{ width: `${Math.max(1, of * 100)}%` }} />
      <span>{percent(of)}</span>
    </span>
  );
}
