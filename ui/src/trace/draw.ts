// Paints the rows of the waterfall that are in sight. Knows nothing of events and state: a scene in, dots out.

import type { Size } from '../charts/canvas.ts';
import type { Palette } from '../charts/palette.ts';
import { duration, durationTick } from '../format/number.ts';
import { durationTicks } from '../format/time.ts';
import { hueOf } from '../state/services.ts';
import { capturesOn, firstValues, placeText, strayText } from './captured.ts';
import type { Segment } from './critical.ts';
import { type EventNode, isErrorLevel, type LogNode, type MissingNode, ownerOf, type SnapshotNode, type SpanNode } from './model.ts';
import { detailOf, type RepeatNode, type Row } from './rows.ts';
import { fitText, widthOf } from './text.ts';
import type { Viewport } from './viewport.ts';

export const BAR = 11;
export const RIGHT = 20;

export interface Columns {
  name: number;
  duration: number;
  gutter: number;
  indent: number;
}

export interface Scene {
  rows: Row[];
  scrollTop: number;
  rowHeight: number;
  size: Size;
  columns: Columns;
  view: Viewport;
  selected: number;
  hover: number;
  critical: Map<SpanNode, Segment[]> | undefined;
  snapshots: readonly SnapshotNode[];
  colours: Palette;
}

export function timelineLeft(columns: Columns): number {
  return columns.name + columns.duration;
}

export function xOf(ns: number, scene: Pick<Scene, 'columns' | 'size' | 'view'>): number {
  const left = timelineLeft(scene.columns);
  const width = scene.size.width - left - RIGHT;
  return left + ((ns - scene.view.from) / (scene.view.to - scene.view.from)) * width;
}

export function nsAt(x: number, scene: Pick<Scene, 'columns' | 'size' | 'view'>): number {
  const left = timelineLeft(scene.columns);
  const width = scene.size.width - left - RIGHT;
  return scene.view.from + ((x - left) / width) * (scene.view.to - scene.view.from);
}

/** Where a row's chevron stands. */
export function chevronX(depth: number, columns: Columns): number {
  return columns.gutter - 4 + depth * columns.indent;
}

export function drawScene(g: CanvasRenderingContext2D, scene: Scene): void {
  const { rowHeight, scrollTop, size } = scene;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight));
  const last = Math.min(scene.rows.length - 1, Math.ceil((scrollTop + size.height) / rowHeight));
  for (let index = first; index <= last; index++) drawPlane(g, scene, index, index * rowHeight - scrollTop);
  drawGrid(g, scene);
  for (let index = first; index <= last; index++) drawRow(g, scene, index, index * rowHeight - scrollTop);
}

function drawPlane(g: CanvasRenderingContext2D, scene: Scene, index: number, y: number): void {
  const { is } = scene.colours;
  if (index !== scene.selected && index !== scene.hover) {
    if (scene.rows[index]?.node.type !== 'snapshot') return;
    g.fillStyle = is['live-soft'];
    g.fillRect(0, y, scene.size.width, scene.rowHeight);
    return;
  }
  g.fillStyle = index === scene.selected ? is.selected : is.hover;
  g.fillRect(0, y, scene.size.width, scene.rowHeight);
  if (index === scene.selected) {
    g.fillStyle = is.accent;
    g.fillRect(0, y, 2, scene.rowHeight);
  }
}

function drawGrid(g: CanvasRenderingContext2D, scene: Scene): void {
  g.fillStyle = scene.colours.is.line;
  const left = timelineLeft(scene.columns);
  const bottom = Math.min(scene.size.height, scene.rows.length * scene.rowHeight - scene.scrollTop);
  g.fillRect(left - 1, 0, 1, scene.size.height);
  g.globalAlpha = 0.7;
  for (const tick of ticksOf(scene)) {
    const x = Math.round(xOf(tick.at, scene));
    if (x > left) g.fillRect(x, 0, 1, bottom);
  }
  g.globalAlpha = 1;
}

