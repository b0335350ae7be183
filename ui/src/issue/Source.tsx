// Lines of source around the one that raised.
import type { Frame } from '../api/event.ts';
import { safeText } from '../logs/text.ts';
import { paintLines } from './paint.ts';

interface Props {
  frame: Frame;
  platform: string | undefined;
  /** Lines before and after the one; all of them without. */
  around?: number;
}

export function Source({ frame, platform, around }: Props) {
  const all = frame.context ?? [];
  const at = all.findIndex(([number]) => number === frame.line);
  const lines = around === undefined || at < 0 ? all : all.slice(Math.max(0, at - around), at + 2);
  const indent = Math.min(...lines.filter(([, text]) => text.trim()).map(([, text]) => /^[ \t]*/.exec(text)?.[0].length ?? 0));
  const shift = around !== undefined && Number.isFinite(indent) ? indent : 0;
  const digits = Math.max(...lines.map(([number]) => String(number).length));
  const painted = paintLines(
    lines.map(([, text]) => safeText(text.slice(shift, 2000))),
    frame.file ?? frame.abs_path,
    platform,
  );
  return (
    <div
      class="code src scroll"
      style={{ '--no': digits }}
      tabIndex={0}
      role="region"
      aria-label={`Source of ${frame.file ?? 'the frame'}`}
    >
      {lines.map(([number], index) => (
        <div class={`l ${number === frame.line ? 'hot' : ''}`} key={number}>
          <span class="no">{number}</span>
          <span>
            {painted[index]?.map((piece, n) =>
              piece.tone ? (
                <span class={piece.tone} key={n}>
                  {piece.text}
                </span>
              ) : (
                piece.text
              ),
            )}
          </span>
        </div>
      ))}
    </div>
  );
}
