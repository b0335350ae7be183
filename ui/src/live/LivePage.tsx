// Live: services, their processes and source; probes in its gutter, and what they capture as it happens.
import '../styles/live.css';
import { Ban, ChevronDown, Share } from 'lucide';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { type Instance, type LiveService, loadHits, loadSource, type Probe, removeProbes, type SourceFile } from '../api/probes.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNarrow } from '../parts/narrow.ts';
import { Popover } from '../parts/Popover.tsx';
import { Failure, SkeletonRows, StaleNote, useLate } from '../parts/States.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { param, setParams } from '../state/route.ts';
import { scope } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import { may } from '../state/session.ts';
import { Counted } from './Counted.tsx';
import { Editor } from './Editor.tsx';
import { NoAgent, NoService, NotAttachable, Services } from './Empty.tsx';
import { FromRepository } from './FromRepository.tsx';
import { functionAt, isCounting, lineIn, probesByLine, probesIn, sameFile } from './files.ts';
import { Hits } from './Hits.tsx';
import { Diamond } from './Marks.tsx';
import { type Shown, useRepository, useRepositoryFile } from './repository.ts';
import { Instances, OtherServices, Probes, Tree } from './Side.tsx';
import { SnapshotPanel } from './SnapshotPanel.tsx';
import { linesOf, SourceView } from './SourceView.tsx';
import { useSame } from './same.ts';
import { lineSeen } from './seen.ts';
import { captured, drop, listening, put, refusal, run, type Session, useSession, viewers } from './session.ts';
import { fileName, isAlive, metricQueryOf, nameOf, placeOf, runtimeWords, sameWords, serviceWords, shortPath } from './words.ts';

const HITS = 100;

export function LivePage() {
  const wanted = param('service');
  const session = useSession(wanted);
  const { services } = session;
  const all = services.data.value;
  const service = all?.services.find((one) => one.service === wanted);
  usePage({ here: wanted ?? 'Live', title: wanted ? `Live, ${wanted}` : 'Live', tab: 'live', ranged: false });
  const choose = (name: string) =>
    setParams({
      service: name,
      file: undefined,
      line: undefined,
      seen: undefined,
      edit: undefined,
      probe: undefined,
      snapshot: undefined,
      process: undefined,
      source: undefined,
      pane: undefined,
    });
  const error = services.error.value;
  const late = useLate(!all && services.busy.value);
  if (error && !all) return <Failure error={error} retry={services.retry} />;
  if (!all)
    return (
      <>
        <h1 class="only-read">Live</h1>
        <div class="bar lhd" />
        {late && <SkeletonRows rows={6} height="40px" widths={['160px', '100px', '180px', '80px']} />}
      </>
    );
  const away = session.probes.data.value?.some((probe) => probe.service === wanted);
  if (!wanted || (!service && !away)) {
    return (
      <>
        <div class="bar lhd">
          <h1 class="m cut">
            {all.services.length > 0
              ? wanted
                ? `${wanted} has no process under an agent now; these have`
                : `${plural(all.services.length, 'service')} to look into, on ${plural(all.agents, 'host')}`
              : 'Live'}
          </h1>
          <span class="grow" />
          <KillSwitch session={session} service={undefined} />
        </div>
        {all.services.length > 0 ? (
          <Services services={all.services} choose={choose} />
        ) : all.agents > 0 ? (
          <NoService agents={all.agents} />
        ) : (
          <NoAgent />
        )}
      </>
    );
  }
  return <Service key={wanted} name={wanted} service={service} session={session} choose={choose} stale={error !== undefined} />;
}

interface ServiceProps {
  name: string;
  service: LiveService | undefined;
  session: Session;
  choose: (service: string) => void;
  stale: boolean;
}

const PANES = ['where', 'source', 'hits', 'snapshot'] as const;
type Pane = (typeof PANES)[number];
const PANE_WORDS: Record<Pane, string> = { where: 'Where', source: 'Source', hits: 'Hits', snapshot: 'Snapshot' };

