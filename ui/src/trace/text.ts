// Text on canvases: cut to a width, measured once.

const MOST = 8000;
const widths = new Map<string, number>();

export function widthOf(g: CanvasRenderingContext2D, text: string): number {
  const key = `${g.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    width = g.measureText(text).width;
    if (widths.size > MOST) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** The longest beginning of the text that fits, with an ellipsis when it is not all of it. */
export function fitText(g: CanvasRenderingContext2D, text: string, room: number): string {
  if (room <= 0) return '';
  // A million characters are never measured: what cannot fit is cut off before.
  const head = text.length > 400 ? text.slice(0, 400) : text;
  if (head === text && widthOf(g, text) <= room) return text;
  const dots = widthOf(g, '…');
  if (dots > room) return '';
  let low = 0;
  let high = head.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (g.measureText(head.slice(0, middle)).width + dots <= room) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${head.slice(0, low).trimEnd()}…`;
}

/** Fonts may arrive after the first measuring. */
export function forgetWidths(): void {
  widths.clear();
}
