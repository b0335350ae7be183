// At the left: the processes and what has become of the probe in each, the files, the probes, other services.
import { ChartLine, ChevronDown, ChevronRight, FileCode, Folder } from 'lucide';
import { useState } from 'preact/hooks';
import { useLoad } from '../api/load.ts';
import { type Instance, type LiveService, loadFiles, type Probe } from '../api/probes.ts';
import { loadRepositoryFiles } from '../api/source.ts';
import { plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { SkeletonRows, useLate } from '../parts/States.tsx';
import { setParams } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { CountedSpark } from './Counted.tsx';
import { foldersOf, isCounting, probesIn, readPlace, sortedEntries } from './files.ts';
import { colourOf, Diamond, ToneIcon } from './Marks.tsx';
import type { Repository } from './repository.ts';
import { awaySaid, instanceSaid, isAlive, nameOf, numbers, placedWords, placementSaid, placeOf, probeSaid } from './words.ts';

interface InstancesProps {
  instances: readonly Instance[];
  probe: Probe | undefined;
  chosen: string | undefined;
  choose: (process: string | undefined) => void;
  goLine: (line: number) => void;
  /** Those whose text of the file is not the one that is shown. */
  others: readonly string[];
}

export function Instances({ instances, probe, chosen, choose, goLine, others }: InstancesProps) {
  return (
    <section aria-label="Instances">
      <div class="sec">
        <h2>Instances</h2>
        <span class="grow">
          {probe ? placedWords(probe, instances) : instances.length > 0 ? plural(instances.length, 'process', 'processes') : ''}
        </span>
      </div>
      <ul>
        {instances.map((instance) => {
          const placement = probe?.instances.find((one) => one.process === instance.id && one.agent === instance.agent);
          const own = instanceSaid(instance);
          const said = probe && isAlive(probe) && own.tone !== 'bad' ? placementSaid(placement, instance, probe.where.line) : own;
          const on = chosen === instance.id;
          const near = numbers(placement?.data?.nearest);
          return (
            <li key={`${instance.agent} ${instance.id}`}>
              <button
                type="button"
                class={`in ${on ? 'sel' : ''}`}
                aria-pressed={on}
                title={on ? 'Show the source of any instance' : 'Show the source of this instance'}
                onClick={() => choose(on ? undefined : instance.id)}
              >
                <ToneIcon tone={said.tone} />
                <span class="grow cut">
                  <span class="row ihead">
                    <span class="mono cut">{nameOf(instance)}</span>
                    {instance.version && <span class="mono d3 xs nw">{instance.version}</span>}
                  </span>
                  <span class={`xs dt ${said.tone === 'ok' ? 'd3' : colourOf(said.tone)}`} title={said.code}>
                    {said.text}
                    {said === own && own.tone === 'ok' && others.includes(instance.id) && ', other source'}
                  </span>
                </span>
              </button>
              {said.way && (
                <p class="fixit sm">
                  {said.code === 'source_mismatch' ? (
                    <>
                      {said.way}{' '}
                      {!on && (
                        <button type="button" class="link" onClick={() => choose(instance.id)}>
                          Show its source
                        </button>
                      )}
                    </>
                  ) : near.length > 0 ? (
                    <>
                      Nearest with a statement:{' '}
                      {near.map((line) => (
                        <button type="button" class="link" key={line} onClick={() => goLine(line)}>
                          line {line}
                        </button>
                      ))}
                    </>
                  ) : (
                    said.way
                  )}
                </p>
              )}
            </li>
          );
        })}
        {(probe?.away ?? []).map((one) => {
          const said = awaySaid(one);
          return (
            <li key={one.agent}>
              <div class="in">
                <ToneIcon tone={said.tone} />
                <span class="grow">
                  <span class="mono">{one.host}</span>
                  <span class="xs dt d3" title={said.code}>
                    {said.text}
                  </span>
                </span>
              </div>
              {said.way && <p class="fixit sm">{said.way}</p>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface TreeProps {
  service: string;
  process: string | undefined;
  file: string | undefined;
  probes: readonly Probe[];
  open: (file: string, line?: number) => void;
  /** The host can be asked. */
  able: boolean;
  repository: Repository | undefined;
  /** The repository's, though the host can be asked. */
  byChoice: boolean;
}

export function Tree(props: TreeProps) {
  const [text, setText] = useState('');
  const [bad, setBad] = useState(false);
  const { repository } = props;
  const kept = repository !== undefined && (props.byChoice || !props.able);
  return (
    <section aria-label="Files">
      <div class="sec hl">
        <h2>Source</h2>
        <form
          class="grow"
          onSubmit={(event) => {
            event.preventDefault();
            const wanted = readPlace(text);
            setBad(!wanted);
            if (wanted) props.open(wanted.file, wanted.line);
          }}
        >
          <input
            class="text gofile"
            data-slash
            aria-label="Open a file by its path"
            placeholder="path/file.py:87"
            aria-invalid={bad ? 'true' : undefined}
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </form>
      </div>
      {repository && (
        <div class="srcof">
          <span class="seg s" role="group" aria-label="Where the source is read">
            <button
              type="button"
              aria-pressed={!kept}
              disabled={!props.able}
              onClick={() => setParams({ source: undefined, edit: undefined })}
            >
              Host
            </button>
            <button type="button" aria-pressed={kept} onClick={() => setParams({ source: 'repository', edit: undefined })}>
              Repository
            </button>
          </span>
        </div>
      )}
      <div class="ft">
        <Entries
          key={`${props.service} ${props.process} ${kept}`}
          {...props}
          repository={kept ? repository : undefined}
          path=""
          depth={0}
        />
      </div>
    </section>
  );
}

/** repository: theirs, not the host's. */
function Entries(props: TreeProps & { path: string; depth: number }) {
  const { service, process, file, probes, open, path, depth, repository } = props;
  const key = `files ${service} ${process} ${repository?.project} ${repository?.release} ${path}`;
  const load = useLoad(key, key, (abort) =>
    repository
      ? loadRepositoryFiles(repository.project, repository.release, path, abort).then(({ entries }) => entries)
      : loadFiles(service, process, path, abort),
  );
  const late = useLate(!load.data.value && load.busy.value);
  const error = load.error.value;
  const inset = { paddingLeft: `calc(var(--gutter) + ${depth * 14}px)` };
  if (error)
    return (
      <p class="ferr sm" style={inset} role="alert">
        <span class="err">{error.message}</span> {error.hint}{' '}
        <button type="button" class="link" onClick={load.retry}>
          Retry
        </button>
      </p>
    );
  if (!load.data.value)
    return late ? <SkeletonRows rows={depth === 0 ? 6 : 1} height="25px" widths={['14px', `${120 - depth * 10}px`]} /> : null;
  const entries = sortedEntries(load.data.value);
  if (entries.length === 0)
    return (
      <p class="sm d3 ferr" style={inset}>
        no source files here
      </p>
    );
  return (
    <ul>
      {entries.map((entry) =>
        entry.dir ? (
          <FolderRow key={entry.path} {...props} path={entry.path} name={entry.name} files={entry.files} />
        ) : (
          <li key={entry.path}>
            <button
              type="button"
              class={`fe ${entry.path === file ? 'sel' : ''}`}
              style={inset}
              title={entry.path}
              aria-current={entry.path === file ? 'true' : undefined}
              onClick={() => open(entry.path)}
            >
              <span class="tw" />
              <Icon icon={FileCode} size={14} />
              <span class="grow cut">{entry.name}</span>
              <FileMark probes={probesIn(probes, entry.path)} />
            </button>
          </li>
        ),
      )}
    </ul>
  );
}

function FileMark({ probes }: { probes: readonly Probe[] }) {
  const alive = probes.filter(isAlive);
  const first = alive.find((probe) => probe.captures > 0) ?? alive[0];
  return first ? (
    <span class="row" title={plural(alive.length, 'probe')}>
      <Diamond probe={first} />
      <span class="only-read">{plural(alive.length, 'probe')}</span>
    </span>
  ) : null;
}

function FolderRow(props: TreeProps & { path: string; name: string; depth: number; files: number | undefined }) {
  const { path, name, file, depth, files } = props;
  const [open, setOpen] = useState(() => foldersOf(file ?? '').includes(path));
  return (
    <li>
      <button
        type="button"
        class="fe"
        style={{ paddingLeft: `calc(var(--gutter) + ${depth * 14}px)` }}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span class="tw">
          <Icon icon={open ? ChevronDown : ChevronRight} size={12} />
        </span>
        <Icon icon={Folder} size={14} />
        <span class="grow cut">{name}</span>
        {files !== undefined && <span class="xs d3">{plural(files, 'file')}</span>}
      </button>
      {open && <Entries {...props} depth={depth + 1} />}
    </li>
  );
}

interface ProbesProps {
  /** undefined: not known yet. */
  probes: readonly Probe[] | undefined;
  service: string | undefined;
  chosen: string | undefined;
  choose: (probe: Probe) => void;
}

const MOST = 30;
/** Of those that count: whose numbers are drawn in the list, too. */
const DRAWN = 8;

export function Probes({ probes: known, service, chosen, choose }: ProbesProps) {
  const probes = known ?? [];
  const sorted = [...probes].sort((a, b) => Number(isAlive(b)) - Number(isAlive(a)) || Date.parse(b.created) - Date.parse(a.created));
  const alive = probes.filter(isAlive).length;
  return (
    <section aria-label="Probes">
      <div class="sec hl">
        <h2>Probes</h2>
        <span class="grow">
          {!known
            ? ''
            : probes.length === 0
              ? 'none yet'
              : `${alive} placed${alive < probes.length ? `, ${probes.length - alive} ended` : ''}`}
        </span>
      </div>
      <ul class="ft">
        {sorted.slice(0, MOST).map((probe, at) => (
          <li key={probe.id}>
            <button
              type="button"
              class={`fe pb ${probe.id === chosen ? 'sel' : ''}`}
              aria-current={probe.id === chosen ? 'true' : undefined}
              title={`${probe.where.file ?? placeOf(probe.where)} in ${probe.service}${probe.owner ? `, by ${probe.owner}` : ''}`}
              onClick={() => choose(probe)}
            >
              <ProbeRow probe={probe} service={service} drawn={at < DRAWN} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The chart beside the number says it, too. */
const COUNTED = ' counted';

function ProbeRow({ probe, service, drawn }: { probe: Probe; service: string | undefined; drawn: boolean }) {
  return (
    <>
      {isCounting(probe) ? <Icon icon={ChartLine} size={14} /> : <Diamond probe={probe} />}
      <span class={`mono cut ${isAlive(probe) ? '' : 'd3'}`}>{placeOf(probe.where)}</span>
      {probe.service !== service && <span class="xs d3 cut">{probe.service}</span>}
      <span class="grow" />
      {drawn && isCounting(probe) && isAlive(probe) && <CountedSpark probe={probe} />}
      <span class={`xs nw ${probe.state === 'refused' ? 'err' : probe.state === 'suspended' ? 'wrn' : 'd3'}`}>
        {probeSaid(probe).replace(COUNTED, '')}
        {isCounting(probe) && probeSaid(probe).endsWith(COUNTED) && <span class="only-read">{COUNTED}</span>}
      </span>
    </>
  );
}

export function OtherServices({ services, choose }: { services: readonly LiveService[]; choose: (service: string) => void }) {
  if (services.length === 0) return null;
  return (
    <section aria-label="Other services">
      <div class="sec hl">
        <h2>Other services</h2>
      </div>
      <ul class="ft">
        {services.map((one) => (
          <li key={one.service}>
            <button type="button" class="fe" onClick={() => choose(one.service)}>
              <span class={`svc h${hueOf(one.service)} cut`}>{one.service}</span>
              <span class="grow" />
              {one.probes > 0 && <span class="dia h" aria-hidden="true" />}
              <span class="xs d3 nw">{one.attachable === 0 ? 'none attachable' : plural(one.instances, 'instance')}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