function Service({ name, service, session, choose, stale }: ServiceProps) {
  const narrow = useNarrow();
  const [gone, setGone] = useState<Probe | undefined>();
  /** The line, in its file, where one more probe is written beside those that stand there. */
  const [another, setAnother] = useState<string | undefined>();
  const instances = session.instances.data.value ?? [];
  const probes = session.probes.data.value ?? [];
  const file = param('file');
  const line = Number(param('line')) || undefined;
  const editing = param('edit') === '1';
  const process = instances.find((one) => one.id === param('process'))?.id;
  const probe = probes.find((one) => one.id === param('probe'));
  const snapshot = param('snapshot');
  const other = param('with');
  const mayPlace = may('probe');
  const able = instances.some((one) => one.connected && one.attachable !== false);

  const repository = useRepository(name, session.instances.data.value, process, probe);
  const byChoice = param('source') === 'repository' && repository !== null;
  const key = file && !byChoice ? `source ${name} ${process} ${file}` : '';
  const source = useLoad(key, key, (abort) => (file && key ? loadSource(name, process, file, abort) : Promise.resolve(undefined)));
  const instead = byChoice || source.error.value !== undefined || (!able && session.instances.data.value !== undefined);
  const kept = useRepositoryFile(repository, instead ? file : undefined);
  const text: Shown | undefined = (instead ? kept.data.value : undefined) ?? (source.error.value ? undefined : source.data.value);
  const failed = byChoice ? kept : source;
  const same = useSame(name, text, instances);
  const lines = useMemo(() => linesOf(text?.text ?? ''), [text]);
  const came = useCame(text, lines, line);

  const hitsKey = probe ? `hits ${probe.id}` : '';
  const turn = captured.value?.hit.probe === probe?.id ? captured.value?.n : 0;
  const hits = useLoad(hitsKey, `${hitsKey} ${turn} ${probe?.captures}`, (abort) =>
    probe ? loadHits(probe, HITS, abort) : Promise.resolve([]),
  );
  const list = hits.data.value;
  const shown = list?.find((hit) => hit.id === snapshot);
  useAsks(
    probe
      ? [
          {
            what: isCounting(probe) ? 'What the probe has counted' : 'What the probe has captured',
            query: isCounting(probe) ? metricQueryOf(probe) : `snapshots probe='${probe.id}'`,
            range: { from: Date.parse(probe.created) - 600_000, to: Date.parse(probe.expires) },
          },
        ]
      : [],
  );

  const marks = useMemo(
    () => (text ? probesByLine(probes, text.path, text.functions, text.process) : new Map<number, Probe[]>()),
    [probes, text],
  );
  // Where several stand in a line: the chosen one, else the first.
  const probeAt = (at: number) => {
    const here = marks.get(at) ?? [];
    return here.find((one) => one.id === probe?.id && isAlive(one)) ?? here[0];
  };
  const open = (path: string, at?: number) =>
    setParams({
      file: path,
      line: at ? String(at) : undefined,
      seen: undefined,
      edit: undefined,
      pane: 'source',
      ...(probe && !sameFile(probe.where.file ?? '', path) && { probe: undefined, snapshot: undefined, with: undefined }),
    });
  const goLine = (at: number) => setParams({ line: String(at), seen: undefined, edit: undefined }, { replace: true });
  const press = (at: number) => {
    const there = probeAt(at);
    refusal.value = undefined;
    setAnother(undefined);
    if (editing && line === at) return setParams({ edit: undefined });
    setParams({
      line: String(at),
      seen: undefined,
      edit: '1',
      pane: 'source',
      ...(there ? { probe: there.id, ...(there.id !== probe?.id && { snapshot: undefined, with: undefined }) } : {}),
    });
  };
  const chooseProbe = (one: Probe) =>
    setParams({
      service: one.service,
      ...(one.where.file && { file: fileOf(one, file) }),
      line: lineText(one, text?.functions),
      seen: undefined,
      probe: one.id,
      edit: undefined,
      ...(one.id !== probe?.id && { snapshot: undefined, with: undefined }),
      pane: narrow ? 'hits' : undefined,
    });
  const chooseHit = (hit: SnapshotLine) =>
    setParams({ snapshot: hit.id, ...(hit.id === other && { with: undefined }), pane: narrow ? 'snapshot' : undefined }, { replace: true });
  const move = (step: number) => {
    if (!list?.length) return;
    const at = list.findIndex((hit) => hit.id === snapshot);
    const hit = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step))];
    if (hit) chooseHit(hit);
  };
  const lineMove = (step: number) => text && goLine(Math.min(lines.length, Math.max(1, (line ?? 0) + step)));
  const addCondition = (expression: string) => {
    const at = (probe && lineIn(probe, text?.functions ?? [], text?.process)) ?? line;
    if (at === undefined) return;
    const now = probe && isAlive(probe) && probe.if ? `${probe.if} && ` : '';
    setParams({ line: String(at), edit: '1', if: now + expression, pane: 'source' });
  };
  useKeys('Live', [
    { keys: ['ArrowDown'], does: 'next line', run: () => lineMove(1) },
    { keys: ['ArrowUp'], does: 'previous line', run: () => lineMove(-1) },
    { keys: ['b', 'Enter'], does: 'probe here', run: () => line && mayPlace && press(line) },
    { keys: ['j'], does: 'older hit', run: () => move(1) },
    { keys: ['k'], does: 'newer hit', run: () => move(-1) },
    {
      keys: ['n'],
      does: 'next probe',
      run: () =>
        cycle(
          probes.filter((one) => one.service === name),
          probe,
          chooseProbe,
        ),
    },
    {
      keys: ['Escape'],
      does: 'out one level',
      run: () =>
        editing
          ? setParams({ edit: undefined, if: undefined })
          : other
            ? setParams({ with: undefined })
            : snapshot
              ? setParams({ snapshot: undefined })
              : probe
                ? setParams({ probe: undefined })
                : setParams({ line: undefined }),
    },
  ]);
  // A new probe shows its first hit by itself; whoever has chosen one keeps it.
  // Until those of another probe have come, the list is that of the one before.
  const first = list?.[0]?.probe === probe?.id ? list?.[0]?.id : undefined;
  useEffect(() => {
    if (first && probe && !snapshot && !narrow && first.length > 0) setParams({ snapshot: first }, { replace: true });
  }, [first, probe?.id]);
  const placed = (made: Probe) => {
    put(session.probes, made);
    setGone(undefined);
    setAnother(undefined);
    setParams({ probe: made.id, edit: undefined, if: undefined, ...(made.id !== probe?.id && { snapshot: undefined, with: undefined }) });
  };
  const removed = (one: Probe) => {
    drop(session.probes, one.id);
    setGone(one);
    setParams({ probe: undefined, snapshot: undefined, with: undefined, edit: undefined });
  };
  const pane: Pane = PANES.find((one) => one === param('pane')) ?? (snapshot && list ? 'snapshot' : file ? 'source' : 'where');
  const shows = (one: Pane) => !narrow || pane === one;
  const values = useMemo(() => {
    const of = shown ?? list?.[0];
    const at = probe?.where.line;
    const texts = Object.entries(of?.columns ?? {}).slice(0, 3);
    return at !== undefined && texts.length > 0 && file && sameFile(probe?.where.file ?? '', file) ? { line: at, texts } : undefined;
  }, [shown, list, probe?.id, file]);
  const tabs = openFiles(probes, name, file);
  const spot = text && `${text.path} ${line}`;
  const atLine = line !== undefined && another !== spot ? probeAt(line) : undefined;
  // What stands at the line is known first: what has been written is not to be replaced by it.
  const editor = text && line !== undefined && (session.probes.data.value || session.probes.error.value) && (
    <Editor
      key={`${text.path} ${line} ${atLine?.id} ${param('if')}`}
      service={name}
      project={scope.value.project}
      file={text.path}
      line={line}
      lines={lines}
      hash={text.hash}
      process={process}
      instances={instances}
      around={functionAt(text.functions ?? [], line)}
      probe={atLine}
      here={marks.get(line)?.filter(isAlive) ?? []}
      choose={(one) => {
        setAnother(one ? undefined : spot);
        if (one && one.id !== probe?.id) setParams({ probe: one.id, snapshot: undefined, with: undefined });
      }}
      condition={param('if')}
      placed={placed}
      changed={(one) => put(session.probes, one)}
      removed={removed}
      close={() => setParams({ edit: undefined, if: undefined })}
    />
  );
  const refused = refusal.value;
  return (
    <>
      <h1 class="only-read">Live, {name}</h1>
      <Head name={name} service={service} session={session} choose={choose} />
      {stale && session.services.error.value && <StaleNote error={session.services.error.value} retry={refresh} />}
      {gone && (
        <p class="note sm" role="status">
          <b>{placeOf(gone.where)} is removed.</b> What it captured stays.{' '}
          <button type="button" class="link" onClick={() => setGone(undefined)}>
            Close
          </button>
        </p>
      )}
      {refused && !editing && (
        <p class="note sm" role="alert">
          <b>{refused.message}</b> {refused.hint}{' '}
          <button type="button" class="link" onClick={() => (refusal.value = undefined)}>
            Close
          </button>
        </p>
      )}
      {narrow && (
        <div class="bar lpanes">
          <span class="tabs" role="tablist" aria-label="Parts of the page">
            {PANES.map((one) => (
              <button
                type="button"
                role="tab"
                key={one}
                aria-selected={pane === one}
                onClick={() => setParams({ pane: one }, { replace: true })}
              >
                {PANE_WORDS[one]}
                {one === 'hits' && list && list.length > 0 && <span class="c">{list.length}</span>}
              </button>
            ))}
          </span>
        </div>
      )}
      <div class="lcols">
        {shows('where') && (
          <aside class="lft scroll" tabIndex={0} aria-label="Instances, source and probes">
            <Instances
              instances={instances}
              probe={probe}
              chosen={process}
              choose={(id) => setParams({ process: id, edit: undefined, if: undefined })}
              goLine={goLine}
              others={same.others}
            />
            {(able || repository) && (
              <Tree
                service={name}
                process={process}
                file={file}
                probes={probes}
                open={open}
                able={able}
                repository={repository ?? undefined}
                byChoice={byChoice}
              />
            )}
            <Probes probes={session.probes.data.value} service={name} chosen={probe?.id} choose={chooseProbe} />
            <OtherServices services={(session.services.data.value?.services ?? []).filter((one) => one.service !== name)} choose={choose} />
          </aside>
        )}
        {(shows('source') || shows('hits')) && (
          <section class="lmid" aria-label="Source and hits">
            {shows('source') && (
              <>
                {tabs.length > 0 && (
                  <div class="ftabs">
                    {tabs.map((path) => (
                      <button
                        type="button"
                        key={path}
                        class={path === file ? 'on' : ''}
                        aria-current={path === file ? 'true' : undefined}
                        title={path}
                        onClick={() => path !== file && open(path)}
                      >
                        {probesIn(probes, path).some(isAlive) && <Diamond probe={probesIn(probes, path).find(isAlive)} />}
                        {fileName(path)}
                      </button>
                    ))}
                    <span class="grow" />
                    <span class="xs d3 nw cut" title={text?.generated}>
                      {text &&
                        [text.generated && `mapped from ${shortPath(text.generated)}`, !text.repository && sameWords(same.same, same.of)]
                          .filter(Boolean)
                          .join(' · ')}
                    </span>
                  </div>
                )}
                {text?.repository && (
                  <FromRepository
                    place={text.repository}
                    same={same}
                    error={byChoice ? undefined : source.error.value}
                    retry={source.retry}
                  />
                )}
                {came && (
                  <Came came={came} instance={instances.find((one) => one.id === text?.process)} commit={text?.repository?.commit} />
                )}
                {!able && session.instances.data.value && !text?.repository ? (
                  <NotAttachable service={name} instances={instances} />
                ) : !file ? (
                  <Begin service={name} mayPlace={mayPlace} narrow={narrow} />
                ) : failed.error.value && !text ? (
                  <Failure error={failed.error.value} retry={failed.retry} />
                ) : text ? (
                  <SourceView
                    key={`${text.path} ${text.repository?.commit}`}
                    source={text}
                    probes={probes}
                    line={line}
                    editing={editing && editor !== undefined}
                    editor={editor}
                    values={values}
                    press={press}
                    go={goLine}
                    mayPlace={mayPlace}
                  />
                ) : (
                  <SourceSkeleton busy={failed.busy.value} />
                )}
              </>
            )}
            {shows('hits') &&
              (probe && isCounting(probe) ? (
                <Counted key={probe.id} probe={probe} listening={listening.value} />
              ) : probe ? (
                <Hits
                  probe={probe}
                  hits={list}
                  error={hits.error.value}
                  retry={hits.retry}
                  chosen={snapshot}
                  other={other}
                  choose={chooseHit}
                  compare={(hit) =>
                    setParams({ with: hit.id === other ? undefined : hit.id, pane: narrow ? 'snapshot' : undefined }, { replace: true })
                  }
                  listening={listening.value}
                />
              ) : (
                narrow && <p class="say d2">No probe is chosen. Place one in the source, or choose one under Where.</p>
              ))}
          </section>
        )}
        {shows('snapshot') &&
          (snapshot && probe ? (
            <SnapshotPanel
              key={snapshot}
              id={snapshot}
              hits={list ?? []}
              other={other}
              choose={chooseHit}
              use={mayPlace ? addCondition : undefined}
            />
          ) : (
            narrow && <p class="say d2">No hit is chosen yet.</p>
          ))}
      </div>
      <Foot
        keys={[
          ['↑ ↓', 'line'],
          ['b', 'probe here'],
          ['j k', 'hits'],
          ['n', 'next probe'],
          ['/', 'open a file'],
          ['?', 'all keys'],
        ]}
      >
        <span class="cost">{listening.value ? 'Probes and hits as they happen' : 'Reconnecting; asked again every 10\u202fs'}</span>
      </Foot>
    </>
  );
}

