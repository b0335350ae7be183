// Releases: versions, the newest first: how far each is adopted, whether it crashes more than the one before, what came with it.
import '../styles/alerts.css';
import '../styles/releases.css';
import { useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { loadReleases, type Release } from '../api/releases.ts';
import { count, percent, plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { Failure, SkeletonRows, StaleNote, useLate } from '../parts/States.tsx';
import { When } from '../settings/common.tsx';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, href, param, setParams } from '../state/route.ts';
import { kept, scopeParams } from '../state/scope.ts';
import { against, crashFree, eventsQuery, formerOf, lastDeploys, packageOf, releaseHref } from './words.ts';

const AT_ONCE = 100;

/** The issues that were seen in it. */
function issuesHref(release: Release): string {
  return href('/issues', { ...kept.value, project: release.project, q: eventsQuery(release, 'issues') });
}

/** Those that began in it. */
function newHref(release: Release): string {
  return href('/issues', { ...kept.value, project: release.project, q: eventsQuery(release, 'issues', 'first_release') });
}

export function ReleasesPage() {
  usePage({ here: 'Releases', tab: 'releases', ranged: true });
  const text = param('q') ?? '';
  const everything = param('all') === '1';
  const subject = `${text} ${everything} ${rangeSubject.value}`;
  const load = useLoad(
    subject,
    `${subject} ${rangeKey.value}`,
    (abort) => {
      const { from, to } = range.value;
      return loadReleases({ ...scopeParams(), ...(everything ? {} : { from, to }), ...(text && { query: text }), limit: AT_ONCE }, abort);
    },
    true,
  );
  const data = load.data.value;
  const error = load.error.value;
  const list = data?.releases ?? [];
  const several = list.some((release) => release.project !== list[0]?.project);
  const [chosen, setChosen] = useState(0);
  const at = Math.min(chosen, list.length - 1);
  const late = useLate(!data && load.busy.value);
  useKeys('Releases', [
    { keys: ['j', 'ArrowDown'], does: 'next release', run: () => setChosen(Math.min(list.length - 1, at + 1)) },
    { keys: ['k', 'ArrowUp'], does: 'previous release', run: () => setChosen(Math.max(0, at - 1)) },
    { keys: ['Enter'], does: 'its page', run: () => list[at] && followTo(releaseHref(list[at], kept.value), 'Releases') },
    { keys: ['i'], does: 'its issues', run: () => list[at] && followTo(issuesHref(list[at]), 'Releases') },
  ]);
  return (
    <>
      <h1 class="only-read">Releases</h1>
      <div class="bar abar">
        <input
          class="text"
          type="search"
          aria-label="Part of a version"
          placeholder="Part of a version"
          value={text}
          onChange={(event) => setParams({ q: event.currentTarget.value || undefined })}
        />
        <span class="m cut">{data ? plural(data.total, 'release') : '\u00a0'}</span>
        <span class="grow" />
        <button type="button" class="btn" aria-pressed={everything} onClick={() => setParams({ all: everything ? undefined : '1' })}>
          All time
        </button>
      </div>
      {data && error && <StaleNote error={error} retry={load.retry} />}
      <div class={`abody scroll ${load.stale.value ? 'stale' : ''}`} tabIndex={0} role="region" aria-label="Releases">
        {error && !data ? (
          <Failure error={error} retry={load.retry} />
        ) : !data ? (
          late && <SkeletonRows rows={8} height="56px" widths={['24%', '120px', '120px', '20%']} />
        ) : list.length === 0 ? (
          <NoReleases filtered={text !== ''} everything={everything} />
        ) : (
          <ul class="rlist" aria-label="Releases, newest first">
            <li class="rl rhead sm d3" aria-hidden="true">
              <span>Release</span>
              <span>Adoption</span>
              <span class="r">Crash-free sessions</span>
              <span class="r">Crash-free users</span>
              <span class="r">New issues</span>
              <span>Commits</span>
              <span>Deployed</span>
            </li>
            {list.map((release, index) => (
              <Item
                key={`${release.project} ${release.version}`}
                release={release}
                former={formerOf(list, index)}
                several={several}
                chosen={index === at}
                choose={() => setChosen(index)}
              />
            ))}
          </ul>
        )}
        {data && data.total > list.length && (
          <p class="rmore sm d3">
            The newest {count(list.length)} of {count(data.total)}. A part of the version finds the others.
          </p>
        )}
      </div>
      <Foot
        keys={[
          ...(list.length > 0
            ? ([
                ['j k', 'move'],
                ['Enter', 'open'],
                ['i', 'its issues'],
              ] as [string, string][])
            : []),
          ['?', 'all keys'],
        ]}
      >
        <span />
      </Foot>
    </>
  );
}

interface ItemProps {
  release: Release;
  former: Release | undefined;
  /** The list has releases of several projects. */
  several: boolean;
  chosen: boolean;
  choose: () => void;
}

function Item({ release, former, several, chosen, choose }: ItemProps) {
  const { adoption, sessions, users, authors, commits } = release;
  const deploys = lastDeploys(release);
  return (
    <li class={`rl ${chosen ? 'sel' : ''} ${sessions ? '' : 'unheard'}`} aria-current={chosen ? 'true' : undefined} onClick={choose}>
      <div class="rname">
        <span class="cut" title={release.version}>
          <Link class="plain m" href={releaseHref(release, kept.value)} follow>
            {release.short}
          </Link>{' '}
          <span class="d2">{packageOf(release)}</span>
        </span>
        <span class="sm d3 cut">
          {release.released ? 'released' : 'made'} <When at={release.released ?? release.created} />
          {release.last_event && (
            <>
              , last seen <When at={release.last_event} />
            </>
          )}
          {several && (
            <>
              {' in '}
              <span class="mono">{release.project}</span>
            </>
          )}
        </span>
      </div>
      <div class="radopt">
        {sessions ? (
          <>
            <Adoption share={adoption} />
            <span class="sm d3">{plural(sessions, 'session')}</span>
          </>
        ) : (
          <span class="sm d3" title="Its SDK sent none in this range: neither adoption nor crashes can be told">
            no sessions
          </span>
        )}
      </div>
      <Share label="Crash-free sessions" now={release.crash_free_sessions} before={former?.crash_free_sessions} />
      <Share label="Crash-free users" now={release.crash_free_users} before={former?.crash_free_users} of={users} />
      <span class={`r rissues ${release.new_issues ? 'm' : 'd3'}`}>
        {release.new_issues ? (
          <Link class="plain err" href={newHref(release)} follow>
            {count(release.new_issues)}
            <span class="only-small"> new {release.new_issues === 1 ? 'issue' : 'issues'}</span>
          </Link>
        ) : (
          <>
            0<span class="only-small"> new issues</span>
          </>
        )}
      </span>
      <span class="sm rcommits" title={authors.join(', ')}>
        {commits ? plural(commits, 'commit') : <span class="d3">none</span>}
        {authors.length > 0 && <span class="d3 cut">{authors.join(', ')}</span>}
      </span>
      <span class={`sm rdeploys ${deploys.length ? '' : 'wide'}`}>
        {deploys.slice(0, 3).map(({ environment, time }) => (
          <span class="chip" key={environment}>
            {environment} <When at={time} />
          </span>
        ))}
        {deploys.length === 0 && <span class="d3">not said</span>}
      </span>
    </li>
  );
}

export function Adoption({ share }: { share: number | undefined }) {
  return (
    <span class="radopt-bar" title={share === undefined ? 'No sessions in this range' : `${percent(share)} of the sessions of this range`}>
      <span class="track">
        <span class="fill" style={{ width: `${(share ?? 0) * 100}%` }} />
      </span>
      <span class="m">{share === undefined ? '–' : percent(share)}</span>
    </span>
  );
}

function Share({ label, now, before, of }: { label: string; now: number | undefined; before: number | undefined; of?: number }) {
  const change = against(now, before);
  return (
    <span class="rshare r" title={before === undefined ? label : `${label}; the release before: ${crashFree(before)}`}>
      <span class="only-small sm d3">{label}</span>
      <span class={now === undefined ? 'd3' : 'm'}>{crashFree(now)}</span>
      <span class={`sm ${change?.worse ? 'err' : 'd3'}`}>
        {change ? `${change.text} points` : of ? plural(of, 'user') : now === undefined || before === undefined ? '' : 'as before'}
      </span>
    </span>
  );
}

function NoReleases({ filtered, everything }: { filtered: boolean; everything: boolean }) {
  if (filtered)
    return (
      <div class="say">
        <h2>No release has that in its version</h2>
        <div class="row">
          <button type="button" class="btn" onClick={() => setParams({ q: undefined })}>
            Clear the filter
          </button>
          {!everything && (
            <button type="button" class="btn" onClick={() => setParams({ all: '1' })}>
              Look at all time
            </button>
          )}
        </div>
      </div>
    );
  const dsn = me.value?.dsn ?? 'DSN';
  return (
    <div class="say scroll">
      <h2>{everything ? 'No release is known yet' : 'No release was made or seen in this range'}</h2>
      {!everything && (
        <button type="button" class="btn" onClick={() => setParams({ all: '1' })}>
          Look at all time
        </button>
      )}
      <p>
        Say in the SDK which version runs. Its errors and sessions then belong to a release: how far it is adopted, how many of its sessions
        crash, which issues are new in it.
      </p>
      <Paste name="Python" text={`sentry_sdk.init(\n    "${dsn}",\n    release="shop@1.4.2",\n    environment="production",\n)`} />
      <Paste name="JavaScript" text={`Sentry.init({\n  dsn: "${dsn}",\n  release: "shop@1.4.2",\n  environment: "production",\n})`} />
      <p>Commits and deploys come from the build:</p>
      <Paste
        name="shell"
        text={
          'sentry-cli releases new shop@1.4.2\nsentry-cli releases set-commits shop@1.4.2 --local\nsentry-cli releases deploys shop@1.4.2 new -e production'
        }
      />
    </div>
  );
}
