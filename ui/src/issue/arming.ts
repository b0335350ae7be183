// Waiting for an exception from outside: what is known of the event's service and its processes, the probe that waits, and what it captured.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, me } from '../api/client.ts';
import type { IssueEvent } from '../api/event.ts';
import { useLoad } from '../api/load.ts';
import {
  addProbe,
  changeProbe,
  type Instance,
  type LiveService,
  loadHits,
  loadInstances,
  loadProbes,
  loadServices,
  type Probe,
  removeProbe,
} from '../api/probes.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { upsert } from '../live/session.ts';
import { useEvery } from '../parts/every.ts';
import { environmentOf, lineInput, namesOf, probeInput, probeOf, serviceOf, type Target, targetOf, waits } from './capture.ts';

const EVERY_MS = 10_000;
const HITS = 50;

/** What is in the way of a probe. */
export type Obstacle =
  | { why: 'scope' }
  | { why: 'agent' }
  | { why: 'service'; names: string[]; seen: string[] }
  | { why: 'environment'; service: string; wanted: string; found: string[] }
  | { why: 'instances'; service: string; instances: Instance[] };

export interface Arming {
  target: Target;
  service: string | undefined;
  instances: Instance[];
  probe: Probe | undefined;
  hits: SnapshotLine[];
  /** Known once the server has answered. */
  obstacle: Obstacle | undefined;
  /** Somebody wants it, but there is an obstacle, or the server has refused. */
  asked: boolean;
  busy: boolean;
  /** What a probe could be placed in, and whether one waits already, is known, or cannot be. */
  ready: boolean;
  error: ApiError | undefined;
  arm: () => void;
  stop: () => void;
  /** Where the runtime does not tell of exceptions: whenever the line is reached. */
  atLine: () => void;
}

interface Known {
  services: readonly LiveService[];
  agents: number;
  instances: readonly Instance[];
  service: string | undefined;
}

export function obstacleOf(
  event: IssueEvent,
  { services, agents, instances, service }: Known,
  scopes: readonly string[],
): Obstacle | undefined {
  if (!scopes.includes('probe')) return { why: 'scope' };
  if (agents === 0) return { why: 'agent' };
  if (!service) return { why: 'service', names: namesOf(event), seen: services.map((one) => one.service) };
  const { none } = environmentOf(event, instances);
  if (none) return { why: 'environment', service, wanted: event.environment ?? '', found: none };
  if (!instances.some((one) => one.connected && one.attachable !== false)) return { why: 'instances', service, instances: [...instances] };
  return undefined;
}

/** `came`: something was captured in the event's trace since it was read. */
export function useArming(event: IssueEvent, came?: () => void): Arming | undefined {
  const target = targetOf(event);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const turn = useEvery(EVERY_MS);
  const [waiting, setWaiting] = useState(false);
  // Asked again only while it matters: when somebody has asked for a probe, or one waits.
  const again = asked || waiting ? turn : 0;
  const services = useLoad('services', `services ${again}`, (abort) => (target ? loadServices(abort) : Promise.resolve(undefined)));
  const known = services.data.value;
  const service = known && serviceOf(event, known.services);
  const instances = useLoad(`instances ${service}`, `instances ${service} ${again}`, (abort) =>
    service ? loadInstances(service, abort) : Promise.resolve(undefined),
  );
  const probes = useLoad('probes', `probes ${target ? 1 : 0} ${again}`, (abort) =>
    target ? loadProbes(undefined, abort) : Promise.resolve([]),
  );
  const list = probes.data.value ?? [];
  const probe = target && namesOf(event).flatMap((name) => probeOf(list, target, name) ?? [])[0];
  const alive = probe !== undefined && waits(probe);
  useEffect(() => setWaiting(alive), [alive]);
  const hits = useLoad(`hits ${probe?.id}`, `hits ${probe?.id} ${probe?.captures}`, (abort) =>
    probe && probe.captures > 0 ? loadHits(probe, HITS, abort) : Promise.resolve([]),
  );
  useEffect(() => {
    if (!alive) return;
    const source = new EventSource(`/api/v1/live/stream?service=${encodeURIComponent(probe.service)}`);
    source.addEventListener('probe', (message) => {
      probes.data.value = upsert(probes.data.value ?? [], JSON.parse((message as MessageEvent<string>).data) as Probe, true);
    });
    source.addEventListener('probe_removed', (message) => {
      const { id } = JSON.parse((message as MessageEvent<string>).data) as { id: string };
      probes.data.value = (probes.data.value ?? []).filter((one) => one.id !== id);
    });
    return () => source.close();
  }, [alive, probe?.service]);
  // The event was read before it: its answer does not know of it yet.
  const newer =
    event.trace && hits.data.value?.find(({ id, trace }) => trace === event.trace && !event.snapshots?.some((one) => one.id === id));
  const newerId = newer ? newer.id : undefined;
  useEffect(() => {
    if (newerId) came?.();
  }, [newerId]);
  if (!target) return undefined;
  const scopes = me.value?.scopes ?? [];
  const found = instances.data.value;
  const ready =
    (known !== undefined && (!service || found !== undefined) && probes.data.value !== undefined) ||
    [services, instances, probes].some((load) => load.error.value !== undefined);
  const obstacle = known && (!service || found) ? obstacleOf(event, { ...known, service, instances: found ?? [] }, scopes) : undefined;
  const run = async (deed: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await deed();
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, { message: String(cause) }));
    }
    setBusy(false);
  };
  const arm = () => {
    setAsked(true);
    if (obstacle || !service || !found || busy) return;
    void run(async () => {
      const { environment } = environmentOf(event, found);
      const made = await addProbe(probeInput(target, service, environment, event.project));
      if (made) probes.data.value = upsert(probes.data.value ?? [], made, false);
      setAsked(false);
    });
  };
  const atLine = () => {
    if (!probe) return;
    void run(async () => {
      const changed = await changeProbe(probe.id, lineInput(target));
      if (changed) probes.data.value = upsert(probes.data.value ?? [], changed, false);
    });
  };
  /** What it captured stays: a probe that has some ends as one that has all its hits. */
  const stop = () => {
    if (!probe) return;
    setAsked(false);
    void run(async () => {
      const ended = probe.hits_used > 0 ? await changeProbe(probe.id, { hits: probe.hits_used }) : await removeProbe(probe.id);
      const others = (probes.data.value ?? []).filter((one) => one.id !== probe.id);
      probes.data.value = ended ? [ended, ...others] : others;
    });
  };
  return {
    target,
    service: service ?? probe?.service,
    instances: found ?? [],
    probe,
    hits: hits.data.value ?? [],
    obstacle,
    asked: asked && obstacle !== undefined,
    busy,
    ready,
    error,
    arm,
    stop,
    atLine,
  };
}