interface CameFrom {
  from: number;
  /** Where the line stands in the text that is shown; undefined: nowhere. */
  to: number | undefined;
  close: () => void;
}

/** From a line that was seen elsewhere, in an event or a log: the number is of that version, the text says where it is in this one. */
function useCame(source: SourceFile | undefined, lines: readonly string[], line: number | undefined): CameFrom | undefined {
  const seen = param('seen');
  const [moved, setMoved] = useState<{ from: number; to: number; path: string }>();
  const to = useMemo(() => (source && seen && line ? lineSeen(lines, seen, line) : undefined), [lines, seen, line]);
  const elsewhere = to !== undefined && to !== line;
  useEffect(() => {
    if (!elsewhere || !source || !line) return;
    setMoved({ from: line, to, path: source.path });
    setParams({ line: String(to), seen: undefined }, { replace: true });
  }, [elsewhere, to, source]);
  if (!source || line === undefined) return undefined;
  if (moved && moved.path === source.path && moved.to === line) return { ...moved, close: () => setMoved(undefined) };
  return seen && to === undefined ? { from: line, to, close: () => setParams({ seen: undefined }, { replace: true }) } : undefined;
}

function Came({
  came: { from, to, close },
  instance,
  commit,
}: {
  came: CameFrom;
  instance: Instance | undefined;
  commit: string | undefined;
}) {
  const has = commit ? 'has' : 'runs';
  const where = commit
    ? 'the repository'
    : `${instance ? nameOf(instance) : 'the process'}${instance?.version ? ` (${instance.version})` : ''}`;
  return (
    <p class="note sm" role="status">
      {to === undefined ? (
        <>
          <b>Other source:</b> the line that you come from, {from} there, is not in the file that {where} {has}. A probe at line {from}{' '}
          would capture something else; look for the place, or choose an instance of that version.
        </>
      ) : (
        <>
          <b>
            Line {from} is line {to} here:
          </b>{' '}
          {where} {has} another version of the file than the one that you come from.
        </>
      )}{' '}
      <button type="button" class="link" onClick={close}>
        Close
      </button>
    </p>
  );
}

