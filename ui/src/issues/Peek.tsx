// An issue beside the list: where it was raised and with what values, whose it is, and what led to it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getJson, runQuery, serverNow } from '../api/client.ts';
import { type Frame, type IssueEvent, loadEvent, probedOf } from '../api/event.ts';
import type { Issue } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import type { TraceAnswer } from '../api/types.ts';
import { percent } from '../format/number.ts';
import { ago, parseInstant } from '../format/time.ts';
import { ArmButton, ArmStrip } from '../issue/Arm.tsx';
import { useArming } from '../issue/arming.ts';
import { waits } from '../issue/capture.ts';
import { commonOf, commonQuery, type FacetRow } from '../issue/common.ts';
import { crumbText, crumbTime, lastCrumbs } from '../issue/crumbs.ts';
import { localsOf, nameOf, placeOf, topFrame } from '../issue/frames.ts';
import { Source } from '../issue/Source.tsx';
import { Values } from '../issue/Values.tsx';
import { Link } from '../parts/Link.tsx';
import { range } from '../state/live.ts';
import { href } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { MiniTrace } from '../trace/Mini.tsx';
import { miniRows, spanWith } from '../trace/mini.ts';
import { buildTrace } from '../trace/model.ts';
import { issueHref } from './IssueRows.tsx';
import { StatePill } from './Marks.tsx';
import { AssignMenu, Chevron } from './Menus.tsx';
import { partsOf, stateDetail } from './words.ts';

interface Props {
  issue: Issue | undefined;
  late: boolean;
  take: () => void;
  mine: boolean;
}

/** Who goes through the list quickly asks for nothing on the way. */
const REST_MS = 160;

function useRested<T>(value: T, key: string): T | undefined {
  const [rested, setRested] = useState<{ key: string; value: T }>();
  useEffect(() => {
    const timer = setTimeout(() => setRested({ key, value }), rested ? REST_MS : 0);
    return () => clearTimeout(timer);
  }, [key]);
  return rested?.key === key ? rested.value : undefined;
}

const MINI = 5;
const LED = 4;

export function Peek({ issue, late, take, mine }: Props) {
  const rested = useRested(issue?.short, `${issue?.short}`);
  const event = useLoad<IssueEvent | undefined>(`${issue?.short}`, `${issue?.short} ${rested} ${issue?.last}`, async (abort) =>
    rested ? await loadEvent(rested, 'latest', abort) : undefined,
  );
  const loaded = event.data.value?.short === issue?.short || event.data.value?.issue === issue?.id ? event.data.value : undefined;
  if (!issue)
    return (
      <aside class="peek vl" aria-label="The chosen issue">
        {late && (
          <div class="pk">
            <span class="skel" style={{ width: '60%', height: '14px' }} />
          </div>
        )}
      </aside>
    );
  const { type, value } = partsOf(issue);
  const now = serverNow();
  return (
    <aside class="peek vl" aria-label="The chosen issue">
      <div class="scroll grow" tabIndex={0} role="region" aria-label={`About ${issue.short}`}>
        <div class="pk">
          <div class="row">
            <StatePill state={issue.state} />
            <span class="d3 sm cut">
              {issue.short}
              {stateDetail(issue, now) && `, ${stateDetail(issue, now)}`}
            </span>
            <span class="grow" />
            <Link class="sm" href={issueHref(issue.short)} follow>
              Open <kbd class="kbd">↵</kbd>
            </Link>
          </div>
          <h2 dir="auto">{type}</h2>
          {value && (
            <p class="code wrap d2" dir="auto">
              {value.length > 300 ? `${value.slice(0, 300)}…` : value}
            </p>
          )}
        </div>
        {loaded ? (
          <Raised key={issue.id} event={loaded} />
        ) : event.error.value ? (
          <p class="sm hint hl pkwhy">{event.error.value.message}</p>
        ) : (
          <RaisedSkeleton />
        )}
        <dl class="kvs">
          <Fact name="Suspect">
            {issue.suspect ? (
              <span title={issue.suspect.message}>
                <span class="mono">{issue.suspect.id.slice(0, 8)}</span> {issue.suspect.message}
              </span>
            ) : (
              <span class="why">no commit is known that touched it</span>
            )}
          </Fact>
          <Fact name="Owner">
            {issue.owners?.[0] ? issue.owners.map((owner) => owner.name).join(', ') : <span class="why">no rule names one</span>}
          </Fact>
          <Fact name="Release">
            {issue.first_release ? (
              <>
                <span class="mono">{issue.first_release}</span>
                {issue.last_release && issue.last_release !== issue.first_release && (
                  <>
                    {' '}
                    to <span class="mono">{issue.last_release}</span>
                  </>
                )}
              </>
            ) : (
              <span class="why">the SDK names none</span>
            )}
          </Fact>
          <InCommon issue={issue} rested={rested !== undefined} />
        </dl>
        {loaded && <TraceOf event={loaded} />}
        {loaded && <Led event={loaded} />}
      </div>
      <div class="pacts2 hl">
        <button type="button" class="btn p grow" onClick={take}>
          {mine ? 'Give it back' : 'Take it'} <kbd class="kbd in">a</kbd>
        </button>
        <AssignMenu
          issues={[issue]}
          label={
            <>
              Assign <Chevron />
            </>
          }
          class="btn"
          up
          align="right"
        />
      </div>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="cut">{children}</dd>
    </div>
  );
}

