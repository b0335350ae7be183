// A file as the process has it: lines, a gutter where probes are placed, and the editor under its line.
import { Plus } from 'lucide';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Probe, SourceFile } from '../api/probes.ts';
import { type Piece, paintLines } from '../issue/paint.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { probesByLine } from './files.ts';
import { Diamond } from './Marks.tsx';
import { isAlive } from './words.ts';

interface Props {
  source: SourceFile;
  probes: readonly Probe[];
  /** Where the reader is. */
  line: number | undefined;
  /** The editor stands under that line. */
  editing: boolean;
  editor: ComponentChildren;
  /** What the chosen hit held, beside its line. */
  values: { line: number; texts: [string, string][] } | undefined;
  press: (line: number) => void;
  go: (line: number) => void;
  mayPlace: boolean;
}

/** Lines that the browser skips together when they are out of sight. */
const CHUNK = 50;
const LINE_LENGTH_MAX = 2000;

export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export function SourceView({ source, probes, line, editing, editor, values, press, go, mayPlace }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const painted = useMemo(
    () =>
      paintLines(
        linesOf(source.text).map((text) => safeText(text.slice(0, LINE_LENGTH_MAX))),
        source.path,
        undefined,
      ),
    [source.text, source.path],
  );
  const code = useMemo(() => (source.lines ? new Set(source.lines) : undefined), [source.lines]);
  const marks = probesByLine(probes, source.path, source.functions, source.process);
  useEffect(() => {
    if (line === undefined) return;
    const row = box.current?.querySelector(`[data-line="${line}"]`);
    const frame = box.current?.getBoundingClientRect();
    const at = row?.getBoundingClientRect();
    if (!row || !frame || !at) return;
    // The editor needs room under its line.
    const room = editing ? Math.max(60, frame.height - 420) : frame.height - 40;
    if (at.top < frame.top + 20 || at.top > frame.top + room) row.scrollIntoView({ block: editing ? 'start' : 'center' });
    if (editing && box.current && row.getBoundingClientRect().top - frame.top < 60) box.current.scrollTop -= 60;
  }, [line, source.path, editing]);
  const chunks: ComponentChildren[] = [];
  for (let from = 0; from < painted.length; ) {
    const at = editing && line !== undefined ? line : 0;
    const to = Math.min(painted.length, at > from && at < from + CHUNK ? at : from + CHUNK);
    chunks.push(
      <Lines
        key={`l${from}`}
        from={from}
        painted={painted.slice(from, to)}
        whole={painted}
        code={code}
        marks={within(marks, from, to)}
        line={line !== undefined && line > from && line <= to ? line : undefined}
        values={values && values.line > from && values.line <= to ? values : undefined}
        press={press}
        go={go}
        mayPlace={mayPlace}
      />,
    );
    if (at === to) chunks.push(<div key="editor">{editor}</div>);
    from = to;
  }
  return (
    <div class="code lsrc scroll" ref={box} tabIndex={0} role="region" aria-label={`Source of ${source.path}`}>
      {chunks}
    </div>
  );
}

function within(marks: Map<number, Probe[]>, from: number, to: number): [number, Probe[]][] {
  return [...marks].filter(([line]) => line > from && line <= to);
}

interface LinesProps {
  from: number;
  painted: Piece[][];
  whole: Piece[][];
  code: Set<number> | undefined;
  marks: [number, Probe[]][];
  line: number | undefined;
  values: Props['values'];
  press: (line: number) => void;
  go: (line: number) => void;
  mayPlace: boolean;
}

class Lines extends Component<LinesProps> {
  override shouldComponentUpdate(next: LinesProps): boolean {
    const now = this.props;
    return (
      now.whole !== next.whole ||
      now.painted.length !== next.painted.length ||
      now.line !== next.line ||
      now.values !== next.values ||
      now.code !== next.code ||
      now.mayPlace !== next.mayPlace ||
      now.press !== next.press ||
      now.marks.length !== next.marks.length ||
      now.marks.some(([at, here], index) => {
        const [nextAt, nextHere] = next.marks[index] ?? [];
        return nextAt !== at || nextHere?.length !== here.length || here.some((probe, n) => probe !== nextHere[n]);
      })
    );
  }

  override render() {
    const { from, painted, code, marks, line, values, press, go, mayPlace } = this.props;
    const probes = new Map(marks);
    return (
      <div class="chunk" style={{ containIntrinsicSize: `auto ${painted.length * 18}px` }}>
        {painted.map((pieces, index) => {
          const number = from + index + 1;
          const here = probes.get(number);
          const probe = here?.[0];
          const standing = here?.filter(isAlive).length ?? 0;
          const has = probe !== undefined || (code?.has(number) ?? pieces.length > 0);
          return (
            <div
              class={`l ${probe && isAlive(probe) ? 'pt' : ''} ${line === number ? 'at' : ''} ${has ? '' : 'nl'}`}
              key={number}
              data-line={number}
            >
              {(has && mayPlace) || probe ? (
                <button
                  type="button"
                  class="gt"
                  tabIndex={line === number ? 0 : -1}
                  aria-label={
                    standing > 1
                      ? `${standing} probes at line ${number}`
                      : probe
                        ? `Probe at line ${number}`
                        : `Place a probe at line ${number}`
                  }
                  onClick={() => press(number)}
                >
                  {probe ? (
                    <>
                      <Diamond probe={probe} />
                      {standing > 1 && <span class="gn">{standing}</span>}
                    </>
                  ) : (
                    <span class="plus">
                      <Icon icon={Plus} size={12} />
                    </span>
                  )}
                </button>
              ) : (
                <span class="gt" />
              )}
              <span class="no" onClick={() => go(number)}>
                {number}
              </span>
              <span class="tx" onClick={() => go(number)}>
                {pieces.map((piece, n) =>
                  piece.tone ? (
                    <span class={piece.tone} key={n}>
                      {piece.text}
                    </span>
                  ) : (
                    piece.text
                  ),
                )}
                {values?.line === number && (
                  <span class="inl">
                    {values.texts.map(([name, value]) => (
                      <span key={name}>
                        <b>{name}</b> = {value}
                      </span>
                    ))}
                  </span>
                )}
              </span>
            </div>
          );
        })}
      </div>
    );
  }
}