const lineText = (probe: Probe, functions: SourceFile['functions']): string | undefined => {
  const at = lineIn(probe, functions ?? []) ?? probe.instances.find((one) => one.line)?.line;
  return at === undefined ? undefined : String(at);
};

const fileOf = (probe: Probe, file: string | undefined): string => {
  const named = probe.instances.find((one) => one.file)?.file;
  const own = probe.where.file ?? named ?? '';
  return file && sameFile(file, own) ? file : own;
};

/** The file that is read, and those with probes. */
function openFiles(probes: readonly Probe[], service: string, file: string | undefined): string[] {
  const list = file ? [file] : [];
  for (const probe of probes)
    if (probe.service === service && isAlive(probe) && probe.where.file && !list.some((one) => sameFile(one, probe.where.file as string)))
      list.push(probe.where.file);
  return list.slice(0, 6).sort();
}

function cycle(probes: readonly Probe[], now: Probe | undefined, choose: (probe: Probe) => void): void {
  const next = probes[(probes.findIndex((one) => one.id === now?.id) + 1) % Math.max(1, probes.length)];
  if (next) choose(next);
}

function Begin({ service, mayPlace, narrow }: { service: string; mayPlace: boolean; narrow: boolean }) {
  return (
    <div class="say">
      <h2>{narrow ? 'Choose a file under Where' : 'Choose a file at the left'}</h2>
      <p>
        It is read from the host, as {service} runs it. A click beside a line places a probe there: what the variables hold when the line is
        reached, without a restart and without running any code of yours.
      </p>
      <p>
        Or type a path, <code>app/pricing.py:87</code>, into the field above the files (<kbd class="kbd">/</kbd>).
      </p>
      {!mayPlace && (
        <p>
          You may look; placing probes needs the scope <code>probe</code>.
        </p>
      )}
    </div>
  );
}

