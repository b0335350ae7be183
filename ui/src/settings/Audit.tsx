// The audit trail: who did what, and whether anybody has changed the record of it.
import { useLayoutEffect, useState } from 'preact/hooks';
import { getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { absolute, clock, dayClock, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { param, setParams } from '../state/route.ts';
import { worded } from './audit-words.ts';
import { Head, Refusal, Rows, useDeed } from './common.tsx';
import type { AuditEntry, Verified } from './types.ts';

const PAGE = 100;

export function Audit() {
  const wanted = param('containing') ?? '';
  const ask = (before: number | undefined, abort?: AbortSignal) =>
    getJson<{ entries: AuditEntry[] }>('/api/v1/audit', { limit: PAGE, before, containing: wanted || undefined }, abort);
  const list = useLoad('audit', wanted, (abort) => ask(undefined, abort));
  const chain = useLoad('chain', 'chain', (abort) => getJson<Verified>('/api/v1/audit/verify', {}, abort));
  const [older, setOlder] = useState<{ entries: AuditEntry[]; whole: boolean }>({ entries: [], whole: false });
  const deed = useDeed();
  useLayoutEffect(() => setOlder({ entries: [], whole: false }), [list.data.value]);
  const first = list.data.value?.entries ?? [];
  const entries = [...first, ...older.entries];
  const more = !older.whole && first.length === PAGE && (older.entries.length === 0 || older.entries.length % PAGE === 0);
  const loadOlder = () =>
    deed.run(async () => {
      const answer = await ask(entries.at(-1)?.seq);
      setOlder({ entries: [...older.entries, ...answer.entries], whole: answer.entries.length < PAGE });
    });
  return (
    <>
      <Head title="Audit" says={<Chain chain={chain.data.value} />}>
        <button type="button" class="btn" disabled={chain.busy.value} onClick={chain.retry}>
          Check again
        </button>
      </Head>
      <Refusal error={chain.error.value} />
      <Filter wanted={wanted} />
      <Rows of={list} rows={8}>
        {() =>
          entries.length === 0 ? (
            <div class="say">
              <h2>No entry says “{wanted}”</h2>
              <button type="button" class="btn" onClick={() => setParams({ containing: undefined })}>
                Drop the filter
              </button>
            </div>
          ) : (
            <>
              <table class="tbl">
                <thead>
                  <tr>
                    <th>When</th>
                    <th class="wide">Who</th>
                    <th>What</th>
                    <th class="wide">To whom or what</th>
                    <th class="wide">Detail</th>
                    <th class="r wide">#</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => {
                    const { ms } = parseInstant(entry.time);
                    const says = worded(entry);
                    const bad = chain.data.value?.bad_seq !== undefined && entry.seq >= chain.data.value.bad_seq;
                    return (
                      <tr key={entry.seq} class={bad ? 'bad' : ''}>
                        <td class="nw" title={absolute(ms)}>
                          {dayClock(ms)}
                          <span class="wide">{clock(ms).slice(5, 8)}</span>
                          <span class="narrow sm d3 sub cut">{says.who}</span>
                        </td>
                        <td class="cut wide" title={entry.actor}>
                          {says.who}
                        </td>
                        <td class="cut" title={`${entry.action} ${entry.target} ${entry.detail}`}>
                          {says.did} {says.did !== entry.action && <code class="xs d3 wide">{entry.action}</code>}
                          <span class="narrow sm d3 sub cut">
                            <What href={says.href} what={says.what} />
                          </span>
                        </td>
                        <td class="cut wide" title={entry.target}>
                          <What href={says.href} what={says.what} />
                        </td>
                        <td class="cut wide d2" title={entry.detail}>
                          {says.detail}
                        </td>
                        <td class="r wide d3" title={entry.hash}>
                          {entry.seq}
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
              {more && (
                <div class="set-note">
                  <button type="button" class="btn" disabled={deed.busy} onClick={() => void loadOlder()}>
                    {deed.busy ? 'Reading older ones' : 'Older ones'}
                  </button>
                </div>
              )}
              <Refusal error={deed.error} />
            </>
          )
        }
      </Rows>
      {chain.data.value?.holds && (
        <div class="set-note row wrap sm d3">
          <span>Newest hash</span>
          <code class="cut">{chain.data.value.head}</code>
          <CopyButton text={chain.data.value.head} label="Copy" />
          <span>Kept elsewhere, it shows later that nobody has cut the end off:</span>
          <code class="nw">clew audit verify --head HASH</code>
        </div>
      )}
    </>
  );
}

function What({ href, what }: { href: string | undefined; what: string }) {
  return href ? (
    <Link class="link" href={href} follow>
      {what}
    </Link>
  ) : (
    <span>{what}</span>
  );
}

function Chain({ chain }: { chain: Verified | undefined }) {
  if (!chain) return <>Checking the chain.</>;
  if (chain.holds) return <>{plural(chain.entries, 'entry', 'entries')}; the chain of hashes holds from the first to the newest.</>;
  return <span class="err">{chain.message ?? 'The trail was changed'}. Entries before it hold; the rest cannot be trusted.</span>;
}

function Filter({ wanted }: { wanted: string }) {
  const [text, setText] = useState(wanted);
  // With the drawing: what is typed at once stays.
  useLayoutEffect(() => setText(wanted), [wanted]);
  return (
    <form
      class="set-form hl row wrap"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setParams({ containing: text.trim() || undefined });
      }}
    >
      <input
        class="text grow filter"
        data-slash
        aria-label="Entries that say"
        placeholder="a name, an action: mara, probe.add, session"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="btn">
        Find
      </button>
      {['session', 'user', 'token', 'project', 'probe', 'values', 'agent', 'issue'].map((word) => (
        <button type="button" class="btn g s" key={word} onClick={() => setParams({ containing: `${word}.` })}>
          {word}
        </button>
      ))}
      {wanted && (
        <button type="button" class="btn g s" onClick={() => setParams({ containing: undefined })}>
          All
        </button>
      )}
    </form>
  );
}
