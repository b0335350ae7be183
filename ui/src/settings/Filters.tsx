// What a project does not want of what SDKs send, what that would have left out, and what it did leave out.
import { useState } from 'preact/hooks';
import { getJson, runQuery, send, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { count, plural } from '../format/number.ts';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { Rows, useDeed, When } from './common.tsx';
import { BROWSERS, LISTS, outcomesQuery, reasonName, type Filters as Settings, SWITCHES, written } from './filters.ts';
import { RuleActions } from './RuleActions.tsx';
import { RuleText } from './RuleText.tsx';

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}/filters`;
const DAY_MS = 86_400_000;

interface Preview {
  events: number;
  unreadable: number;
  partial: boolean;
  filtered: number;
  reasons: { reason: string; events: number }[];
  examples: { event: string; time: string; title: string; reason: string }[];
}

interface Outcome {
  reason: string;
  category: string;
  n: number;
}

export function Filters({ slug }: { slug: string }) {
  const load = useLoad(`filters ${slug}`, `filters ${slug}`, (abort) => getJson<Settings>(at(slug), {}, abort));
  return (
    <section class="set-proj" id="filters" aria-label="Inbound filters">
      <h2 class="m">Inbound filters</h2>
      <Rows of={load} rows={5}>
        {(now) => <Editor key={now.changed ?? 'first'} slug={slug} now={now} retry={load.retry} />}
      </Rows>
      <Outcomes slug={slug} />
    </section>
  );
}

function Outcomes({ slug }: { slug: string }) {
  const query = outcomesQuery(slug);
  const load = useLoad(`outcomes ${slug}`, `outcomes ${slug}`, async (abort) => {
    const to = serverNow();
    return (await runQuery<Outcome>(query, { from: to - DAY_MS, to }, 100, abort)).rows;
  });
  return (
    <div class="preview">
      <p class="row sm">
        <span class="m grow">Left out in the last 24 hours</span>
        <CopyButton text={query} label="Copy the query" />
      </p>
      <Rows of={load} rows={2}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="sm d2">Nothing. What a filter leaves out is counted here by its reason: it is answered, and never stored.</p>
          ) : (
            <ul>
              {rows.map((row) => (
                <li class="sm row" key={`${row.reason} ${row.category}`}>
                  <span class="grow">
                    {reasonName(row.reason)} <span class="d3">{row.category.replace('_', ' ')}</span>
                  </span>
                  <span class="num">{count(row.n)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Rows>
    </div>
  );
}

function Editor({ slug, now, retry }: { slug: string; now: Settings; retry: () => void }) {
  const [draft, setDraft] = useState(now);
  const [preview, setPreview] = useState<{ of: string; found: Preview } | undefined>();
  const deed = useDeed();
  const { error } = deed;
  const set = (change: Partial<Settings>) => setDraft({ ...draft, ...change });
  const text = JSON.stringify(written(draft));
  const changed = text !== JSON.stringify(written(now));
  const shown = preview?.of === text ? preview.found : undefined;
  return (
    <>
      <p class="sm d2">
        What only makes noise need not be kept. These filters hold for what Sentry’s SDKs send to this project, from the next request on;
        what is stored stays.
        {now.changed && (
          <span class="d3">
            {' '}
            Changed <When at={now.changed} /> by {actorWords(now.changed_by)}.
          </span>
        )}
      </p>
      <fieldset class="scopes filters">
        <legend class="sm d3">Leave out</legend>
        {SWITCHES.map(([name, label, says]) => (
          <label key={name}>
            <input type="checkbox" checked={draft[name]} onChange={(event) => set({ [name]: event.currentTarget.checked })} />
            <span>{label}</span>
            <span class="sm d3">{says}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class="scopes filters old">
        <legend class="sm d3">Old browsers</legend>
        {BROWSERS.map(([name, label, upTo]) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={draft.legacy_browsers.includes(name)}
              onChange={(event) =>
                set({
                  legacy_browsers: BROWSERS.map(([one]) => one as string).filter((one) =>
                    one === name ? event.currentTarget.checked : draft.legacy_browsers.includes(one),
                  ),
                })
              }
            />
            <span>{label}</span>
            <span class="sm d3">{upTo} and before</span>
          </label>
        ))}
      </fieldset>
      {LISTS.map(([name, label, says, example]) => (
        <RuleText
          key={name}
          label={label}
          says={says}
          example={example}
          value={draft[name]}
          write={(value) => set({ [name]: value })}
          error={error?.place === name ? error : undefined}
        />
      ))}
      <RuleActions
        deed={deed}
        elsewhere={LISTS.map(([name]) => name)}
        changed={changed}
        save={{ label: 'Save the filters', run: () => send('PUT', at(slug), written(draft)), done: retry }}
        restore={() => setDraft(now)}
        preview={{
          says: 'Preview tries them on the newest 1,000 error events and changes nothing.',
          run: async () => {
            const found = await send<Preview>('POST', `${at(slug)}/preview?limit=1000`, written(draft));
            if (found) setPreview({ of: text, found });
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
          ? 'There is no event to try them on yet.'
          : of.filtered === 0
            ? `None of the newest ${plural(of.events, 'event')} would be left out.`
            : `${count(of.filtered)} of the newest ${plural(of.events, 'event')} would be left out: ${of.reasons
                .map((one) => `${reasonName(one.reason)} ${count(one.events)}`)
                .join(', ')}.`}
      </p>
      {of.partial && <p class="sm d3">There was no time for more events.</p>}
      {of.examples.slice(0, 5).map((one) => (
        <p class="sm row" key={one.event}>
          <Link class="plain cut" href={`/events/${one.event}`} follow>
            {one.title}
          </Link>
          <span class="d3 nw">{reasonName(one.reason)}</span>
        </p>
      ))}
    </div>
  );
}