function SourceSkeleton({ busy }: { busy: boolean }) {
  const late = useLate(busy);
  return <div class="lsrc">{late && <SkeletonRows rows={12} height="18px" widths={['26px', '38%']} />}</div>;
}

function Head({ name, service, session, choose }: Omit<ServiceProps, 'stale'>) {
  const others = [...new Map(viewers.value.map((one) => [one.name, one])).values()].filter((one) => one.name !== me.value?.name);
  const [copied, setCopied] = useState(false);
  const share = () =>
    void navigator.clipboard.writeText(window.location.href).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  return (
    <div class="bar lhd">
      <Popover
        class="ctl"
        align="left"
        label={
          <>
            <span class={`svc h${hueOf(name)} cut`}>{name}</span>
            <Icon icon={ChevronDown} size={12} />
          </>
        }
      >
        {(close) =>
          (session.services.data.value?.services ?? []).map((one) => (
            <button
              type="button"
              class="item"
              key={one.service}
              aria-checked={one.service === name}
              role="menuitemradio"
              onClick={() => {
                close();
                choose(one.service);
              }}
            >
              <span class={`svc h${hueOf(one.service)}`}>{one.service}</span>
              <span class="end d3">{plural(one.instances, 'instance')}</span>
            </button>
          ))
        }
      </Popover>
      {service && (
        <>
          <span class="d2 nw cut">{runtimeWords(service.runtimes)}</span>
          <span class="d3 nw cut wide">{serviceWords(service)}</span>
        </>
      )}
      <span class="grow" />
      {others.length > 0 && (
        <span class="row sm d2 nw wide" title={others.map((one) => `${one.name}${one.service ? `, at ${one.service}` : ''}`).join('\n')}>
          <span class="avs">
            {others.slice(0, 3).map((one) => (
              <span class="av" key={one.name} aria-hidden="true">
                {one.name.slice(0, 2)}
              </span>
            ))}
          </span>
          {others.length === 1 ? `${others[0]?.name} is looking too` : `${others.length} others are looking too`}
        </span>
      )}
      <span class="wide">
        <button type="button" class="btn s" title="Copy the address of this view: same file, probe and snapshot" onClick={share}>
          <Icon icon={Share} size={14} />
          {copied ? 'Link copied' : 'Share session'}
        </button>
      </span>
      <KillSwitch session={session} service={name} />
    </div>
  );
}

