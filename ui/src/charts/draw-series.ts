// Drawing a time series: axes, bars, lines, marks. No state of its own.
import { timeTicks } from '../format/time.ts';
import type { Size } from './canvas.ts';
import type { Palette } from './palette.ts';
import { placeMarks, runsOf, type Span } from './scale.ts';

/** How a series looks. `strong` is the heavier of two lines; a number is the hue of a service. */
export type Tone = 'vol' | 'error' | 'warn' | 'strong' | 'soft' | number;

export interface Series {
  label: string;
  values: readonly (number | null)[];
  look: 'bars' | 'line' | 'area';
  tone: Tone;
}

/** A vertical line at a moment, such as a deploy. */
export interface Mark {
  at: number;
  label: string;
  bad?: boolean;
}

export interface Plot {
  times: readonly number[];
  step: number;
  range: Span;
  series: readonly Series[];
  marks: readonly Mark[];
  top: number;
  /** Index of the bucket that still fills, or -1. */
  open: number;
  format: (value: number) => string;
}

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

const RIGHT = 6;
const TOP = 20;
const AXIS = 22;

export function frameOf(size: Size, left: number): Frame {
  return { left, top: TOP, width: Math.max(1, size.width - left - RIGHT), height: Math.max(1, size.height - TOP - AXIS) };
}

export function xOf(frame: Frame, range: Span, at: number): number {
  return frame.left + ((at - range.from) / (range.to - range.from)) * frame.width;
}

export function timeOf(frame: Frame, range: Span, x: number): number {
  const share = Math.min(1, Math.max(0, (x - frame.left) / frame.width));
  return range.from + share * (range.to - range.from);
}

function colourOf(tone: Tone, colours: Palette): string {
  if (typeof tone === 'number') return colours.service[tone - 1] ?? colours.is['text-2'];
  if (tone === 'vol') return colours.is.vol;
  if (tone === 'error') return colours.is['error-mark'];
  if (tone === 'warn') return colours.is['warn-mark'];
  return tone === 'strong' ? colours.is.text : colours.is['text-3'];
}

export function drawPlot(g: CanvasRenderingContext2D, plot: Plot, frame: Frame, size: Size, colours: Palette): void {
  g.font = `11px ${colours.font}`;
  g.textBaseline = 'middle';
  drawGrid(g, plot, frame, size, colours);
  g.save();
  g.beginPath();
  g.rect(frame.left, 0, frame.width, size.height);
  g.clip();
  for (const series of plot.series) {
    if (series.look === 'bars') drawBars(g, plot, series, frame, colours);
    else drawLine(g, plot, series, frame, colours);
  }
  g.restore();
  drawNames(g, plot, frame, colours);
  drawMarks(g, plot, frame, colours);
}

function drawGrid(g: CanvasRenderingContext2D, plot: Plot, frame: Frame, size: Size, colours: Palette): void {
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(frame.top + frame.height * (1 - share));
    g.fillStyle = colours.is.line;
    g.fillRect(frame.left, y, frame.width, 1);
    g.fillStyle = colours.is['text-3'];
    g.textAlign = 'right';
    const label = plot.format(plot.top * share);
    // Half of one event reads as one: such a line has no name.
    if (share !== 0.5 || label !== plot.format(plot.top)) g.fillText(label, frame.left - 6, y);
  }
  g.textAlign = 'center';
  for (const tick of timeTicks(plot.range.from, plot.range.to, Math.max(2, Math.floor(frame.width / 64)))) {
    const x = xOf(frame, plot.range, tick.at);
    const half = g.measureText(tick.label).width / 2;
    if (x - half >= frame.left - 4 && x + half <= size.width) g.fillText(tick.label, x, size.height - 10);
  }
}

function yOf(frame: Frame, top: number, value: number): number {
  return frame.top + frame.height * (1 - Math.min(value, top) / top);
}

/** Slanted lines: what is here is not all yet. */
function hatch(g: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, colour: string): void {
  g.save();
  g.beginPath();
  g.rect(x, y, w, h);
  g.clip();
  g.strokeStyle = colour;
  g.lineWidth = 1;
  g.beginPath();
  for (let at = -h; at < w + h; at += 4) {
    g.moveTo(x + at, y + h);
    g.lineTo(x + at + h, y);
  }
  g.stroke();
  g.strokeRect(x + 0.5, y + 0.5, Math.max(0, w - 1), Math.max(0, h - 1));
  g.restore();
}

