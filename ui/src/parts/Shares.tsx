// What sets some records apart: values, and how many of either side have them.
import { percent } from '../format/number.ts';
import { Link } from './Link.tsx';

export interface Shared {
  label: string;
  /** The records that have it. */
  href?: string;
  in: number;
  out: number;
}

/** sides: what is apart, and the rest. */
export function Shares({ rows, sides }: { rows: readonly Shared[]; sides: readonly [string, string] }) {
  return (
    <table class="dif">
      <thead>
        <tr class="th">
          <th scope="col">Field and value</th>
          <th scope="col">{sides[0]}</th>
          <th scope="col">{sides[1]}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.label}>
            <th scope="row" class="mono cut" title={row.label}>
              {row.href ? (
                <Link class="plain" href={row.href}>
                  {row.label}
                </Link>
              ) : (
                row.label
              )}
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