/** Everything off, now. Asked once. */
function KillSwitch({ session, service }: { session: Session; service: string | undefined }) {
  const probes = (session.probes.data.value ?? []).filter(isAlive);
  const own = probes.filter((one) => one.service === service);
  const [busy, setBusy] = useState(false);
  const remove = async (of: string | undefined, close: () => void) => {
    setBusy(true);
    await run(() => removeProbes(of));
    setBusy(false);
    session.probes.retry();
    close();
  };
  if (probes.length === 0) return null;
  return (
    <Popover
      class="btn s"
      title="Remove all probes"
      label={
        <>
          <Icon icon={Ban} size={14} />
          Remove all
        </>
      }
    >
      {(close) => (
        <div class="kill">
          <p>Probes leave their processes at once, for everybody. What they captured stays.</p>
          {service && own.length > 0 && (
            <button type="button" class="btn s item1" disabled={busy} onClick={() => void remove(service, close)}>
              Remove {plural(own.length, 'probe')} of {service}
            </button>
          )}
          {(own.length < probes.length || !service) && (
            <button type="button" class="btn s item1" disabled={busy} onClick={() => void remove(undefined, close)}>
              Remove all {plural(probes.length, 'probe')}, of every service
            </button>
          )}
        </div>
      )}
    </Popover>
  );
}
