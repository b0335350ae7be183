// One rule: what it watches, how near it is, what it told. Messages link here. Also where a new one is made.
import '../styles/settings.css';
import '../styles/alerts.css';
import { Pencil } from 'lucide';
import { type Alerts, inputOf, type Kind, loadAlerts, loadFirings, type Op, type Rule, type RuleInput } from '../api/alerts.ts';
import { me, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { useEvery } from '../parts/every.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { Painted } from '../query/QueryBar.tsx';
import { When } from '../settings/common.tsx';
import { useKeys } from '../state/keys.ts';
import { usePage } from '../state/page.ts';
import { go, param, setParams } from '../state/route.ts';
import { Troubles } from './AlertsPage.tsx';
import { Deliveries } from './Deliveries.tsx';
import { enable } from './deeds.ts';
import { Firings } from './Firings.tsx';
import { recordsHref } from './links.ts';
import { RulePill } from './Marks.tsx';
import { RuleEditor } from './RuleEditor.tsx';
import { RuleMenu, SnoozeMenu } from './RuleMenus.tsx';
import { ValueChart } from './ValueChart.tsx';
import { KINDS, OPS, readThreshold, sentence, stateOf, subjectOf } from './words.ts';

const EVERY_MS = 5000;

export function RulePage({ id }: { id: string }) {
  const turn = useEvery(EVERY_MS);
  const number = /^\d+$/.test(id) ? Number(id) : undefined;
  const load = useLoad(`rule ${id}`, `rule ${id} ${turn} ${me.value?.name}`, async (abort) => {
    const [all, mine] = await Promise.all([
      loadAlerts(abort),
      number === undefined ? { firings: [] } : loadFirings({ rule: number, limit: 100 }, abort),
    ]);
    return { all, mine };
  });
  const data = load.data.value;
  const rule = data?.all.rules.find((one) => one.id === number);
  const making = id === 'new';
  usePage({
    here: making ? 'New rule' : (rule?.name ?? 'Rule'),
    title: `${rule?.name ?? (making ? 'New rule' : 'Rule')} · Alerts`,
    tab: 'alerts',
    ranged: false,
  });
  const editing = making || param('edit') === '1';
  useKeys('Rule', [
    { keys: ['e'], does: 'edit it', run: () => !making && setParams({ edit: editing ? undefined : '1' }) },
    { keys: ['Escape'], does: 'back to the rules', run: () => (editing && !making ? setParams({ edit: undefined }) : go('/alerts')) },
  ]);
  const late = useLate(!data && load.busy.value);
  if (load.error.value && !data) return <Failure error={load.error.value} retry={load.retry} />;
  if (!data) return late ? <SkeletonRows rows={6} height="56px" widths={['40%', '20%']} /> : <div />;
  if (editing && (making || rule)) {
    return (
      <>
        <header class="ahead">
          <h1>{making ? 'New rule' : `Edit ${rule?.name}`}</h1>
        </header>
        <div class="abody scroll" tabIndex={0} role="region" aria-label="The rule">
          <RuleEditor
            key={id}
            all={data.all}
            was={rule ? inputOf(rule) : fromLink()}
            {...(rule && { id: rule.id })}
            done={(made) => go(`/alerts/${made}`)}
            close={() => go(rule ? `/alerts/${rule.id}` : '/alerts')}
          />
        </div>
      </>
    );
  }
  if (!rule) {
    return (
      <div class="say">
        <h1>There is no rule {id}</h1>
        <p>It may have been deleted since a message linked to it. What it told stands among the firings.</p>
        <div class="row">
          <Link class="btn" href="/alerts">
            All rules
          </Link>
          <Link class="btn" href="/alerts?tab=firings">
            All firings
          </Link>
        </div>
      </div>
    );
  }
  return <Shown rule={rule} all={data.all} mine={data.mine} again={load.error.value?.message} />;
}

/** A link may say what the rule is to be. */
function fromLink(): RuleInput {
  const query = param('query');
  const rest = { name: param('name') ?? '', enabled: true, cooldown_s: 1800, collect_s: 60, channels: [] };
  const project = param('project');
  const window_s = Number(param('window')) || undefined;
  const within = project ? { project } : {};
  if (query !== undefined) {
    const limit = readThreshold(param('threshold') ?? '');
    return {
      ...rest,
      ...within,
      query,
      op: OPS.find((op) => op === (param('op') as Op)) ?? '>',
      ...(limit !== undefined && { threshold: limit }),
      window_s: window_s ?? 300,
      recovery: true,
    };
  }
  const on = (param('on') ?? 'new,regressed,escalating')
    .split(',')
    .filter((kind): kind is Kind => (KINDS as readonly string[]).includes(kind));
  const filter = param('filter');
  return {
    ...rest,
    ...within,
    when: on.map((kind) =>
      kind === 'events' || kind === 'users' ? { kind, n: Number(param('n')) || 100, window_s: window_s ?? 3600 } : { kind },
    ),
    ...(filter && { filter }),
  };
}

interface ShownProps {
  rule: Rule;
  all: Alerts;
  mine: { firings: Alerts['firings']; next?: number };
  again: string | undefined;
}

function Shown({ rule, all, mine, again }: ShownProps) {
  const now = serverNow();
  const state = stateOf(rule, mine.firings, now);
  const tab = param('tab') === 'deliveries' ? 'deliveries' : 'firings';
  const subject = subjectOf(rule);
  const records = subject && recordsHref(subject, now - (rule.window_s ?? 86_400) * 1000, now);
  return (
    <>
      <header class="ahead">
        <div class="grow">
          <div class="row">
            <h1 class="cut">{rule.name}</h1>
            <RulePill state={state} />
          </div>
        </div>
        {!rule.enabled && (
          <button type="button" class="btn" onClick={() => void enable(rule, true)}>
            Enable
          </button>
        )}
        <SnoozeMenu rule={rule} class="btn" />
        <button type="button" class="btn wide" onClick={() => setParams({ edit: '1' })}>
          <Icon icon={Pencil} size={14} />
          Edit
        </button>
        <RuleMenu rule={rule} gone={() => go('/alerts')} class="btn i" />
      </header>
      <Troubles again={again} />
      <div class="abody scroll" tabIndex={0} role="region" aria-label="The rule">
        <div class="afacts">
          <p class="rsay">{sentence(rule, all.channels)}</p>
          {rule.trouble && (
            <p class="sm wrn" role="status">
              It cannot be evaluated: {rule.trouble}
            </p>
          )}
          {state === 'snoozed' && (
            <p class="sm d2">
              Snoozed: it wakes <When at={rule.snoozed_until} />. What fires until then is listed, not told.
            </p>
          )}
          {subject && (
            <p class="row asubj">
              <code class="painted cut" title={subject}>
                <Painted text={subject} />
              </code>
              {records && (
                <Link class="link sm nw" href={records} follow>
                  Its records
                </Link>
              )}
            </p>
          )}
          <p class="sm d3">
            Made <When at={rule.created} /> by {actorWords(rule.created_by)}, {rule.evaluated ? 'last looked at ' : 'not looked at yet'}
            {rule.evaluated && <When at={rule.evaluated} />}
          </p>
        </div>
        {rule.query !== undefined && (
          <div class="achart">
            <ValueChart
              query={rule.query}
              window_s={rule.window_s ?? 300}
              op={rule.op ?? '>'}
              threshold={rule.threshold}
              project={rule.project}
            />
          </div>
        )}
        <div class="bar abar hl">
          <nav class="tabs" aria-label="What happened">
            {(['firings', 'deliveries'] as const).map((one) => (
              <button
                type="button"
                key={one}
                aria-current={tab === one ? 'page' : undefined}
                onClick={() => setParams({ tab: one === 'firings' ? undefined : one }, { replace: true })}
              >
                {one === 'firings' ? 'Firings' : 'Deliveries'}
              </button>
            ))}
          </nav>
        </div>
        {tab === 'firings' ? (
          <Firings firings={mine.firings} next={mine.next} rules={all.rules} rule={rule} />
        ) : (
          <Deliveries channels={all.channels} rule={rule.id} />
        )}
      </div>
      <Foot
        keys={[
          ['e', 'edit'],
          ['Esc', 'all rules'],
          ['?', 'all keys'],
        ]}
      >
        <span />
      </Foot>
    </>
  );
}
