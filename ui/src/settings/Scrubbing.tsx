// What a project removes from what SDKs send before it is stored, and what that would take from the newest events.
import { useState } from 'preact/hooks';
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { count, plural } from '../format/number.ts';
import { Link } from '../parts/Link.tsx';
import { Rows, useDeed, When } from './common.tsx';
import { RuleActions } from './RuleActions.tsx';
import { RuleText } from './RuleText.tsx';

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}/scrub`;
const EXAMPLES = 6;

interface Settings {
  addresses: boolean;
  rules: string;
  changed?: string;
  changed_by?: string;
}

interface Preview {
  events: number;
  unreadable: number;
  partial: boolean;
  /** Local variables were tried, too. */
  values: boolean;
  changed: number;
  rules: { rule: string; values: number; events: number }[];
  examples: { event: string; time: string; title: string; path: string; rule: string; before?: string; after?: string }[];
}

export function Scrubbing({ slug }: { slug: string }) {
  const load = useLoad(`scrub ${slug}`, `scrub ${slug}`, (abort) => getJson<Settings>(at(slug), {}, abort));
  return (
    <section class="set-proj" id="scrubbing" aria-label="Data scrubbing">
      <h2 class="m">Data scrubbing</h2>
      <Rows of={load} rows={3}>
        {(now) => <Editor key={now.changed ?? 'first'} slug={slug} now={now} retry={load.retry} />}
      </Rows>
    </section>
  );
}

function Editor({ slug, now, retry }: { slug: string; now: Settings; retry: () => void }) {
  const [rules, setRules] = useState(now.rules);
  const [addresses, setAddresses] = useState(now.addresses);
  const [preview, setPreview] = useState<{ of: string; found: Preview } | undefined>();
  const deed = useDeed();
  const { error } = deed;
  const written = { addresses, rules };
  const text = JSON.stringify(written);
  const changed = rules !== now.rules || addresses !== now.addresses;
  return (
    <>
      <p class="sm d2">
        Passwords, keys, tokens, cookies and card numbers are always removed. What else nobody should see is removed by these rules, from
        everything that Sentry’s SDKs send to this project, from the next request on; what is stored stays.
        {now.changed && (
          <span class="d3">
            {' '}
            Changed <When at={now.changed} /> by {actorWords(now.changed_by)}.
          </span>
        )}
      </p>
      <RuleText
        label="Scrub rules"
        says="remove, mask, hash or replace what, and from where, a line each"
        example={'mask @email\nhash @anything from $user.id\nreplace /order-\\d+/ with "order" from $error.value'}
        value={rules}
        write={setRules}
        error={error?.place === 'rules' ? error : undefined}
      />
      <label class="row">
        <input type="checkbox" checked={addresses} onChange={(event) => setAddresses(event.currentTarget.checked)} />
        <span>Keep no IP addresses of users</span>
      </label>
      <RuleActions
        deed={deed}
        elsewhere={['rules']}
        changed={changed}
        save={{ label: 'Save the rules', run: () => send('PUT', at(slug), written), done: retry }}
        restore={() => {
          setRules(now.rules);
          setAddresses(now.addresses);
        }}
        preview={{
          says: 'Preview tries them on the newest 1,000 error events and changes nothing.',
          run: async () => {
            const found = await send<Preview>('POST', `${at(slug)}/preview?limit=1000`, written);
            if (found) setPreview({ of: text, found });
          },
        }}
      />
      {preview?.of === text && <Shown of={preview.found} />}
    </>
  );
}

function Shown({ of }: { of: Preview }) {
  return (
    <div class="preview" role="status">
      <p class="m">
        {of.events === 0
          ? 'There is no event to try them on yet.'
          : of.changed === 0
            ? `Nothing would be removed from the newest ${plural(of.events, 'event')}.`
            : `Something would be removed from ${count(of.changed)} of the newest ${plural(of.events, 'event')}.`}
      </p>
      {of.partial && <p class="sm d3">There was no time for more events.</p>}
      {!of.values && of.events > 0 && <p class="sm d3">Local variables were not tried: reading them needs the permission “values”.</p>}
      {of.rules.length > 0 && (
        <ul>
          {of.rules.map((one) => (
            <li class="sm row" key={one.rule}>
              <code class="grow cut">{one.rule}</code>
              <span class="d3 nw">{plural(one.events, 'event')}</span>
            </li>
          ))}
        </ul>
      )}
      {of.examples.slice(0, EXAMPLES).map((one) => (
        <p class="sm row" key={`${one.event} ${one.path} ${one.rule}`}>
          <Link class="plain cut" href={`/events/${one.event}`} follow>
            <code>{one.path}</code>
          </Link>
          <span class="d3 grow cut">
            {one.before ?? 'the whole'} <span aria-hidden="true">→</span> {one.after ?? 'nothing'}
          </span>
        </p>
      ))}
    </div>
  );
}
