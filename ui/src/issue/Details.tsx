// Everything else that came with the event: tags, request, user, contexts, extra, files, feedback, and the JSON as it is stored.
import { useState } from 'preact/hooks';
import { type ApiError, getJson, serverNow } from '../api/client.ts';
import { type Bag, type IssueEvent, rawEventUrl } from '../api/event.ts';
import { useLoad } from '../api/load.ts';
import { bytes, count, plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term } from '../query/write.ts';
import { withParams } from '../state/route.ts';
import { filesBeside, fileWords } from '../trace/files.ts';
import type { TraceModel } from '../trace/model.ts';
import { Values } from './Values.tsx';

export function Details({ event, trace }: { event: IssueEvent; trace: TraceModel | undefined }) {
  const { trace: _, ...contexts } = (event.contexts ?? {}) as { [name: string]: Bag };
  const about: Bag = {};
  const facts: [string, string | undefined][] = [
    ['event', event.event_id],
    ['level', event.level],
    ['release', event.release],
    ['dist', event.dist],
    ['environment', event.environment],
    ['transaction', event.transaction],
    ['server', event.server_name],
    ['logger', event.logger],
    ['mechanism', event.mechanism],
    ['platform', event.platform],
    ['sdk', event.sdk?.name && `${event.sdk.name} ${event.sdk.version ?? ''}`],
    ['received', event.received],
  ];
  for (const [name, value] of facts) if (value) about[name] = value;
  // What is removed of every project's events has no rule to be named.
  const removed: Bag = {};
  for (const { path, rule } of event.scrubbed ?? []) removed[path] = rule ?? 'as a secret, always';
  return (
    <>
      <Tags event={event} />
      <Feedback event={event} />
      <Files event={event} trace={trace} />
      <div class="bags hl">
        <Table name="User" bag={event.user} event={event} under="user" none="the SDK names no user" />
        <Table name="Request" bag={event.request} event={event} under="request" />
        {Object.entries(contexts).map(([name, bag]) =>
          typeof bag === 'object' && bag !== null ? (
            <Table key={name} name={NAMES[name] ?? name} bag={bag} event={event} under={`contexts.${name}`} />
          ) : null,
        )}
        <Table name="Extra" bag={event.extra} event={event} under="extra" />
        <Table name="This event" bag={about} event={event} under="" />
        <Table name="Removed before it was stored" bag={removed} event={event} under="" folded />
        <Table name="Modules" bag={event.modules} event={event} under="modules" folded />
      </div>
      <Raw event={event} />
    </>
  );
}

const NAMES: Record<string, string> = {
  runtime: 'Runtime',
  browser: 'Browser',
  os: 'Operating system',
  client_os: 'Operating system of the client',
  device: 'Device',
  app: 'App',
  gpu: 'GPU',
  culture: 'Culture',
  response: 'Response',
  cloud_resource: 'Cloud',
};

function Tags({ event }: { event: IssueEvent }) {
  const tags = event.tags ?? [];
  return (
    <section class="hl tags" aria-label="Tags">
      <div class="sec">
        <h2>Tags</h2>
        <span class="grow cut">{tags.length > 0 ? 'each finds the events that have it' : ''}</span>
      </div>
      <p class="chips">
        {tags.map(({ key, value }) => (
          <Link
            class="chip"
            key={key}
            href={withParams({ view: 'events', event: undefined, eq: `events ${term(key, value)}` })}
            title={`Events with ${key} = ${value}`}
          >
            {key} <b class="cut">{value}</b>
          </Link>
        ))}
        {tags.length === 0 && <span class="why">it has none</span>}
      </p>
    </section>
  );
}