export function ticksOf(scene: Pick<Scene, 'columns' | 'size' | 'view'>): { at: number; label: string }[] {
  const width = scene.size.width - timelineLeft(scene.columns) - RIGHT;
  const ticks = durationTicks(scene.view.from, scene.view.to, Math.max(1, Math.floor(width / 100)));
  return ticks.map(({ at, step }) => ({ at, label: durationTick(at, step) }));
}

function drawRow(g: CanvasRenderingContext2D, scene: Scene, index: number, y: number): void {
  const row = scene.rows[index];
  if (!row) return;
  g.globalAlpha = row.matches ? 1 : 0.38;
  drawGuides(g, scene, row, y);
  const { node } = row;
  if (node.type === 'log') drawLog(g, scene, row, node, y);
  else if (node.type === 'event') drawEvent(g, scene, row, node, y);
  else if (node.type === 'snapshot') drawSnapshot(g, scene, row, node, y);
  else if (node.type === 'missing') drawMissing(g, scene, row, node, y);
  else if (node.type === 'repeat') drawRepeat(g, scene, row, node, y, index);
  else drawSpan(g, scene, row, node, y, index);
  g.globalAlpha = 1;
}

function drawGuides(g: CanvasRenderingContext2D, { columns, colours, rowHeight }: Scene, row: Row, y: number): void {
  g.fillStyle = colours.is.line;
  for (let depth = 0; depth < row.depth; depth++) g.fillRect(Math.round(chevronX(depth, columns) + 6), y, 1, rowHeight);
  if (row.open === undefined) return;
  const x = chevronX(row.depth, columns);
  const c = y + rowHeight / 2;
  g.strokeStyle = colours.is['text-3'];
  g.lineWidth = 1.3;
  g.lineCap = 'round';
  g.lineJoin = 'round';
  g.beginPath();
  if (row.open) {
    g.moveTo(x + 3, c - 1.5);
    g.lineTo(x + 6, c + 1.5);
    g.lineTo(x + 9, c - 1.5);
  } else {
    g.moveTo(x + 4.5, c - 3);
    g.lineTo(x + 7.5, c);
    g.lineTo(x + 4.5, c + 3);
  }
  g.stroke();
}

function colourOf(span: SpanNode, colours: Palette): string {
  // Somebody else's service is neutral; a database has a hue of its own, so that its time can be seen.
  if (span.peer?.kind === 'service') return colours.is['text-3'];
  return colours.service[hueOf(ownerOf(span)) - 1] ?? colours.is['text-3'];
}

function square(g: CanvasRenderingContext2D, x: number, y: number, colour: string, hollow: boolean): void {
  g.beginPath();
  if (hollow) {
    g.strokeStyle = colour;
    g.lineWidth = 1.5;
    g.roundRect(x + 0.75, y + 0.75, 6.5, 6.5, 1.5);
    g.stroke();
  } else {
    g.fillStyle = colour;
    g.roundRect(x, y, 8, 8, 2);
    g.fill();
  }
}

/** Text vertically centred in a row; returns its width. */
function write(
  g: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  scene: Scene,
  font: string,
  colour: string,
  room: number,
): number {
  g.font = font;
  g.fillStyle = colour;
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  const fitted = fitText(g, text, room);
  if (fitted) g.fillText(fitted, x, y + scene.rowHeight / 2 + 0.5);
  return fitted ? widthOf(g, fitted) : 0;
}

function drawDuration(g: CanvasRenderingContext2D, scene: Scene, text: string, y: number, strong: boolean, small = false): void {
  const { colours, columns } = scene;
  g.font = `${strong ? 500 : 400} ${small ? 11 : 12}px ${colours.font}`;
  g.fillStyle = strong ? colours.is.text : small ? colours.is['text-3'] : colours.is['text-2'];
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  g.fillText(text, columns.name + columns.duration - 12, y + scene.rowHeight / 2 + 0.5);
}

