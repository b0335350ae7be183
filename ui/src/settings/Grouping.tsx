// By which rules a project's events become issues, and what other rules would change.
import { useState } from 'preact/hooks';
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { plural } from '../format/number.ts';
import { Link } from '../parts/Link.tsx';
import { Rows, useDeed, When } from './common.tsx';
import { RuleActions } from './RuleActions.tsx';
import { RuleText } from './RuleText.tsx';

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}`;

interface Rules {
  algorithm: string;
  fingerprint: string;
  stack: string;
  changed?: string;
  changed_by?: string;
}

interface Group {
  group: string;
  title: string;
  events: number;
  example: string;
}

interface Preview {
  events: number;
  unreadable: number;
  partial: boolean;
  changed: number;
  groups_before: number;
  groups_after: number;
  examples: { event: string; time: string; title: string; new_title: string; before: string; after: string }[];
  split: { group: string; title: string; events: number; into: Group[] }[];
  merged: { group: string; title: string; events: number; from: Group[] }[];
}

const FINGERPRINT = 'error.type:TimeoutError -> fx-rates-timeout title="fx-rates is slow"';
const STACK = 'path:**/vendor/** -app -group';

export function Grouping({ slug }: { slug: string }) {
  const rules = useLoad(`grouping ${slug}`, `grouping ${slug}`, (abort) => getJson<Rules>(`${at(slug)}/grouping`, {}, abort));
  return (
    <section class="set-proj" id="grouping" aria-label="Grouping">
      <h2 class="m">Grouping</h2>
      <Rows of={rules} rows={3}>
        {(now) => <Editor key={now.changed ?? 'first'} slug={slug} now={now} retry={rules.retry} />}
      </Rows>
    </section>
  );
}

function Editor({ slug, now, retry }: { slug: string; now: Rules; retry: () => void }) {
  const [fingerprint, setFingerprint] = useState(now.fingerprint);
  const [stack, setStack] = useState(now.stack);
  const [preview, setPreview] = useState<{ of: string; found: Preview } | undefined>();
  const deed = useDeed();
  const written = JSON.stringify({ fingerprint, stack });
  const changed = fingerprint !== now.fingerprint || stack !== now.stack;
  const error = deed.error;
  const shown = preview && preview.of === written ? preview.found : undefined;
  return (
    <>
      <p class="sm d2">
        Events with the same stack trace become one issue by themselves; these rules say where that is not what you want. They hold from the
        next event on, issues that are there stay.
        {now.changed && (
          <span class="d3">
            {' '}
            Changed <When at={now.changed} /> by {actorWords(now.changed_by)}.
          </span>
        )}
      </p>
      <RuleText
        label="Fingerprint rules"
        says="matchers -> fingerprint, a line each"
        example={FINGERPRINT}
        value={fingerprint}
        write={setFingerprint}
        error={error?.place === 'fingerprint' ? error : undefined}
      />
      <RuleText
        label="Stack trace rules"
        says="matchers and what they do to frames, a line each"
        example={STACK}
        value={stack}
        write={setStack}
        error={error?.place === 'stack' ? error : undefined}
      />
      <RuleActions
        deed={deed}
        elsewhere={['fingerprint', 'stack']}
        changed={changed}
        save={{ label: 'Save the rules', run: () => send('PUT', `${at(slug)}/grouping`, { fingerprint, stack }), done: retry }}
        restore={() => {
          setFingerprint(now.fingerprint);
          setStack(now.stack);
        }}
        preview={{
          says: 'Preview groups the newest 1,000 events both ways and changes nothing.',
          run: async () => {
            const found = await send<Preview>('POST', `${at(slug)}/grouping/preview?limit=1000`, { fingerprint, stack });
            if (found) setPreview({ of: written, found });
          },
        }}
      />
      {shown && <Shown of={shown} />}
    </>
  );
}

function Shown({ of }: { of: Preview }) {
  return (
    <div class="preview" role="status">
      <p class="m">
        {of.events === 0
          ? 'There is no event to try it on yet.'
          : of.changed === 0
            ? `Nothing would change for the newest ${plural(of.events, 'event')}: ${plural(of.groups_before, 'group')}.`
            : `${plural(of.changed, 'event')} of ${of.events} would be in another group; ${plural(of.groups_before, 'group')} would become ${of.groups_after}.`}
      </p>
      {(of.partial || of.unreadable > 0) && (
        <p class="sm d3">
          {of.partial && 'There was no time for more events. '}
          {of.unreadable > 0 && `Of ${plural(of.unreadable, 'event')} nothing is stored that could be grouped.`}
        </p>
      )}
      {of.merged.map((one) => (
        <Moved key={`m${one.group}`} verb="becomes one" title={one.title} events={one.events} parts={one.from} word="of" />
      ))}
      {of.split.map((one) => (
        <Moved key={`s${one.group}`} verb="is taken apart" title={one.title} events={one.events} parts={one.into} word="into" />
      ))}
      {of.merged.length + of.split.length === 0 &&
        of.examples.slice(0, 5).map((one) => (
          <p class="sm row" key={one.event}>
            <Link class="plain cut" href={`/events/${one.event}`} follow>
              {one.title}
            </Link>
            {one.new_title !== one.title && <span class="d3 cut">would be called {one.new_title}</span>}
          </p>
        ))}
    </div>
  );
}

function Moved({ verb, title, events, parts, word }: { verb: string; title: string; events: number; parts: Group[]; word: string }) {
  return (
    <div class="moved">
      <p class="sm">
        <span class="m">{title}</span> <span class="d3">{plural(events, 'event')}</span> {verb} {word} {plural(parts.length, 'group')}
      </p>
      <ul>
        {parts.slice(0, 6).map((part) => (
          <li class="sm row" key={part.group}>
            <Link class="plain cut" href={`/events/${part.example}`} follow>
              {part.title}
            </Link>
            <span class="d3 nw">{plural(part.events, 'event')}</span>
          </li>
        ))}
        {parts.length > 6 && <li class="sm d3">and {parts.length - 6} more</li>}
      </ul>
    </div>
  );
}