function Table({
  name,
  bag,
  event,
  under,
  none,
  folded,
}: {
  name: string;
  bag: Bag | undefined;
  event: IssueEvent;
  under: string;
  none?: string;
  folded?: boolean;
}) {
  const [open, setOpen] = useState(!folded);
  const entries = Object.entries(bag ?? {}).filter(([key, value]) => value !== null && key !== 'type');
  if (entries.length === 0 && !none) return null;
  return (
    <section class="bag" aria-label={name}>
      <div class="sec">
        <h2>{name}</h2>
        <span class="grow">{folded && entries.length}</span>
        {folded && (
          <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide' : 'Show'}
          </button>
        )}
      </div>
      {entries.length === 0 ? (
        <p class="why hint">{none}</p>
      ) : (
        open && (
          <Values
            entries={entries.map(([key, value]) => ({ name: key, value: value ?? null }))}
            repr={false}
            plain
            scrubbed={event.scrubbed}
            under={under}
          />
        )
      )}
    </section>
  );
}

function Feedback({ event }: { event: IssueEvent }) {
  const list = event.feedback ?? [];
  if (list.length === 0) return null;
  return (
    <section class="hl" aria-label="Feedback">
      <div class="sec">
        <h2>What users say</h2>
        <span class="grow">{list.length}</span>
      </div>
      {list.map((one, index) => (
        <blockquote class="fb" key={index}>
          <p>{one.comments}</p>
          <footer class="sm d3" title={one.time && absolute(parseInstant(one.time).ms)}>
            {[one.name, one.email, one.time && ago(parseInstant(one.time).ms, serverNow())].filter(Boolean).join(', ')}
          </footer>
        </blockquote>
      ))}
    </section>
  );
}

function Files({ event, trace }: { event: IssueEvent; trace: TraceModel | undefined }) {
  const files = event.attachments ?? [];
  const beside = filesBeside(trace?.files ?? [], files);
  if (files.length + beside.length === 0) return null;
  const said = [files.length > 0 && plural(files.length, 'attachment'), beside.length > 0 && `${count(beside.length)} of its trace`];
  return (
    <section class="hl" id="attachments" aria-label="Files">
      <div class="sec">
        <h2>Files</h2>
        <span class="grow">{said.filter(Boolean).join(', ')}, saved, never opened here</span>
      </div>
      <table class="us">
        <tbody>
          {files.map((file) => (
            <tr key={file.id}>
              <td class="cut">
                <a href={file.url ?? `/api/v1/artifacts/${encodeURIComponent(file.id)}`} download={file.name ?? ''}>
                  {file.name ?? file.id}
                </a>
              </td>
              <td class="d3">{file.type}</td>
              <td class="r">{file.size === undefined ? '' : bytes(file.size)}</td>
            </tr>
          ))}
          {beside.map((file) => (
            <tr key={file.id}>
              <td class="cut">
                <a href={file.url} download={file.name ?? ''}>
                  {fileWords(file)}
                </a>
              </td>
              <td class="d3">of the trace</td>
              <td class="r">{bytes(file.size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Raw({ event }: { event: IssueEvent }) {
  const [open, setOpen] = useState(false);
  const loaded = useLoad<unknown>(event.event_id, `${event.event_id} ${open}`, async (abort) =>
    open ? await getJson<unknown>(rawEventUrl(event.event_id), {}, abort) : undefined,
  );
  const error: ApiError | undefined = loaded.error.value;
  const text = loaded.data.value === undefined ? '' : JSON.stringify(loaded.data.value, null, 2);
  return (
    <section class="hl rawjson" aria-label="JSON">
      <div class="sec">
        <h2>JSON</h2>
        <span class="grow cut">the event as it is stored, after scrubbing</span>
        {text && <CopyButton text={text} label="Copy" />}
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide' : 'Show'}
        </button>
      </div>
      {open && error && (
        <p class="hint sm">
          <span class="err">{error.message}</span> {error.hint}
        </p>
      )}
      {open && text && (
        <pre class="code raw scroll" tabIndex={0}>
          {text}
        </pre>
      )}
    </section>
  );
}