function disc(g: CanvasRenderingContext2D, x: number, y: number, colours: Palette): void {
  g.fillStyle = colours.is['error-mark'];
  g.beginPath();
  g.arc(x, y, 7, 0, Math.PI * 2);
  g.fill();
  g.strokeStyle = colours.is.surface;
  g.lineWidth = 1.35;
  g.lineCap = 'round';
  g.beginPath();
  g.moveTo(x - 2, y - 2);
  g.lineTo(x + 2, y + 2);
  g.moveTo(x + 2, y - 2);
  g.lineTo(x - 2, y + 2);
  g.stroke();
}

function diamond(g: CanvasRenderingContext2D, x: number, y: number, colours: Palette, on?: string): void {
  g.beginPath();
  g.moveTo(x, y - 5.5);
  g.lineTo(x + 5.5, y);
  g.lineTo(x, y + 5.5);
  g.lineTo(x - 5.5, y);
  g.closePath();
  // Apart from the bar that it stands on.
  if (on) {
    g.strokeStyle = on;
    g.lineWidth = 3;
    g.lineJoin = 'miter';
    g.stroke();
  }
  g.fillStyle = colours.is.live;
  g.fill();
}

/** Square, name, what the name leaves out, and the marks at the end of the column. */
function drawName(g: CanvasRenderingContext2D, scene: Scene, row: Row, span: SpanNode, y: number, selected: boolean, pill: string): void {
  const { columns, colours } = scene;
  const middle = y + scene.rowHeight / 2;
  let x = chevronX(row.depth, columns) + 18;
  const below = row.open === false && row.node.type === 'span' ? span.errorsBelow : 0;
  const failed = span.error || below > 0;
  const end = columns.name - 10 - (failed ? 20 : 0);
  if (failed) disc(g, columns.name - 17, middle, colours);
  if (end - x < 12) return;
  square(g, x, middle - 4, colourOf(span, colours), !!span.peer);
  x += 14;
  const pillWidth = pill ? pillRoom(g, colours, pill) + 6 : 0;
  x += write(g, span.name, x, y, scene, `${selected ? 500 : 400} 13px ${colours.font}`, colours.is.text, end - x - pillWidth);
  if (pill) {
    drawPill(g, pill, x + 6, middle, colours);
    x += pillWidth;
  }
  const folded = row.open === false && row.node.type === 'span' && span.below > 0 ? `+${span.below}` : '';
  if (folded && end - x > 24) x += 6 + write(g, folded, x + 6, y, scene, `400 11px ${colours.font}`, colours.is['text-3'], end - x - 6);
  const detail = span.peer?.kind === 'service' && !detailOf(span) ? span.peer.name : detailOf(span);
  if (detail && end - x > 40) write(g, detail, x + 8, y, scene, `400 12px ${colours.font}`, colours.is['text-3'], end - x - 8);
}

function pillRoom(g: CanvasRenderingContext2D, colours: Palette, text: string): number {
  g.font = `500 11px ${colours.font}`;
  return widthOf(g, text) + 12;
}

function drawPill(g: CanvasRenderingContext2D, text: string, x: number, middle: number, colours: Palette): void {
  const width = pillRoom(g, colours, text);
  g.fillStyle = colours.warnSoft;
  g.beginPath();
  g.roundRect(x, middle - 9, width, 18, 3);
  g.fill();
  g.fillStyle = colours.is.warn;
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  g.fillText(text, x + 6, middle + 0.5);
}

/** Everything in the time line stays inside it. */
function inTimeline(g: CanvasRenderingContext2D, scene: Scene, y: number, paint: () => void): void {
  const left = timelineLeft(scene.columns);
  g.save();
  g.beginPath();
  g.rect(left, y, scene.size.width - left, scene.rowHeight);
  g.clip();
  paint();
  g.restore();
}

