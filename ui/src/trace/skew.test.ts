import { describe, expect, it } from 'vitest';
import { answerOf, type Sketch } from './fixture.ts';
import { buildTrace } from './model.ts';

function trace(serverStart: number, serverDuration: number): Sketch[] {
  return [
    ['a', '', 0, 'web', 'POST', 100, 50, { kind: 'client' }],
    ['b', 'a', 1, 'checkout', 'POST /orders', serverStart, serverDuration, { kind: 'server' }],
    ['c', 'b', 2, 'checkout', 'work', serverStart + 5, 10],
  ];
}

describe('correctClocks', () => {
  it('moves a server span that began before its call into the middle of it, with what is below', () => {
    const model = buildTrace(answerOf(trace(97, 30)));
    expect(model.spans.map((span) => span.start / 1e6)).toEqual([0, 10, 15]);
    expect(model.corrections).toEqual([{ service: 'checkout', shift: 13e6 }]);
  });
  it('leaves a millisecond alone', () => {
    const model = buildTrace(answerOf(trace(99, 30)));
    expect(model.corrections).toEqual([]);
    expect(model.spans[1]?.start).toBe(0);
  });
  it('does not bend time for a server that outlives its caller', () => {
    expect(buildTrace(answerOf(trace(110, 500))).corrections).toEqual([]);
  });
  it('shows times as sent when asked', () => {
    const model = buildTrace(answerOf(trace(90, 30)), { correct: false });
    expect(model.spans.map((span) => span.start / 1e6)).toEqual([10, 0, 5]);
  });
  it('leaves messages alone: a consumer may begin whenever it likes', () => {
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'send', 0, 5, { kind: 'producer' }],
        ['b', 'a', 1, 'worker', 'receive', 900, 5, { kind: 'consumer' }],
      ]),
    );
    expect(model.corrections).toEqual([]);
  });
});
