// What the server computes is computed here, too (for what is folded, found and corrected on the page): both must agree.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SpanRow } from '../api/types.ts';
import { criticalPath } from './critical.ts';
import { answerOf } from './fixture.ts';
import { buildTrace, type SpanNode } from './model.ts';

type Vector = {
  name: string;
  root: string;
  duration: number;
  steps: [string, number, number][];
  services: [string, number, number][];
  spans: [string, string, number, string, string, number, number][];
};

const vectors = JSON.parse(readFileSync(new URL('../../../tests/vectors/paths.json', import.meta.url), 'utf8')) as Vector[];

describe('the paths that server and page agree on', () => {
  it.each(vectors)('$name', ({ root, duration, steps, services, spans }) => {
    const answer = answerOf(
      spans.map(([span, parent, depth, service, kind, start, length]) => [
        span,
        parent,
        depth,
        service,
        'n',
        start / 1e6,
        length / 1e6,
        { kind, duration: length } as Partial<SpanRow>,
      ]),
    );
    const model = buildTrace(answer);
    const main = model.main as SpanNode;
    expect(main.row.span).toBe(root);
    const path = criticalPath(main);
    expect(path.map((s) => [s.span.row.span, s.from - main.start, s.to - main.start])).toEqual(steps);
    expect(path.reduce((sum, s) => sum + s.to - s.from, 0)).toBe(duration);
    const critical = new Map<string, number>();
    for (const s of path) critical.set(s.span.service, (critical.get(s.span.service) ?? 0) + s.to - s.from);
    expect(Object.fromEntries(model.services.map((s) => [s.service, [s.self, critical.get(s.service) ?? 0]]))).toEqual(
      Object.fromEntries(services.map(([service, self, path]) => [service, [self, path]])),
    );
  });
});
