import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { byHand, exported, fromContainer, quoted, TARGETS, targetOf, variables, type Wish } from './snippets.ts';

const local: Wish = { url: 'http://127.0.0.1:2539', key: undefined, keyNeeded: false, service: 'checkout', protocol: 'http/protobuf' };
const remote: Wish = { ...local, url: 'https://clew.example.com', key: 'clew_abc', keyNeeded: true };
const textOf = (wish: Wish, id: string) =>
  targetOf(id)
    .steps(wish)
    .flatMap((step) => step.snippets.map((snippet) => snippet.text))
    .join('\n');

// Sentry's alone has steps of its own: sentry.test.ts.
const OWN = TARGETS.filter((target) => !target.sentryOnly);

describe('every target', () => {
  it.each(OWN.map((target) => target.id))('%s has steps with something to paste, for both addresses', (id) => {
    for (const wish of [local, remote, { ...remote, protocol: 'grpc' as const }]) {
      const steps = targetOf(id).steps(wish);
      expect(steps.length).toBeGreaterThan(0);
      for (const step of steps) {
        expect(step.says.length).toBeGreaterThan(10);
        for (const snippet of step.snippets) expect(snippet.text).not.toMatch(/undefined|\bnull\b/);
      }
    }
  });

  it.each(OWN.filter((target) => !['kubernetes', 'docker'].includes(target.id)).map((target) => target.id))(
    '%s holds the real address',
    (id) => {
      expect(textOf(remote, id)).toContain(remote.url);
    },
  );

  it.each(OWN.map((target) => target.id))('%s holds the key that was made', (id) => {
    expect(textOf(remote, id)).toContain('clew_abc');
  });
});

it('shows no key where none is needed, and the place for one where it is', () => {
  expect(textOf(local, 'python')).not.toContain('Bearer');
  expect(textOf({ ...local, keyNeeded: true }, 'python')).toContain('Bearer%20KEY');
});

it('says insecure for gRPC without TLS only', () => {
  const names = (wish: Wish) => variables(wish).map(([name]) => name);
  expect(names({ ...local, protocol: 'grpc' })).toContain('OTEL_EXPORTER_OTLP_INSECURE');
  expect(names({ ...remote, protocol: 'grpc' })).not.toContain('OTEL_EXPORTER_OTLP_INSECURE');
  expect(names(local)).not.toContain('OTEL_EXPORTER_OTLP_INSECURE');
});

it('calls this machine by the name that containers use', () => {
  expect(fromContainer('http://127.0.0.1:2539')).toBe('http://host.docker.internal:2539');
  expect(fromContainer('http://localhost')).toBe('http://host.docker.internal');
  expect(fromContainer('https://clew.example.com')).toBe('https://clew.example.com');
  expect(textOf(local, 'docker')).toContain('--listen 0.0.0.0:2539 --public-url http://host.docker.internal:2539');
});

it('lets no name out of its quotes', () => {
  const evil = `x'; touch /tmp/never "$(id)"`;
  const shell = (script: string) => execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  expect(shell(`printf %s ${quoted(evil)}`)).toBe(evil);
  expect(shell(`${exported(variables({ ...local, service: evil }))}\nprintf %s "$OTEL_SERVICE_NAME"`)).toBe(evil);
  const script = byHand({ ...local, service: evil }).replace(/curl -sS \S+ \\\n {2}-H '[^']*' \\\n {2}-d/, 'printf %s');
  const body = JSON.parse(shell(script)) as { resourceSpans: { resource: { attributes: { value: { stringValue: string } }[] } }[] };
  expect(body.resourceSpans[0]?.resource.attributes[0]?.value.stringValue).toBe(evil);
});
