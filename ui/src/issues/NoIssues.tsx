// An empty inbox: all is well, or nothing has arrived yet and here is how it would.
import { me } from '../api/client.ts';
import type { Counts } from '../api/issues.ts';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { SentryPaste } from '../setup/SentryPaste.tsx';
import { param, setParams } from '../state/route.ts';
import { TABS, type TabId } from './tabs.ts';

interface Props {
  counts: Counts;
  tab: TabId | undefined;
  written: string;
  /** What there was is being put away. */
  waiting: boolean;
}

const SAYS: Record<TabId, string> = {
  review: 'Nothing waits for you',
  unresolved: 'Nothing is broken that was not put away',
  mine: 'Nothing is assigned to you',
  regressed: 'Nothing has come back',
  archived: 'Nothing is archived',
  resolved: 'Nothing was resolved',
};

export function NoIssues({ counts, tab, written, waiting }: Props) {
  const known = Object.values(counts).some((n) => n > 0);
  if (!known && !waiting) return <FirstIssue />;
  const own = tab && written === TABS.find((one) => one.id === tab)?.query(me.value?.name ?? '');
  const others = TABS.filter((one) => one.id !== tab && counts[one.id] > 0 && ['unresolved', 'archived', 'resolved'].includes(one.id));
  return (
    <div class="say">
      <h2>{own && tab ? SAYS[tab] : 'No issue matches in this range'}</h2>
      <p>
        {own
          ? 'The list has issues that were seen in the range of time above.'
          : 'The filter may be too narrow, or the range too short: the list has issues that were seen in it.'}
      </p>
      <div class="row">
        {others.map((one) => (
          <button type="button" class="btn" key={one.id} onClick={() => setParams({ q: one.query(me.value?.name ?? '') })}>
            {one.label} <span class="cnt">{counts[one.id]}</span>
          </button>
        ))}
        <button type="button" class="btn" onClick={() => setParams({ from: '-7d', to: undefined })}>
          Look at the last 7 d
        </button>
        {(param('project') || param('env')) && (
          <button type="button" class="btn" onClick={() => setParams({ project: undefined, env: undefined })}>
            Look at all projects and environments
          </button>
        )}
      </div>
    </div>
  );
}

function FirstIssue() {
  const dsn = me.value?.dsn;
  return (
    <div class="say scroll">
      <h2>No error has arrived yet</h2>
      <p>
        Any Sentry SDK sends here: give it this DSN and leave everything else as it is. Errors become issues, and its spans and logs join
        those of OpenTelemetry in one trace.
      </p>
      {dsn ? <SentryPaste dsn={dsn} /> : <Paste name="shell, on the server: prints the DSN of a project" text="clew project dsn default" />}
      <div class="row">
        <Link class="btn" href="/setup" follow>
          All ways to connect a service
        </Link>
        <button type="button" class="btn" onClick={() => setParams({ from: '-7d', to: undefined })}>
          Look at the last 7 d
        </button>
      </div>
    </div>
  );
}
