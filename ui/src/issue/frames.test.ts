import { describe, expect, it } from 'vitest';
import type { Frame, IssueEvent } from '../api/event.ts';
import { exceptionsOf, libraries, localsOf, openAtFirst, placeOf, rootOf, runsOf, shortFile, stackText, topFrame } from './frames.ts';

const own = (name: string, more: Partial<Frame> = {}): Frame => ({ function: name, in_app: true, ...more });
const lib = (file: string, more: Partial<Frame> = {}): Frame => ({ function: 'f', file, in_app: false, ...more });

describe('runs', () => {
  it('fold what is not ours, in place', () => {
    const runs = runsOf([lib('a'), own('x'), own('y'), lib('b'), lib('c')], false);
    expect(runs.map((run) => [run.folded, run.frames.length, run.at])).toEqual([
      [true, 1, 0],
      [false, 2, 1],
      [true, 2, 3],
    ]);
  });
  it('fold nothing when all is of libraries, or all is wanted', () => {
    expect(runsOf([lib('a'), lib('b')], false)).toHaveLength(1);
    expect(runsOf([lib('a'), own('x')], true)).toHaveLength(1);
    expect(runsOf([], false)).toEqual([]);
  });
});

describe('the frame to see first', () => {
  it('is the innermost of one’s own', () => {
    expect(openAtFirst([lib('a'), own('x'), own('y')])).toBe(1);
  });
  it('else one with something in it', () => {
    expect(openAtFirst([lib('a'), lib('b', { context: [[1, 'x']] })])).toBe(1);
    expect(openAtFirst([lib('a')])).toBe(0);
  });
});

describe('locals', () => {
  const frame = own('apply', {
    line: 88,
    context: [[88, '    off = rate * order.total']],
    vars: { coupon: 'Coupon()', order: { id: 1 }, rate: 'None', unused: 'None', __name__: 'x' },
  });
  it('of the line come first; one that holds nothing is marked', () => {
    expect(localsOf(frame).map((one) => `${one.name}${one.used ? '*' : ''}${one.hot ? '!' : ''}`)).toEqual([
      'order*',
      'rate*!',
      'coupon',
      'unused',
      '__name__',
    ]);
  });
});

describe('a stack', () => {
  const exception = {
    type: 'TypeError',
    value: 'no',
    frames: [
      own('apply', { file: 'p.py', abs_path: '/app/p.py', line: 88, context: [[88, '    off = rate']] as [number, string][] }),
      own('main', { file: 'm.py', line: 3 }),
    ],
  };
  it('is printed as its language does', () => {
    expect(stackText(exception, 'python')).toBe(
      'Traceback (most recent call last):\n  File "m.py", line 3, in main\n  File "/app/p.py", line 88, in apply\n    off = rate\nTypeError: no',
    );
    expect(stackText(exception, 'javascript')).toBe('TypeError: no\n    at apply (/app/p.py:88)\n    at main (m.py:3)');
  });
  it('is raw before it was translated', () => {
    const frames = [own('Summary', { file: 'Summary.tsx', line: 12, raw: { function: 't', file: 'app.min.js', line: 1, column: 4021 } })];
    expect(stackText({ type: 'E', frames }, 'javascript')).toBe('E: \n    at t (app.min.js:1:4021)');
  });
  it('is found where the event has no exception', () => {
    const stack = [own('x')];
    expect(exceptionsOf({ event_id: 'e', time: '', stack })).toEqual([{ frames: stack }]);
    expect(
      exceptionsOf({
        event_id: 'e',
        time: '',
        threads: [
          { id: 1, frames: [own('a')] },
          { id: 2, crashed: true, frames: stack },
        ],
      }),
    ).toEqual([{ frames: stack }]);
    expect(exceptionsOf({ event_id: 'e', time: '' })).toEqual([]);
    expect(topFrame({ event_id: 'e', time: '', stack: [lib('l'), own('x')] })?.function).toBe('x');
  });
});

