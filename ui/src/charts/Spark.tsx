// A trend in a table cell.
import { sparkPaths, sparkTop } from './scale.ts';

interface Props {
  values: readonly (number | null | undefined)[];
  tone?: 'e' | 'w';
  /** Full scale is never less than this. */
  floor?: number;
  width?: number;
  height?: number;
}

export function Spark({ values, tone, floor = 0, width = 88, height = 24 }: Props) {
  if (!values.some((value) => value)) return <span class="flat" style={{ width: `${width}px` }} />;
  const { line, area } = sparkPaths(values, sparkTop(values, floor), width, height);
  const look = tone ? ` ${tone}` : '';
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path class={`ar${look}`} d={area} />
      <path class={`ln${look}`} d={line} />
    </svg>
  );
}

/** Counts as bars. */
export function SparkBars({ values, tone, width = 88, height = 18 }: Props) {
  const top = sparkTop(values, 1);
  const slot = width / Math.max(1, values.length);
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {values.map((value, index) => {
        const h = value ? Math.max(1.5, (value / top) * height) : 0;
        return h ? (
          <rect
            key={index}
            class={tone === 'e' ? 'be' : tone === 'w' ? 'bw' : 'bv'}
            x={index * slot}
            y={height - h}
            width={Math.max(1, slot - 1)}
            height={h}
          />
        ) : null;
      })}
    </svg>
  );
}
