// The differences of two snapshots, a value beside the other.
import '../styles/snapshots.css';
import type { Capture, Captured } from '../api/snapshots.ts';
import { plural } from '../format/number.ts';
import { clock, parseInstant } from '../format/time.ts';
import { paintValue } from '../issue/paint.ts';
import type { Differences } from './diff.ts';
import { isPython, oneLine, typeText, whyText } from './value.ts';

interface Props {
  found: Differences;
  before: Capture;
  after: Capture;
}

export function Differing({ found, before, after }: Props) {
  if (found.rows.length === 0)
    return (
      <p class="hint">
        {found.same === 0 ? (
          <span class="why">neither has captured a variable of a function that both were in</span>
        ) : (
          `All ${plural(found.same, 'captured value')} ${found.same === 1 ? 'is' : 'are'} the same in both.`
        )}
      </p>
    );
  const frames = [...new Set(found.rows.map((row) => row.frame))];
  return (
    <>
      <table class="snapdiff">
        <thead>
          <tr>
            <th class="th">Variable</th>
            <th class="th">{clock(parseInstant(before.time).ms)}</th>
            <th class="th">{clock(parseInstant(after.time).ms)}</th>
          </tr>
        </thead>
        {frames.map((frame) => (
          <tbody key={frame}>
            {frames.length > 1 && (
              <tr>
                <th colSpan={3} class="th in">
                  in <span class="mono">{after.frames?.[frame]?.function ?? 'the frame'}</span>
                </th>
              </tr>
            )}
            {found.rows
              .filter((row) => row.frame === frame)
              .map((row, index) => (
                <tr key={index}>
                  <th scope="row" class="mono">
                    {row.path}
                  </th>
                  <Cell value={row.before} file={before.file} />
                  <Cell value={row.after} file={after.file} />
                </tr>
              ))}
          </tbody>
        ))}
      </table>
      <p class="hint sm d3">
        {plural(found.same, 'other value')} {found.same === 1 ? 'is' : 'are'} the same in both.
        {found.cut && ` Only the first ${found.rows.length} differences are shown.`}
      </p>
    </>
  );
}

function Cell({ value, file }: { value: Captured | undefined; file: string | undefined }) {
  const why = value ? whyText(value) : 'not there';
  return (
    <td>
      {why || !value ? (
        <span class="why">{why}</span>
      ) : (
        <span class="code wrap" title={typeText(value)}>
          {paintValue(oneLine(value, isPython(file), 400)).map((piece, index) => (
            <span class={piece.tone} key={index}>
              {piece.text}
            </span>
          ))}
        </span>
      )}
    </td>
  );
}