function barOf(node: { start: number; duration: number }, scene: Scene): { x: number; width: number } {
  const x = xOf(node.start, scene);
  const end = xOf(node.start + Math.max(0, node.duration), scene);
  // Far outside, coordinates get too large for the canvas to be exact.
  const limit = scene.size.width * 2;
  const from = Math.max(-limit, x);
  return { x: from, width: Math.max(2, Math.min(limit * 2, end) - from) };
}

function drawSpan(g: CanvasRenderingContext2D, scene: Scene, row: Row, span: SpanNode, y: number, index: number): void {
  const selected = index === scene.selected;
  drawName(g, scene, row, span, y, selected, '');
  drawDuration(g, scene, duration(span.duration), y, selected);
  inTimeline(g, scene, y, () => {
    const top = y + Math.round((scene.rowHeight - BAR) / 2) - 1;
    const { x, width } = barOf(span, scene);
    drawBar(g, x, top, width, colourOf(span, scene.colours), span.peer?.kind === 'service', scene.colours);
    if (span.error) {
      const cap = Math.min(4, width);
      g.fillStyle = scene.colours.is.surface;
      g.fillRect(x + width - cap - 1, top, 1, BAR);
      g.fillStyle = scene.colours.is['error-mark'];
      g.beginPath();
      g.roundRect(x + width - cap, top, cap, BAR, [0, 2, 2, 0]);
      g.fill();
    }
    drawCritical(g, scene, span, top);
    for (const one of capturesOn(span, row.open === false, scene.snapshots))
      diamond(g, xOf(one.start, scene), y + scene.rowHeight / 2 - 0.5, scene.colours, scene.colours.is.surface);
  });
}

function drawCritical(g: CanvasRenderingContext2D, scene: Scene, span: SpanNode, top: number): void {
  g.fillStyle = scene.colours.is.text;
  for (const segment of scene.critical?.get(span) ?? []) {
    const from = xOf(segment.from, scene);
    g.fillRect(from, top + BAR + 2, Math.max(1.5, xOf(segment.to, scene) - from), 2);
  }
}

function drawBar(
  g: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  colour: string,
  hatched: boolean,
  colours: Palette,
): void {
  g.beginPath();
  g.roundRect(x, y, width, BAR, 2);
  g.fillStyle = colour;
  g.fill();
  if (!hatched || width < 4) return;
  g.save();
  g.clip();
  g.strokeStyle = colours.is.surface;
  g.globalAlpha *= 0.5;
  g.lineWidth = 2.1;
  g.beginPath();
  const from = Math.max(x, 0);
  const to = Math.min(x + width, g.canvas.width);
  for (let at = from - BAR - ((from - x) % 6); at < to; at += 6) {
    g.moveTo(at, y + BAR);
    g.lineTo(at + BAR, y);
  }
  g.stroke();
  g.restore();
}

function drawRepeat(g: CanvasRenderingContext2D, scene: Scene, row: Row, node: RepeatNode, y: number, index: number): void {
  const first = node.spans[0] as SpanNode;
  const selected = index === scene.selected;
  const times = `×${node.spans.length}`;
  drawName(g, scene, row, first, y, selected, first.peer?.kind === 'database' ? `N+1 ${times}` : times);
  drawDuration(g, scene, duration(node.duration), y, selected);
  inTimeline(g, scene, y, () => {
    const top = y + Math.round((scene.rowHeight - BAR) / 2) - 1;
    g.fillStyle = colourOf(first, scene.colours);
    for (const span of node.spans) {
      const { x, width } = barOf(span, scene);
      g.beginPath();
      g.roundRect(x, top, width, BAR, 2);
      g.fill();
    }
    for (const span of node.spans) drawCritical(g, scene, span, top);
  });
}

export function levelColour(level: string, colours: Palette): { text: string; mark: string } {
  if (isErrorLevel(level)) return { text: colours.is.error, mark: colours.is['error-mark'] };
  if (level === 'warn') return { text: colours.is.warn, mark: colours.is['warn-mark'] };
  return { text: colours.is['text-2'], mark: colours.is['text-3'] };
}

