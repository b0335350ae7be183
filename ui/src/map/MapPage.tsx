// Service map: who calls whom, how often, how well.
import '../styles/map.css';
import { Search, Table, Waypoints } from 'lucide';
import { useEffect, useMemo } from 'preact/hooks';
import { ApiError, getJson, runQuery, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { ServiceMap } from '../api/overview.ts';
import { rateUnit } from '../format/rate.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNarrow } from '../parts/narrow.ts';
import { Failure, StaleNote, useLate } from '../parts/States.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { param, setParams } from '../state/route.ts';
import { scope, scoped, scopeParams } from '../state/scope.ts';
import { NoTraces } from '../traces/NoTraces.tsx';
import { EdgePanel, NodePanel } from './Panel.tsx';
import { type Choice, Picture } from './Picture.tsx';
import { Tables } from './Tables.tsx';
import { callQuery, type MapWords, mapWords, NESTS_QUERY, nests, operationsQuery } from './words.ts';

function chosenFromUrl(): Choice {
  const node = param('node');
  const from = param('caller');
  const to = param('callee');
  if (node) return { node };
  return from && to ? { from, to } : undefined;
}

function choose(choice: Choice): void {
  setParams({
    node: choice && 'node' in choice ? choice.node : undefined,
    caller: choice && 'from' in choice ? choice.from : undefined,
    callee: choice && 'from' in choice ? choice.to : undefined,
  });
}

const CALLS =
  'spans kind=(client, producer) | stats count() as calls, count() if (status=error) as errors, p95(duration) as p95 by service, server.address, db.system.name, messaging.system';

/** Asked once: a server that cannot nest answers so at once, without reading anything. */
function useNesting(): void {
  useEffect(() => {
    const now = serverNow();
    runQuery(NESTS_QUERY, { from: now - 1000, to: now }, 1).then(
      () => (nests.value = true),
      (error) => (nests.value = !(error instanceof ApiError && error.code === 'not_yet')),
    );
  }, []);
}

export function MapPage() {
  useNesting();
  usePage({ here: 'Map', title: 'Service map', tab: 'map', ranged: true, watch: 'spans root=true', pace: 8000 });
  const narrow = useNarrow();
  const loaded = useLoad(
    rangeSubject.value,
    rangeKey.value,
    (abort) => getJson<ServiceMap>('/api/v1/map', { from: range.value.from, to: range.value.to, ...scopeParams() }, abort),
    true,
  );
  const map = loaded.data.value;
  const chosen = chosenFromUrl();
  const node = chosen && 'node' in chosen ? map?.nodes.find((entry) => entry.service === chosen.node) : undefined;
  const edge = chosen && 'from' in chosen ? map?.edges.find((entry) => entry.from === chosen.from && entry.to === chosen.to) : undefined;
  const calleeSends = map?.nodes.find((entry) => entry.service === edge?.to)?.kind === 'service';
  useAsks([
    { what: 'Calls, as the callers see them; the server keeps the map up to date', query: scoped(CALLS) },
    ...(node?.kind === 'service' ? [{ what: `Operations of ${node.service}`, query: scoped(operationsQuery(node.service)) }] : []),
    ...(edge ? [{ what: `Calls of ${edge.from} to ${edge.to}`, query: scoped(callQuery(edge, calleeSends)) }] : []),
  ]);
  const table = param('view') === 'table' || narrow;
  const find = param('find') ?? '';
  useKeys('Map', [
    { keys: ['t'], does: 'as tables', run: () => setParams({ view: table ? undefined : 'table' }, { replace: true }) },
    { keys: ['Escape'], does: 'close the panel', run: () => choose(undefined) },
  ]);
  const unit = useMemo(() => rateUnit(Math.max(0, ...(map?.nodes ?? []).map((entry) => entry.rate ?? 0))), [map]);
  const late = useLate(!map && loaded.busy.value);
  const error = loaded.error.value;
  const words = map && map.nodes.length > 0 ? mapWords(map) : undefined;
  const shared = map && { map, unit, choose };
  return (
    <>
      <div class="bar maphead">
        <Title words={words} more={map?.more === true} />
        <Find value={find} />
        <span class="seg wide" role="group" aria-label="Shown as">
          <button type="button" aria-pressed={!table} title="As a picture (t)" onClick={() => setParams({ view: undefined })}>
            <Icon icon={Waypoints} size={14} />
            Picture
          </button>
          <button type="button" aria-pressed={table} title="As tables (t)" onClick={() => setParams({ view: 'table' })}>
            <Icon icon={Table} size={14} />
            Tables
          </button>
        </span>
      </div>
      {error && map && <StaleNote error={error} retry={refresh} />}
      {error && !map ? (
        <Failure error={error} retry={refresh} />
      ) : map && map.nodes.length === 0 && !loaded.stale.value ? (
        <NoCalls />
      ) : (
        <div class={`cols ${node || edge ? 'with-panel' : ''}`}>
          <section class="left" aria-label="Service map">
            {shared &&
              (table ? (
                <Tables {...shared} find={find} stale={loaded.stale.value} />
              ) : (
                <Picture {...shared} chosen={node || edge ? chosen : undefined} find={find} stale={loaded.stale.value} />
              ))}
            {!map && late && <MapSkeleton />}
          </section>
          {shared && (node || edge) && (
            <aside class="panel vl" aria-label={node ? node.service : `${edge?.from} to ${edge?.to}`}>
              {node && <NodePanel key={node.service} {...shared} node={node} />}
              {edge && <EdgePanel {...shared} edge={edge} />}
            </aside>
          )}
        </div>
      )}
      <Foot
        keys={[
          ['ArrowLeft ArrowRight', 'service'],
          ['Enter', 'its numbers'],
          ['+ -', 'zoom'],
          ['z', 'show all'],
          ['t', table ? 'as a picture' : 'as tables'],
        ]}
      >
        <span class="cost">wider is more calls, red from one failure in a hundred</span>
      </Foot>
    </>
  );
}

function Title({ words, more }: { words: MapWords | undefined; more: boolean }) {
  if (!words) return <h1 class="grow">Service map</h1>;
  const { edge } = words;
  return (
    <h1 class="row grow">
      <span class={`dot ${words.mood}`} />
      {edge ? (
        <button type="button" class="plain cut" onClick={() => choose({ from: edge.from, to: edge.to })}>
          {words.text}
        </button>
      ) : (
        <span class="cut">{words.text}</span>
      )}
      {more && <span class="sm d3 nw">there are more than these; choose a project or environment</span>}
    </h1>
  );
}

function Find({ value }: { value: string }) {
  return (
    <label class="find mapfind">
      <Icon icon={Search} size={14} />
      <input
        data-slash
        aria-label="Find a service"
        placeholder="Find a service"
        value={value}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setParams({ find: event.currentTarget.value || undefined }, { replace: true })}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (value) setParams({ find: undefined }, { replace: true });
          else event.currentTarget.blur();
        }}
      />
      <kbd class="kbd wide">/</kbd>
    </label>
  );
}

function MapSkeleton() {
  return (
    <div class="mapbox skelmap" aria-hidden="true">
      {[0, 1, 2].map((n) => (
        <span class="skel" key={n} />
      ))}
    </div>
  );
}

function NoCalls() {
  const { project, environment } = scope.value;
  if (!project && !environment) return <NoTraces />;
  return (
    <div class="say">
      <h2>{[project, environment].filter(Boolean).join(', ')} sent no spans in this range</h2>
      <p>The map is drawn from spans: from a client span of one service to a server span of another.</p>
      <button type="button" class="btn" onClick={() => setParams({ project: undefined, env: undefined })}>
        Look at all projects and environments
      </button>
    </div>
  );
}
