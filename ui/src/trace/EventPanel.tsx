// An error event, as its SDK saw it: the exception, the stack with one's own frames first to be seen, tags, who and which release.
import { Logs as LogsIcon, OctagonAlert, Search } from 'lucide';
import { useState } from 'preact/hooks';
import type { Attributes as Bag } from '../api/types.ts';
import { duration, plural } from '../format/number.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Attributes } from '../parts/Attributes.tsx';
import { ErrorDisc, Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term } from '../query/write.ts';
import { href } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import type { EventNode, SpanNode } from './model.ts';
import { type Common, Fact, Header, Process, rangeParams } from './PanelParts.tsx';
import { type Frame, framesOf, stackRuns, stackText } from './stack.ts';

export function EventPanel({ event, model, close, open }: Common & { event: EventNode; open: (span: SpanNode) => void }) {
  const { row, parent } = event;
  return (
    <>
      <div class="ph">
        <Header close={close}>
          <span class="grow cut" title={event.title}>
            <span class={`svc h${hueOf(event.service)} m`}>{event.service}</span>&ensp;<b>{row.type ?? 'Message'}</b>
          </span>
          {event.error && <ErrorDisc />}
        </Header>
        <dl class="st4">
          <Fact name="Into the trace" title={absolute(parseInstant(row.time).ms)}>
            {duration(event.start)}
          </Fact>
          <Fact name="Time">{clock(parseInstant(row.time).ms)}</Fact>
          <Fact name="In span">
            {parent?.type === 'span' ? (
              <button type="button" class="link cut inspan" onClick={() => open(parent)}>
                {parent.name}
              </button>
            ) : (
              <span class="why">not received</span>
            )}
          </Fact>
        </dl>
        <div class="row pacts">
          <Link class="btn s" follow href={`/events/${row.event_id}`}>
            <Icon icon={OctagonAlert} size={14} />
            Open the issue
          </Link>
          {row.type && (
            <Link
              class="btn s"
              follow
              href={href('/traces', { q: `spans trace in {events ${term('type', row.type)}}`, ...rangeParams(model) })}
            >
              <Icon icon={Search} size={14} />
              Traces with {row.type}
            </Link>
          )}
          <Link class="btn s" follow href={href('/logs', { q: `logs ${term('service', event.service)}`, ...rangeParams(model) })}>
            <Icon icon={LogsIcon} size={14} />
            Logs of {event.service}
          </Link>
        </div>
      </div>
      <div class="scroll grow pbody hl" tabIndex={0} role="region" aria-label="Error">
        <Story event={event} />
        <Context event={event} />
        <Process row={row} />
      </div>
    </>
  );
}

/** Those of one span, in its panel. */
export function EventFacts({ events, select }: { events: EventNode[]; select: (event: EventNode) => void }) {
  return (
    <>
      {events.map((event) => (
        <section class="event" key={event.row.event_id}>
          <Story event={event} />
          <div class="sec hl">
            <span class="grow">{duration(event.start)} into the trace</span>
            <Link follow href={`/events/${event.row.event_id}`}>
              Open the issue
            </Link>
            <button type="button" class="link" onClick={() => select(event)}>
              All details
            </button>
          </div>
        </section>
      ))}
    </>
  );
}

/** What happened, and where in the code. */
function Story({ event }: { event: EventNode }) {
  const { row } = event;
  const frames = framesOf(row);
  return (
    <>
      <div class="exc hl">
        <div class="row excline">
          <b class={event.error ? 'err grow' : 'grow'}>{row.type ?? `${row.level ?? ''} message`.trim()}</b>
          {row.handled !== undefined && (
            <span
              class={row.handled ? 'pill' : 'pill w'}
              title={row.handled ? 'The program caught it and went on' : 'Nothing in the program caught it'}
            >
              {row.handled ? 'handled' : 'not handled'}
            </span>
          )}
        </div>
        <p class="code wrap">{row.message ?? event.title}</p>
      </div>
      {frames.length > 0 && (
        <>
          <div class="sec">
            <h2>Stack</h2>
            <span class="grow">{plural(frames.length, 'frame')}, innermost first</span>
            <CopyButton text={stackText(event.title, frames)} label="Copy" />
          </div>
          <Stack frames={frames} />
        </>
      )}
    </>
  );
}

function Stack({ frames }: { frames: Frame[] }) {
  return (
    <ol class="stack">
      {stackRuns(frames).map((run, index) =>
        run.folded ? (
          <LibraryFrames key={index} frames={run.frames} />
        ) : (
          run.frames.map((frame, inner) => <FrameLine key={`${index} ${inner}`} frame={frame} />)
        ),
      )}
    </ol>
  );
}

function LibraryFrames({ frames }: { frames: Frame[] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <li class="fold">
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide' : 'Show'} {plural(frames.length, 'frame')} of libraries
        </button>
      </li>
      {open && frames.map((frame, index) => <FrameLine key={index} frame={frame} />)}
    </>
  );
}

function FrameLine({ frame }: { frame: Frame }) {
  return (
    <li class={frame.own ? 'own' : ''}>
      <span class="mono fn">{frame.name}</span>
      {frame.place && <span class="mono at d3">{frame.place}</span>}
    </li>
  );
}

function Context({ event }: { event: EventNode }) {
  const { row } = event;
  const about: Bag = {
    ...(row.user && { user: row.user }),
    ...(row.release && { release: row.release }),
    ...(row.environment && { environment: row.environment }),
    ...(row.culprit && { culprit: row.culprit }),
    ...(row.level && { level: row.level }),
    event: row.event_id,
  };
  const tags = row.attr ?? {};
  return (
    <>
      <div class="sec hl">
        <h2>Who and where</h2>
        <span class="grow" />
        <CopyButton text={JSON.stringify(row, null, 2)} label="Copy JSON" />
      </div>
      <Attributes bag={about} />
      <div class="sec hl">
        <h2>Tags and context</h2>
        <span class="grow">{Object.keys(tags).length}</span>
      </div>
      {Object.keys(tags).length > 0 ? <Attributes bag={tags} /> : <p class="nothing why">The SDK sent none.</p>}
    </>
  );
}
