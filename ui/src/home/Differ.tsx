// What the failing (or slow) requests have that the others have not.
import type { DifferRow, Finding } from '../api/overview.ts';
import { percent } from '../format/number.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Link } from '../parts/Link.tsx';
import { entryQuery } from '../query/services.ts';
import { addTerm, term } from '../query/write.ts';
import { href, setParams } from '../state/route.ts';
import { kept } from '../state/scope.ts';

const ROWS = 8;

export function Differ({ finding, rows }: { finding: Finding; rows: readonly DifferRow[] }) {
  const service = finding.service ?? '';
  const doing = finding.state === 'failing' ? 'Failing' : 'Slow';
  return (
    <section class="differ hl" aria-label="What differs">
      <div class="sec">
        <h2>What differs</h2>
        <span class="grow cut">
          {doing.toLowerCase()} requests of {service} against its other ones, the surest first
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
                <Link class="plain" href={href('/traces', { ...kept.value, q: addTerm(entryQuery(service), term(row.field, row.value)) })}>
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
