// Issues: what is broken, the most urgent first, to be gone through by keys; one of them beside the list.
import '../styles/arm.css';
import '../styles/issues.css';
import { ArrowDownWideNarrow, Bell } from 'lucide';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { alertOn } from '../alerts/links.ts';
import { me } from '../api/client.ts';
import { type Issue, type IssueList, loadIssues } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { count, plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { useNarrow } from '../parts/narrow.ts';
import { Popover } from '../parts/Popover.tsx';
import { Failure, StaleNote, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { rangeLabel } from '../state/range.ts';
import { followTo, param, setParams } from '../state/route.ts';
import { scope, scoped, scopeParams } from '../state/scope.ts';
import { pending } from '../state/undo.ts';
import { archive, change, failure, isWaiting, merge, resolve, working } from './deeds.ts';
import { IssueHead, IssueRows, IssueRowsSkeleton, issueHref } from './IssueRows.tsx';
import { ArchiveMenu, AssignMenu, Chevron, myself, openMenu, PriorityMenu, ResolveMenu } from './Menus.tsx';
import { NoIssues } from './NoIssues.tsx';
import { Peek } from './Peek.tsx';
import { review } from './review.ts';
import { SORTS, type Sort, switchTab, TABS, tabOf } from './tabs.ts';
import { PRIORITIES } from './words.ts';

const BUCKETS = 30;
const AT_ONCE = 100;
/** Of one request. */
const PAGE = 200;

interface Found extends IssueList {
  ms: number;
}

async function loadUpTo(shown: number, query: string, sort: string, abort: AbortSignal): Promise<Found> {
  const { from, to } = range.value;
  const began = performance.now();
  const ask = (limit: number, cursor?: string) =>
    loadIssues({ query, from, to, sort, buckets: BUCKETS, limit, ...scopeParams(), ...(cursor && { cursor }) }, abort);
  const first = await ask(Math.min(PAGE, shown));
  const ms = performance.now() - began;
  const issues = [...first.issues];
  let next = first.next;
  while (next && issues.length < shown) {
    const more = await ask(Math.min(PAGE, shown - issues.length), next);
    issues.push(...more.issues);
    next = more.issues.length > 0 ? more.next : undefined;
  }
  const { next: _, ...rest } = first;
  return { ...rest, issues, ms, ...(next && { next }) };
}

export function IssuesPage() {
  const name = me.value?.name ?? '';
  const written = param('q') ?? (TABS[0]?.query(name) as string);
  const sort = (SORTS.find(([id]) => id === param('sort'))?.[0] ?? 'priority') as Sort;
  const tab = tabOf(written, name);
  const [shown, setShown] = useState(AT_ONCE);
  const subject = `${written} ${sort} ${rangeSubject.value}`;
  usePage({ here: 'Issues', tab: 'issues', ranged: true, watch: 'events', pace: 2000 });
  useAsks([
    { what: 'The issues', query: scoped(written) },
    { what: 'Their events', query: scoped(`events issue in {${written} | select id}`) },
  ]);
  const list = useLoad(subject, `${subject} ${rangeKey.value} ${shown}`, (abort) => loadUpTo(shown, written, sort, abort), true);
  const answered = list.data.value;
  // What is being put away is out of sight at once.
  const issues = useMemo(() => (answered?.issues ?? []).filter((issue) => !isWaiting(issue.id)), [answered, pending.value?.subject]);
  useEffect(() => {
    if (answered) review.value = answered.counts.review;
  }, [answered]);

  const narrow = useNarrow();
  const [chosenId, setChosenId] = useState<number | undefined>();
  const [checked, setChecked] = useState<ReadonlySet<number>>(new Set());
  const lastChecked = useRef(-1);
  const place = useRef(0);
  useLayoutEffect(() => {
    setChecked(new Set());
    setShown(AT_ONCE);
    place.current = 0;
    setChosenId(undefined);
  }, [subject]);
  const found = issues.findIndex((issue) => issue.id === chosenId);
  // The one that was chosen has gone: the next one stands in its place.
  const chosen = found >= 0 ? found : narrow ? -1 : Math.min(place.current, issues.length - 1);
  if (chosen >= 0) place.current = chosen;
  const issue = issues[chosen];
  const peeking = !narrow && param('peek') !== '0';
  const picked = issues.filter((one) => checked.has(one.id));
  const about = picked.length > 0 ? picked : issue ? [issue] : [];

  const choose = (index: number) => {
    place.current = index;
    setChosenId(issues[index]?.id);
  };
  const move = (by: number) => choose(Math.max(0, Math.min(issues.length - 1, chosen + by)));
  const check = (index: number, span: boolean) => {
    const next = new Set(checked);
    const one = issues[index];
    if (!one) return;
    const from = span && lastChecked.current >= 0 ? Math.min(lastChecked.current, index) : index;
    const to = span && lastChecked.current >= 0 ? Math.max(lastChecked.current, index) : index;
    const on = span || !next.has(one.id);
    for (let i = from; i <= to; i++) {
      const id = issues[i]?.id;
      if (id !== undefined) on ? next.add(id) : next.delete(id);
    }
    lastChecked.current = index;
    setChecked(next);
  };
  const put = (deed: (these: readonly Issue[]) => void) => {
    if (about.length === 0) return;
    // The next row takes the place of what leaves.
    const first = issues.findIndex((one) => about.includes(one));
    setChosenId(undefined);
    place.current = picked.length > 0 ? first : chosen;
    setChecked(new Set());
    deed(about);
  };
  const peek = () => setParams({ peek: peeking ? '0' : undefined }, { replace: true });
  const mine = about.every((one) => one.assignee?.name === name && one.assignee.kind === 'user');
  const take = () => void change(about, { assignee: mine ? null : myself() });
  const cyclePriority = () => {
    const now = PRIORITIES.indexOf(about[0]?.priority ?? 'low');
    void change(about, { priority: PRIORITIES[(now + 1) % PRIORITIES.length] ?? 'high' });
  };
  useKeys('Issues', [
    { keys: ['j', 'ArrowDown'], does: 'next issue', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous issue', run: () => move(-1) },
    { keys: ['Enter'], does: 'open it', run: () => issue && followTo(issueHref(issue.short), 'Issues') },
    { keys: [' '], does: 'beside the list, or not', run: peek },
    { keys: ['x'], does: 'select', run: () => chosen >= 0 && check(chosen, false) },
    { keys: ['X'], does: 'select up to here', run: () => chosen >= 0 && check(chosen, true) },
    { keys: ['e'], does: 'resolve', run: () => put((these) => resolve(these)) },
    { keys: ['i'], does: 'archive until it escalates', run: () => put((these) => archive(these)) },
    { keys: ['a'], does: 'take it, or give it back', run: take },
    { keys: ['A'], does: 'assign to somebody', run: () => openMenu('assign') },
    { keys: ['m'], does: 'merge what is selected', run: () => picked.length > 1 && put(merge) },
    { keys: ['p'], does: 'next priority', run: cyclePriority },
    {
      keys: ['Escape'],
      does: 'clear the selection, close what is beside',
      run: () => (checked.size > 0 ? setChecked(new Set()) : peeking && peek()),
    },
  ]);

  const error = list.error.value;
  const ofQuery = error && error.status === 400 ? error : undefined;
  const late = useLate(!answered && list.busy.value);
  const run = (text: string) => {
    if (text === written) refresh();
    else setParams({ q: text === TABS[0]?.query(name) || !text ? undefined : text });
  };
  const all = checked.size === 0 ? 'none' : picked.length === issues.length ? 'all' : 'some';
  const rangeName = rangeLabel(param('from'), param('to'));
  return (
    <>
      <h1 class="only-read">Issues</h1>
      <div class="bar itabs">
        <nav class="tabs scroll" aria-label="Which issues">
          {TABS.map((one) => (
            <button
              type="button"
              key={one.id}
              title={one.id === 'review' ? 'The number: those that you have not looked at and nobody has taken' : undefined}
              aria-current={tab === one.id ? 'page' : undefined}
              onClick={() => run(switchTab(written, one, name))}
            >
              {one.label}
              {answered && answered.counts[one.id] > 0 && <span class="c">{count(answered.counts[one.id])}</span>}
            </button>
          ))}
        </nav>
        <span class="grow" />
        <Link class="btn g s alerton" href={alertOn(written, scope.value.project)} aria-label="Alert on this view" follow>
          <Icon icon={Bell} size={14} />
          <span class="wide">Alert on this view</span>
        </Link>
      </div>
      <div class="bar qline iqline">
        <QueryBar
          value={written}
          run={run}
          error={ofQuery}
          busy={late || working.value > 0 || (list.busy.value && list.stale.value)}
          label="Query for issues"
          found={answered && !error ? plural(answered.total, 'issue') : undefined}
        />
        <Popover
          class="ctl sortctl"
          title="Sort by"
          label={
            <>
              <Icon icon={ArrowDownWideNarrow} size={14} />
              <span class="wide">Sort</span> <b class="wide">{SORTS.find(([id]) => id === sort)?.[1]}</b>
              <Chevron />
            </>
          }
        >
          {(close) =>
            SORTS.map(([id, label]) => (
              <button
                type="button"
                class="item"
                key={id}
                role="menuitemradio"
                aria-checked={id === sort}
                onClick={() => {
                  close();
                  setParams({ sort: id === 'priority' ? undefined : id });
                }}
              >
                {label}
              </button>
            ))
          }
        </Popover>
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {failure.value && (
        <p class="note sm" role="alert">
          <b>{failure.value.message}</b> {failure.value.hint}{' '}
          <button type="button" class="link" onClick={() => (failure.value = undefined)}>
            Close
          </button>
        </p>
      )}
      {error && !ofQuery && answered && <StaleNote error={error} retry={refresh} />}
      {error && !ofQuery && !answered ? (
        <Failure error={error} retry={refresh} />
      ) : (
        <div class={`cols icols ${peeking ? 'with-peek' : ''}`}>
          <section class="left" aria-label="The list">
            {answered && issues.length === 0 && !list.stale.value ? (
              <NoIssues counts={answered.counts} tab={tab} written={written} waiting={answered.issues.length > 0} />
            ) : (
              <>
                <IssueHead
                  rangeName={rangeName}
                  all={all}
                  toggleAll={() => setChecked(all === 'none' ? new Set(issues.map((one) => one.id)) : new Set())}
                  bulk={picked.length > 0 && <Bulk picked={picked} put={put} take={take} clear={() => setChecked(new Set())} />}
                />
                {answered ? (
                  <IssueRows
                    issues={issues}
                    chosen={chosen}
                    checked={checked}
                    stale={list.stale.value}
                    choose={choose}
                    check={check}
                    more={answered.next ? () => setShown(shown + PAGE) : undefined}
                    left={answered.total - answered.issues.length}
                    busy={list.busy.value}
                  />
                ) : (
                  <IssueRowsSkeleton visible={late} />
                )}
              </>
            )}
          </section>
          {peeking && !(answered && issues.length === 0) && (
            <Peek issue={issue} late={late} take={take} mine={issue?.assignee?.name === name} />
          )}
        </div>
      )}
      <div class="only-read" role="status">
        {issue ? `${issue.short}, ${chosen + 1} of ${issues.length}` : ''}
      </div>
      <Foot
        keys={[
          ...(answered && issues.length === 0
            ? []
            : ([
                ['j k', 'move'],
                ['x', 'select'],
                ['Enter', 'open'],
                ['e', 'resolve'],
                ['i', 'archive'],
                ['a', 'take'],
              ] as [string, string][])),
          ['?', 'all keys'],
        ]}
      >
        <span class="cost">
          {answered &&
            `${plural(answered.total, 'issue')}${answered.events === undefined ? '' : `, ${plural(answered.events, 'event')}`}, read in ${Math.max(1, Math.round(answered.ms))}\u202fms`}
        </span>
      </Foot>
    </>
  );
}

function Bulk({
  picked,
  put,
  take,
  clear,
}: {
  picked: readonly Issue[];
  put: (deed: (these: readonly Issue[]) => void) => void;
  take: () => void;
  clear: () => void;
}) {
  return (
    <span class="row bulk">
      <b class="nw">{picked.length} selected</b>
      <span class="pair">
        <button type="button" class="link2" onClick={() => put((these) => resolve(these))}>
          Resolve <kbd class="kbd">e</kbd>
        </button>
        <ResolveMenu issues={picked} label={<Chevron />} class="btn g s i" align="left" />
      </span>
      <span class="pair">
        <button type="button" class="link2" onClick={() => put((these) => archive(these))}>
          Archive <kbd class="kbd">i</kbd>
        </button>
        <ArchiveMenu issues={picked} label={<Chevron />} class="btn g s i" align="left" />
      </span>
      <span class="pair">
        <button type="button" class="link2" onClick={take}>
          Take <kbd class="kbd">a</kbd>
        </button>
        <AssignMenu issues={picked} label={<Chevron />} class="btn g s i" align="left" />
      </span>
      <PriorityMenu
        issues={picked}
        label={
          <>
            Priority <kbd class="kbd">p</kbd>
          </>
        }
        class="link2"
        align="left"
      />
      <button type="button" class="link2" disabled={picked.length < 2} onClick={() => put(merge)}>
        Merge <kbd class="kbd">m</kbd>
      </button>
      <button type="button" class="link2" onClick={clear}>
        Clear <kbd class="kbd">Esc</kbd>
      </button>
    </span>
  );
}
