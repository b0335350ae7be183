// A capture as agents make them, for the tests.
import type { Capture, Captured } from '../api/snapshots.ts';

const text = (v: string): Captured => ({ k: 'str', t: 'str', v });

export const capture = (rate: Captured, more: Partial<Capture> = {}): Capture => ({
  id: 'a'.repeat(32),
  probe: 'p3',
  time: '2026-03-14T14:31:52.910000000Z',
  service: 'shop',
  file: 'app/pricing.py',
  line: 87,
  function: 'apply_discount',
  frames: [
    {
      function: 'apply_discount',
      file: 'app/pricing.py',
      line: 87,
      in_app: true,
      vars: [
        { name: 'rate', kind: 'local', value: rate },
        {
          name: 'order',
          kind: 'arg',
          value: {
            k: 'object',
            t: 'Order',
            id: 1,
            f: [
              ['total', { k: 'float', t: 'float', v: 184.5 }],
              [
                'lines',
                {
                  k: 'list',
                  t: 'list',
                  n: 14,
                  cut: 'items',
                  i: [{ k: 'dict', t: 'dict', e: [[text('a "b"'), { k: 'int', t: 'int', v: 2 }]] }],
                },
              ],
              ['card', { k: 'missing', why: 'redacted', rule: 'cards' }],
              ['self', { k: 'ref', v: 1 }],
            ],
          },
        },
      ],
    },
    { function: 'serve', file: 'lib/wsgi.py', line: 5, in_app: false },
  ],
  exprs: [{ text: 'a + b', value: { k: 'object', t: 'Pair', f: [['x', { k: 'int', t: 'int', v: 1 }]] } }],
  cost_ns: 300,
  bytes: 2900,
  redacted: 1,
  dropped_before: 2,
  ...more,
});

export const none: Captured = { k: 'null', t: 'NoneType' };
