import { expect, it } from 'vitest';
import { actorWords } from './actor.ts';

it('names who it was', () => {
  expect(['user:ada', 'token:ci', 'token:command line', 'cli:root', 'a3', 'mara', 'server', undefined].map(actorWords)).toEqual([
    'ada',
    'token ci',
    'the server’s command line',
    'root, on the machine',
    'agent a3',
    'mara',
    'server',
    'nobody known',
  ]);
});
