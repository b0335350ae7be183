import { expect, it } from 'vitest';
import { shortProblem } from './load.ts';

it.each([
  ["TypeError: unsupported operand type(s) for *: 'NoneType'", 'TypeError'],
  ['java.lang.NullPointerException: x', 'java.lang.NullPointerException: x'],
  ['psycopg.OperationalError', 'psycopg.OperationalError'],
  ['Connection refused', 'Connection refused'],
  ['RequestTimeout after 3 s', 'RequestTimeout'],
])('%s', (message, short) => expect(shortProblem(message)).toBe(short));