const AROUND = 3;
const LOCALS = 5;

function Raised({ event }: { event: IssueEvent }) {
  const frame: Frame | undefined = topFrame(event);
  if (!frame) return <p class="why hint hl pkwhy">this event has no stack</p>;
  const locals = localsOf(frame).slice(0, LOCALS);
  return (
    <>
      <div class="sec hl">
        <h2 class="mono cut">{nameOf(frame)}</h2>
        <span class="grow mono cut cut-start" title={placeOf(frame)}>
          <bdi>{placeOf(frame)}</bdi>
        </span>
      </div>
      {frame.context?.length ? (
        <Source frame={frame} platform={event.platform} around={AROUND} />
      ) : (
        <p class="why hint pkwhy">
          {frame.missing ??
            (probedOf(event) ? 'no source: captured by a probe, which takes values alone' : 'no source: the SDK sent no lines around it')}
        </p>
      )}
      {locals.length > 0 ? (
        <Values entries={locals} repr={event.platform === 'python'} scrubbed={event.scrubbed} />
      ) : (
        frame.vars_hidden && <p class="why hint pkwhy">locals are for who has the scope values</p>
      )}
      <CaptureNext event={event} />
    </>
  );
}

function CaptureNext({ event }: { event: IssueEvent }) {
  const arming = useArming(event);
  if (!arming) return null;
  return (
    <>
      {!(arming.probe && waits(arming.probe)) && (
        <div class="pkarm">
          <ArmButton arming={arming} />
        </div>
      )}
      <ArmStrip arming={arming} own={probedOf(event) !== undefined} />
    </>
  );
}

function RaisedSkeleton() {
  return (
    <div class="pkskel hl" aria-busy="true">
      <span class="skel" style={{ width: '55%' }} />
      <span class="skel" style={{ width: '80%' }} />
      <span class="skel" style={{ width: '70%' }} />
      <span class="skel" style={{ width: '62%' }} />
    </div>
  );
}

function InCommon({ issue, rested }: { issue: Issue; rested: boolean }) {
  const query = scoped(commonQuery(issue.id));
  const found = useLoad(`${query}`, `${query} ${rested}`, async (abort) =>
    rested ? commonOf((await runQuery<FacetRow>(query, range.value, 2000, abort)).rows).filter((one) => one.top.share >= 0.9) : undefined,
  ).data.value;
  const best = found?.find((one) => !/^(release|environment|version)$/.test(one.field)) ?? found?.[0];
  return (
    <Fact name="In common">
      {best ? (
        <span class="mono" title={percent(best.top.share)}>
          {best.field} = {String(best.top.value)}
        </span>
      ) : (
        <span class="d3">{found ? 'nothing that nearly all of them have' : '\u00a0'}</span>
      )}
    </Fact>
  );
}

export function useTrace(id: string | undefined) {
  return useLoad<TraceAnswer | undefined>(`${id}`, `${id}`, async (abort) =>
    id ? await getJson<TraceAnswer>(`/api/v1/traces/${encodeURIComponent(id)}`, {}, abort) : undefined,
  );
}

function TraceOf({ event }: { event: IssueEvent }) {
  const answer = useTrace(event.trace).data.value;
  const model = useMemo(() => (answer && answer.trace === event.trace ? buildTrace(answer) : undefined), [answer, event.trace]);
  if (!event.trace || (answer && answer.spans.length === 0)) return null;
  const mini = model && miniRows(model, spanWith(model, event.span, event.service), MINI);
  return (
    <>
      <div class="sec hl">
        <h2>Where the time went</h2>
        <span class="grow" />
        <Link href={href(`/traces/${event.trace}`, { span: event.span })} follow>
          Trace {event.trace.slice(0, 8)}
        </Link>
      </div>
      <div class="pkmini">{model && mini && <MiniTrace model={model} rows={mini.rows} bare />}</div>
    </>
  );
}

function Led({ event }: { event: IssueEvent }) {
  const crumbs = lastCrumbs(event, LED);
  if (crumbs.length === 0) return null;
  return (
    <>
      <div class="sec hl">
        <h2>What led to it</h2>
        <span class="grow">{event.breadcrumbs && event.breadcrumbs.length > LED ? `the last of ${event.breadcrumbs.length}` : ''}</span>
      </div>
      <table class="bc">
        <tbody>
          {crumbs.map((crumb, index) => (
            <tr key={index}>
              <td class="mono d3" title={crumb.time && ago(parseInstant(crumb.time).ms, serverNow())}>
                {crumbTime(crumb, event)}
              </td>
              <td class={`cut ${crumb.tone}`}>{crumbText(crumb)}</td>
              <td class="d3 r cut">{crumb.category}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
