// Alerts: what is watched, what fired, what was sent, and to whom.
import '../styles/settings.css';
import '../styles/alerts.css';
import { Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { type Alerts, loadAlerts, type Rule } from '../api/alerts.ts';
import { me, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { useEvery } from '../parts/every.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, StaleNote, useLate } from '../parts/States.tsx';
import { When } from '../settings/common.tsx';
import { useKeys } from '../state/keys.ts';
import { refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, go, param, setParams } from '../state/route.ts';
import { pending } from '../state/undo.ts';
import { Channels } from './Channels.tsx';
import { Deliveries } from './Deliveries.tsx';
import { failure, isLeaving } from './deeds.ts';
import { Firings } from './Firings.tsx';
import { ChannelChips, RulePill } from './Marks.tsx';
import { RuleMenu, SnoozeMenu } from './RuleMenus.tsx';
import { conclusion, lastFired, sorted, stateOf, subjectOf, watches } from './words.ts';

const TABS = [
  ['rules', 'Rules'],
  ['firings', 'Firings'],
  ['deliveries', 'Deliveries'],
  ['channels', 'Channels'],
] as const;
type TabId = (typeof TABS)[number][0];

const EVERY_MS = 5000;

export function AlertsPage() {
  usePage({ here: 'Alerts', tab: 'alerts', ranged: false });
  const turn = useEvery(EVERY_MS);
  const load = useLoad('alerts', `alerts ${turn} ${me.value?.name}`, loadAlerts);
  const tab = (TABS.find(([id]) => id === param('tab'))?.[0] ?? 'rules') as TabId;
  const all = load.data.value;
  const error = load.error.value;
  const late = useLate(!all && load.busy.value);
  const now = serverNow();
  pending.value;
  const rules = all ? sorted(all.rules, all.firings, now).filter((rule) => !isLeaving(rule)) : [];
  const [chosen, setChosen] = useState(0);
  const at = Math.min(chosen, rules.length - 1);
  const listed = tab === 'rules';
  useKeys('Alerts', [
    { keys: ['j', 'ArrowDown'], does: 'next rule', run: () => listed && setChosen(Math.min(rules.length - 1, at + 1)) },
    { keys: ['k', 'ArrowUp'], does: 'previous rule', run: () => listed && setChosen(Math.max(0, at - 1)) },
    { keys: ['Enter'], does: 'open it', run: () => listed && rules[at] && followTo(`/alerts/${rules[at].id}`, 'Alerts') },
    { keys: ['e'], does: 'edit it', run: () => listed && rules[at] && followTo(`/alerts/${rules[at].id}?edit=1`, 'Alerts') },
    { keys: ['n'], does: 'new rule', run: () => followTo('/alerts/new', 'Alerts') },
  ]);
  const counts: Record<TabId, number> = {
    rules: rules.length,
    firings: all?.firings.filter((firing) => firing.open).length ?? 0,
    deliveries: 0,
    channels: all?.channels.length ?? 0,
  };
  return (
    <>
      <h1 class="only-read">Alerts</h1>
      <div class="bar abar">
        <nav class="tabs scroll" aria-label="Alerts">
          {TABS.map(([id, label]) => (
            <button
              type="button"
              key={id}
              aria-current={tab === id ? 'page' : undefined}
              onClick={() => setParams({ tab: id === 'rules' ? undefined : id })}
            >
              {label}
              {counts[id] > 0 && <span class="c">{id === 'firings' ? `${counts[id]} open` : counts[id]}</span>}
            </button>
          ))}
        </nav>
        <span class="grow" />
        <button type="button" class="btn p" aria-label="New rule" onClick={() => followTo('/alerts/new', 'Alerts')}>
          <Icon icon={Plus} size={14} />
          <span class="wide">New rule</span>
        </button>
      </div>
      <Troubles again={all && error ? error.message : undefined} />
      <div class="abody scroll" tabIndex={0} role="region" aria-label={TABS.find(([id]) => id === tab)?.[1]}>
        {error && !all ? (
          <Failure error={error} retry={load.retry} />
        ) : !all ? (
          late && <SkeletonRows rows={8} height="56px" widths={['56px', '40%', '120px', '80px']} />
        ) : tab === 'rules' ? (
          <Rules all={all} rules={rules} at={at} choose={setChosen} />
        ) : tab === 'firings' ? (
          <Firings firings={all.firings} next={all.next} rules={all.rules} />
        ) : tab === 'deliveries' ? (
          <Deliveries channels={all.channels} />
        ) : (
          <Channels {...all} />
        )}
      </div>
      <Foot
        keys={[
          ...(tab === 'rules' && rules.length > 0
            ? ([
                ['j k', 'move'],
                ['Enter', 'open'],
                ['e', 'edit'],
              ] as [string, string][])
            : []),
          ['n', 'new rule'],
          ['?', 'all keys'],
        ]}
      >
        <span />
      </Foot>
    </>
  );
}

/** What was refused, and that what stands here is from before. */
export function Troubles({ again }: { again: string | undefined }) {
  const refused = failure.value;
  return (
    <>
      {refused && (
        <p class="note sm" role="alert">
          <b>{refused.message}</b> {refused.hint}{' '}
          <button type="button" class="link" onClick={() => (failure.value = undefined)}>
            Close
          </button>
        </p>
      )}
      {again && <StaleNote error={{ message: again }} retry={refresh} />}
    </>
  );
}

function Rules({ all, rules, at, choose }: { all: Alerts; rules: Rule[]; at: number; choose: (index: number) => void }) {
  if (rules.length === 0) return <NoRules channels={all.channels.length} />;
  return (
    <>
      <p class="alede">{conclusion({ ...all, rules }, serverNow())}</p>
      <ul class="alist" aria-label="Rules">
        {rules.map((rule, index) => (
          <Row key={rule.id} rule={rule} all={all} chosen={index === at} choose={() => choose(index)} />
        ))}
      </ul>
    </>
  );
}

function Row({ rule, all, chosen, choose }: { rule: Rule; all: Alerts; chosen: boolean; choose: () => void }) {
  const state = stateOf(rule, all.firings, serverNow());
  const last = lastFired(rule, all.firings);
  const subject = subjectOf(rule);
  return (
    <li class={`al ru ${chosen ? 'sel' : ''} ${state === 'off' ? 'off' : ''}`} aria-current={chosen ? 'true' : undefined} onClick={choose}>
      <RulePill state={state} />
      <div class="at">
        <div class="row">
          <span class="m cut">
            <Link class="plain" href={`/alerts/${rule.id}`} follow>
              {rule.name}
            </Link>
          </span>
          <span class="narrow sm d3 nw when">{last ? <When at={last.time} /> : ''}</span>
        </div>
        <div class="row sm d2" title={subject}>
          {rule.trouble ? (
            <span class="wrn cut" title={rule.trouble}>
              {rule.trouble}
            </span>
          ) : (
            <>
              <span class="cut watch">{watches(rule)}</span>
              {subject && <code class="d3 cut wide subj">{subject}</code>}
            </>
          )}
        </div>
      </div>
      <span class="wide">
        <ChannelChips ids={rule.channels} channels={all.channels} />
      </span>
      <span class="ag r wide">
        {last ? (
          <span>
            <span class="only-read">fired </span>
            <When at={last.time} />
          </span>
        ) : (
          <span class="d3">never fired</span>
        )}
        <span class="d3 sm">
          {state === 'snoozed' ? (
            <>
              wakes <When at={rule.snoozed_until} />
            </>
          ) : last?.suppressed ? (
            'told nobody'
          ) : (
            ''
          )}
        </span>
      </span>
      <span class="row acts">
        <span class="wide">{rule.enabled && <SnoozeMenu rule={rule} />}</span>
        <RuleMenu rule={rule} />
      </span>
    </li>
  );
}

const EXAMPLES: readonly [string, string, string][] = [
  ['An issue is new or comes back', 'in any project', '/alerts/new?on=new,regressed'],
  ['An issue hits many people', '100 users in an hour', '/alerts/new?on=users&n=100&window=3600'],
  [
    'Requests fail',
    'failed spans of five minutes',
    `/alerts/new?${new URLSearchParams({ query: 'spans status=error kind=server | stats count() by service', op: '>', threshold: '20', window: '300' })}`,
  ],
  [
    'A service is slow',
    '95th percentile above a second',
    `/alerts/new?${new URLSearchParams({ query: 'spans kind=server | stats p95(duration) by service', op: '>', threshold: '1s', window: '600' })}`,
  ],
];

function NoRules({ channels }: { channels: number }) {
  return (
    <div class="say">
      <h2>No rule watches anything yet</h2>
      <p>
        A rule watches issues, or the value of a query, and tells its channels: a webhook, Slack or mail. It tells each thing once, and says
        when it is over.
      </p>
      <ul class="examples">
        {EXAMPLES.map(([title, says, to]) => (
          <li key={title}>
            <Link class="ex" href={to} follow>
              <span class="m">{title}</span>
              <span class="sm d3">{says}</span>
            </Link>
          </li>
        ))}
      </ul>
      {channels === 0 && (
        <div class="row">
          <button type="button" class="btn" onClick={() => go('/alerts?tab=channels')}>
            Add a channel first
          </button>
          <span class="sm d3">Without one, what fires is only listed.</span>
        </div>
      )}
    </div>
  );
}
