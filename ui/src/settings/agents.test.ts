import { expect, it } from 'vitest';
import { agentWords } from './agents.ts';

it('names browser and system', () => {
  expect(agentWords('Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0')).toBe('Firefox on Linux');
  expect(
    agentWords('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0'),
  ).toBe('Edge on Windows');
  expect(
    agentWords('Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15'),
  ).toBe('Safari on macOS');
  expect(agentWords('Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36')).toBe(
    'Chromium on Android',
  );
});

it('leaves the rest as it is', () => {
  expect(agentWords('curl/8.5.0')).toBe('curl');
  expect(agentWords(undefined)).toBe('not known');
});
