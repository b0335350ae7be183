// What is asked first about an event, in one line: where it ran, for whom, of what. Each finds the events that share it.
import type { Bag, IssueEvent } from '../api/event.ts';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { eventsWhere } from './Side.tsx';

const text = (value: Bag[string] | undefined) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** `Firefox 138`, of a context. */
function named(event: IssueEvent, context: string): string {
  const bag = event.contexts?.[context];
  if (typeof bag !== 'object' || bag === null || Array.isArray(bag)) return '';
  return [text(bag.name), text(bag.version)].filter(Boolean).join(' ');
}

export function Facts({ event }: { event: IssueEvent }) {
  const { user = {}, request = {} } = event;
  const id = text(user.id) || text(user.email) || text(user.username) || text(user.ip_address);
  const facts: [string, string, string?][] = [
    ['environment', event.environment ?? '', 'environment'],
    ['release', event.release ?? '', 'release'],
    ['user', id, 'user'],
    ['request', [text(request.method), text(request.url)].filter(Boolean).join(' ') || (event.transaction ?? '')],
    ['browser', named(event, 'browser')],
    ['runtime', named(event, 'runtime')],
    ['system', named(event, 'client_os') || named(event, 'os')],
    ['server', event.server_name ?? ''],
  ];
  const known = facts.filter(([, value]) => value);
  if (known.length === 0) return null;
  return (
    <dl class="efacts hl" aria-label="This event in short">
      {known.map(([name, value, field]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="cut" title={value}>
            {field ? (
              <Link class="plain" href={eventsWhere(term(field, value))}>
                {value}
              </Link>
            ) : (
              value
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