function drawLog(g: CanvasRenderingContext2D, scene: Scene, row: Row, log: LogNode, y: number): void {
  const { columns, colours } = scene;
  const middle = y + scene.rowHeight / 2;
  const { text, mark: ofLevel } = levelColour(log.level, colours);
  // What Clew itself has put there has its own colour.
  const mark = log.row.probe ? colours.is.live : ofLevel;
  let x = chevronX(row.depth, columns) + 20;
  g.fillStyle = mark;
  g.fillRect(x, middle - 5, 3, 10);
  x += 12;
  const room = columns.name - 10;
  const word = log.level || 'log';
  const quiet = text === colours.is['text-2'] ? colours.is['text-3'] : text;
  x += write(g, word, x, y, scene, `400 12px ${colours.font}`, quiet, room - x) + 6;
  if (room - x > 20)
    write(
      g,
      `${log.service} ${log.row.probe ? 'logpoint' : 'log'}`,
      x,
      y,
      scene,
      `400 12px ${colours.font}`,
      colours.is['text-3'],
      room - x,
    );
  drawMoment(g, scene, y, log.start, [{ text: log.text, colour: text }], 2, (at) => {
    g.fillStyle = mark;
    g.fillRect(Math.round(at) - 1, middle - 6, 3, 12);
  });
}

/** An exception has the error mark, in both columns; a message that is none is a line like those of logs. */
function drawEvent(g: CanvasRenderingContext2D, scene: Scene, row: Row, event: EventNode, y: number): void {
  const { columns, colours } = scene;
  const middle = y + scene.rowHeight / 2;
  const level = event.row.level ?? '';
  const { text, mark } = levelColour(event.error ? 'error' : level, colours);
  const x = chevronX(row.depth, columns) + 18;
  const paint = (at: number) => {
    if (event.error) disc(g, at, middle, colours);
    else {
      g.fillStyle = mark;
      g.fillRect(Math.round(at) - 1, middle - 6, 3, 12);
    }
  };
  paint(event.error ? x + 6 : x + 3);
  const room = columns.name - 10;
  const word = event.row.type ?? (level || 'message');
  const after = x + 18 + write(g, word, x + 18, y, scene, `500 12px ${colours.font}`, text, room - x - 18) + 6;
  const whose = event.row.handled === false ? `${event.service}, not handled` : event.service;
  if (room - after > 20) write(g, whose, after, y, scene, `400 12px ${colours.font}`, colours.is['text-3'], room - after);
  drawMoment(g, scene, y, event.start, [{ text: event.title, colour: text }], event.error ? 7 : 2, paint);
}

interface Words {
  text: string;
  colour: string;
  strong?: boolean;
  /** Pixels before it. */
  gap?: number;
}

/** In one line. What cannot fit is not looked at: a line may be a megabyte. */
const flat = (text: string): string => text.slice(0, 1000).replace(/\s+/g, ' ');

/** What happened at a moment, in words beside its mark. */
function drawMoment(
  g: CanvasRenderingContext2D,
  scene: Scene,
  y: number,
  start: number,
  words: readonly Words[],
  half: number,
  paint: (at: number) => void,
): void {
  const { columns, colours } = scene;
  drawDuration(g, scene, `at ${duration(start)}`, y, false, true);
  inTimeline(g, scene, y, () => {
    const exact = xOf(start, scene);
    const left = timelineLeft(columns);
    const end = scene.size.width - RIGHT;
    if (exact < left - 2 || exact > end + 4) return;
    // A wide mark stays whole at the edges.
    const at = half > 2 ? Math.max(left + half + 1, exact) : exact;
    paint(at);
    const gap = half + 8;
    const roomRight = end - at - gap;
    const roomLeft = at - left - gap - 8;
    const pieces = words.map((piece) => ({ ...piece, font: `${piece.strong ? 600 : 400} 12px ${colours.mono}` }));
    const width = pieces.reduce((sum, { font, text, gap = 0 }) => {
      g.font = font;
      return sum + gap + widthOf(g, flat(text).slice(0, 400));
    }, 0);
    // To the right while it fits there: eyes begin at the mark.
    const right = width <= roomRight || roomRight >= roomLeft;
    let room = right ? roomRight : roomLeft;
    let x = right ? at + gap : at - gap + 1 - Math.min(width, roomLeft);
    for (const { text, font, colour, gap: before = 0 } of pieces) {
      x += before;
      room -= before;
      if (room <= 0) break;
      const written = write(g, flat(text), x, y, scene, font, colour, room);
      x += written;
      room -= written;
    }
  });
}