describe('words about frames', () => {
  it('name the libraries', () => {
    expect(
      libraries([
        lib('/usr/lib/python3/site-packages/starlette/routing.py'),
        lib('/x/site-packages/starlette/app.py'),
        lib('', { module: 'uvicorn.main' }),
      ]),
    ).toBe('starlette, uvicorn');
    expect(libraries([lib('node_modules/@scope/pkg/index.js'), lib('node:internal/timers')])).toBe('@scope/pkg, node:internal');
  });
  it('name parts of standard libraries, and not the directories that they are installed in', () => {
    expect(
      libraries([
        lib('/usr/lib/python3.13/asyncio/events.py'),
        lib('/usr/local/lib/python3.11/threading.py'),
        lib('<frozen importlib._bootstrap>'),
      ]),
    ).toBe('asyncio, threading, importlib');
    expect(libraries([lib('/usr/lib/ruby/3.3.0/net/http.rb'), lib('/usr/local/go/src/net/http/server.go')])).toBe('net, net/http');
    expect(
      libraries([lib('/rustc/9fc6b43/library/std/src/rt.rs'), lib('/build/.cargo/registry/src/index.crates.io-6f/tokio-1.40.0/src/a.rs')]),
    ).toBe('std, tokio');
    expect(libraries([lib('node:internal/process/task_queues', { module: 'task_queues' })])).toBe('node:internal');
    expect(libraries([lib('/srv/other/handler.py')])).toBe('handler');
    expect(libraries([lib('C:\\app\\node_modules\\express\\lib\\router.js')])).toBe('express');
  });
  it('name packages and not the domains that they are named under', () => {
    const of = (module: string) => lib('', { module });
    expect(
      libraries([of('org.springframework.web.servlet.FrameworkServlet'), of('java.lang.Thread'), of('com.fasterxml.jackson.databind')]),
    ).toBe('springframework, java, fasterxml');
    expect(libraries([of('github.com/gin-gonic/gin'), of('golang.org/x/net/http2'), of('net/http'), of('tokio::runtime::task')])).toBe(
      'gin, x, net, tokio',
    );
  });
  it('say where', () => {
    expect(placeOf({ file: 'a.py', line: 3 })).toBe('a.py:3');
    expect(placeOf({ module: 'shop.Cart' })).toBe('shop.Cart');
  });
});

describe('files', () => {
  const files = (...names: string[]) => ({ exceptions: [{ frames: names.map((file) => own('f', { file })) }] }) as IssueEvent;
  it('stand below the directory that all of one’s own are in', () => {
    const root = rootOf(files('/srv/shop/storefront/server.js', '/srv/shop/storefront/lib/jobs.js'));
    expect(root).toBe('/srv/shop/');
    expect(shortFile('/srv/shop/storefront/lib/jobs.js', root)).toBe('storefront/lib/jobs.js');
    expect(shortFile('/usr/lib/other.js', root)).toBe('/usr/lib/other.js');
    expect(rootOf(files('/srv/app/a.py'))).toBe('/srv/');
    const map = rootOf(files('../../build/shop/page/price.ts', '../../build/shop/page/products.ts'));
    expect(shortFile('../../build/shop/page/price.ts', map)).toBe('page/price.ts');
    expect(shortFile('C:\\shop\\app\\a.js', rootOf(files('C:\\shop\\app\\a.js')))).toBe('app/a.js');
  });
  it('of packages begin with the package', () => {
    expect(shortFile('/srv/shop/node_modules/express/lib/router.js', '/srv/')).toBe('express/lib/router.js');
    expect(placeOf({ file: '/v/lib/python3.11/site-packages/flask/app.py', line: 9 })).toBe('flask/app.py:9');
  });
  it('that are relative, or addresses, stay as they are', () => {
    expect(rootOf(files('app/a.py', 'https://shop.example/a.js'))).toBe('');
    expect(shortFile('https://shop.example/a.js', '/srv/')).toBe('https://shop.example/a.js');
    expect(shortFile('node:internal/process', '/srv/')).toBe('node:internal/process');
    expect(shortFile('/a.py', rootOf(files('/a.py')))).toBe('/a.py');
  });
});