function drawBars(g: CanvasRenderingContext2D, plot: Plot, series: Series, frame: Frame, colours: Palette): void {
  const bottom = frame.top + frame.height;
  const colour = colourOf(series.tone, colours);
  plot.times.forEach((at, index) => {
    const value = series.values[index];
    if (!value) return;
    const x = xOf(frame, plot.range, at);
    const end = xOf(frame, plot.range, at + plot.step);
    const left = Math.max(frame.left, x);
    const width = Math.max(1, Math.min(end, frame.left + frame.width) - left - (end - x > 3 ? 1 : 0));
    const height = Math.max(1, bottom - yOf(frame, plot.top, value));
    g.fillStyle = colour;
    if (index === plot.open) hatch(g, left, bottom - height, width, height, colour);
    else g.fillRect(left, bottom - height, width, height);
  });
}

function drawLine(g: CanvasRenderingContext2D, plot: Plot, series: Series, frame: Frame, colours: Palette): void {
  const colour = colourOf(series.tone, colours);
  const bottom = frame.top + frame.height;
  const x = (index: number) => Math.min(frame.left + frame.width, xOf(frame, plot.range, (plot.times[index] as number) + plot.step / 2));
  const y = (index: number) => yOf(frame, plot.top, series.values[index] as number);
  g.lineJoin = 'round';
  g.strokeStyle = colour;
  g.fillStyle = colour;
  g.lineWidth = series.tone === 'soft' ? 1.25 : 1.5;
  for (const [a, b] of runsOf(series.values)) {
    if (a === b) {
      // One bucket alone: a dot is all there is to draw.
      g.beginPath();
      g.arc(x(a), y(a), 1.75, 0, 7);
      g.fill();
      continue;
    }
    const whole = b === plot.open ? b - 1 : b;
    g.beginPath();
    for (let index = a; index <= whole; index++) {
      if (index === a) g.moveTo(x(index), y(index));
      else g.lineTo(x(index), y(index));
    }
    g.stroke();
    if (series.look === 'area' && whole > a) {
      g.lineTo(x(whole), bottom);
      g.lineTo(x(a), bottom);
      g.globalAlpha = 0.14;
      g.fill();
      g.globalAlpha = 1;
    }
    if (whole < b) {
      g.setLineDash([2, 3]);
      g.beginPath();
      g.moveTo(x(Math.max(a, whole)), y(Math.max(a, whole)));
      g.lineTo(x(b), y(b));
      g.stroke();
      g.setLineDash([]);
    }
  }
}

/** Names stand at the beginning of their lines, where there is more than one line. */
function drawNames(g: CanvasRenderingContext2D, plot: Plot, frame: Frame, colours: Palette): void {
  const lines = plot.series.filter((series) => series.look !== 'bars');
  if (lines.length < 2) return;
  const taken: number[] = [];
  g.textAlign = 'left';
  for (const series of lines) {
    const at = series.values.findIndex((value) => value !== null);
    if (at < 0) continue;
    const near = series.values.slice(at, at + 6).filter((value) => value !== null);
    let y = yOf(frame, plot.top, Math.max(...near)) - 9;
    while (taken.some((other) => Math.abs(other - y) < 12)) y -= 12;
    if (y < frame.top + 4) y = frame.top + frame.height - 8 - taken.length * 12;
    taken.push(y);
    const begin = Math.max(frame.left + 4, xOf(frame, plot.range, plot.times[at] as number) + 4);
    const x = Math.min(begin, frame.left + frame.width - g.measureText(series.label).width);
    g.lineWidth = 3;
    g.lineJoin = 'round';
    g.strokeStyle = colours.is.surface;
    g.strokeText(series.label, x, y);
    g.fillStyle =
      typeof series.tone === 'number' ? colourOf(series.tone, colours) : series.tone === 'error' ? colours.is.error : colours.is['text-3'];
    g.fillText(series.label, x, y);
  }
}

function drawMarks(g: CanvasRenderingContext2D, plot: Plot, frame: Frame, colours: Palette): void {
  const inside = plot.marks.filter((mark) => mark.at >= plot.range.from && mark.at <= plot.range.to);
  const placed = placeMarks(
    inside,
    (mark) => xOf(frame, plot.range, mark.at),
    (mark) => g.measureText(mark.label).width,
    (mark) => (mark.bad ? 1 : 0),
    frame.left,
    frame.left + frame.width,
  );
  for (const { mark, x, label } of placed) {
    const at = Math.round(x) + 0.5;
    g.strokeStyle = mark.bad ? colours.is['error-mark'] : colours.is['text-3'];
    g.lineWidth = 1;
    g.setLineDash(mark.bad ? [] : [2, 3]);
    g.beginPath();
    g.moveTo(at, label ? 4 : frame.top);
    g.lineTo(at, frame.top + frame.height);
    g.stroke();
    g.setLineDash([]);
    if (!label) continue;
    g.textAlign = label.align;
    g.fillStyle = mark.bad ? colours.is.error : colours.is['text-3'];
    g.fillText(mark.label, label.x, 10);
  }
}