const VALUES_SHOWN = 3;

/** Where it was captured, at its time, and the first of what it holds. */
function drawSnapshot(g: CanvasRenderingContext2D, scene: Scene, row: Row, node: SnapshotNode, y: number): void {
  const { columns, colours } = scene;
  const { is } = colours;
  const middle = y + scene.rowHeight / 2;
  const x = chevronX(row.depth, columns) + 18;
  diamond(g, x + 5, middle, colours);
  const room = columns.name - 10;
  const after = x + 16 + write(g, 'Snapshot', x + 16, y, scene, `500 12px ${colours.font}`, is.live, room - x - 16) + 6;
  if (room - after > 20) write(g, placeText(node.row), after, y, scene, `400 12px ${colours.font}`, is['text-2'], room - after);
  const stray = strayText(node);
  const words: Words[] = stray ? [{ text: stray, colour: is['text-2'] }] : [];
  for (const [name, value] of firstValues(node.row, VALUES_SHOWN))
    words.push({ text: `${name} = `, colour: is.text, gap: words.length > 0 ? 10 : 0 }, { text: value, colour: is.text, strong: true });
  drawMoment(g, scene, y, node.start, words, 6, (at) => diamond(g, at, middle, colours));
}

function drawMissing(g: CanvasRenderingContext2D, scene: Scene, row: Row, node: MissingNode, y: number): void {
  const { columns, colours } = scene;
  const middle = y + scene.rowHeight / 2;
  const x = chevronX(row.depth, columns) + 18;
  g.strokeStyle = colours.is['text-3'];
  g.lineWidth = 1;
  g.setLineDash([2, 2]);
  g.strokeRect(x + 0.5, middle - 3.5, 7, 7);
  g.setLineDash([]);
  if (node.errorsBelow > 0 && row.open === false) disc(g, columns.name - 17, middle, colours);
  write(
    g,
    `span ${node.id.slice(0, 8)} never arrived`,
    x + 14,
    y,
    scene,
    `400 12px ${colours.font}`,
    colours.is['text-3'],
    columns.name - x - 40,
  );
  drawDuration(g, scene, '–', y, false, true);
  inTimeline(g, scene, y, () => {
    const bar = barOf(node, scene);
    g.strokeStyle = colours.is['text-3'];
    g.setLineDash([3, 3]);
    g.strokeRect(bar.x + 0.5, middle - 5.5, Math.max(4, bar.width - 1), 10);
    g.setLineDash([]);
    const note = `its ${node.below === 1 ? 'child' : `${node.below} children`} did, shown where ${node.below === 1 ? 'it' : 'they'} ran`;
    g.font = `400 11px ${colours.font}`;
    const why = widthOf(g, 'why') + 6;
    const total = why + widthOf(g, note);
    const left = timelineLeft(columns);
    const before = bar.x - 8 - total;
    const after = bar.x + bar.width + 8;
    const at = before > left + 4 ? before : after + total < scene.size.width ? after : undefined;
    if (at === undefined) return;
    write(g, 'why', at, y, scene, g.font, colours.is.accent, why);
    write(g, note, at + why, y, scene, g.font, colours.is['text-3'], total);
  });
}
