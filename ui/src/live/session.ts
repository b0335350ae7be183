// What the page knows of services, processes and probes, and how it keeps up: asked once, then told by the server as it happens, and
// asked again now and then because a slow page may have missed something.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../api/client.ts';
import { type Loaded, useLoad } from '../api/load.ts';
import { type Instance, type LiveService, loadInstances, loadProbes, loadServices, type Probe } from '../api/probes.ts';
import type { SnapshotLine } from '../api/snapshots.ts';
import { useEvery } from '../parts/every.ts';

const EVERY_MS = 10_000;

/** Is the server's voice heard? */
export const listening = signal(false);
/** The last capture that was told of, and how many there have been. */
export const captured = signal<{ hit: SnapshotLine; n: number } | undefined>(undefined);
/** Others who look at the page now. */
export const viewers = signal<{ name: string; service?: string }[]>([]);
/** What the server said to the last thing that was done. */
export const refusal = signal<ApiError | undefined>(undefined);

export interface Session {
  services: Loaded<{ services: LiveService[]; agents: number }>;
  instances: Loaded<Instance[]>;
  probes: Loaded<Probe[]>;
}

const changes = signal(0);

export function useSession(service: string | undefined): Session {
  const turn = useEvery(EVERY_MS);
  const services = useLoad('services', `services ${turn} ${changes.value}`, loadServices);
  const instances = useLoad(`instances ${service}`, `instances ${service} ${turn} ${changes.value}`, (abort) =>
    service ? loadInstances(service, abort) : Promise.resolve([]),
  );
  const probes = useLoad('probes', `probes ${turn}`, (abort) => withNews(() => loadProbes(undefined, abort)));
  useEffect(() => listen(service, probes), [service]);
  return { services, instances, probes };
}

function listen(service: string | undefined, probes: Loaded<Probe[]>): () => void {
  const source = new EventSource(`/api/v1/live/stream${service ? `?at=${encodeURIComponent(service)}` : ''}`);
  source.onopen = () => {
    if (!listening.value) probes.retry();
    listening.value = true;
  };
  source.onerror = () => {
    listening.value = false;
  };
  const on = <T>(event: string, take: (data: T) => void) =>
    source.addEventListener(event, (message) => take(JSON.parse((message as MessageEvent<string>).data) as T));
  on<Probe>('probe', (probe) => put(probes, probe, true));
  on<{ id: string }>('probe_removed', ({ id }) => drop(probes, id));
  on<{ service?: string }>('instances', () => changes.value++);
  on<SnapshotLine>('capture', (hit) => {
    captured.value = { hit, n: (captured.value?.n ?? 0) + 1 };
  });
  on<{ viewers: { name: string; service?: string }[] }>('viewers', (told) => {
    viewers.value = told.viewers;
  });
  return () => {
    source.close();
    listening.value = false;
    viewers.value = [];
  };
}

/** `told`: by the stream. The answer to a request may come behind what the stream has told of the same revision: then it is the older one. */
export function upsert(list: readonly Probe[], probe: Probe, told: boolean): Probe[] {
  const at = list.findIndex((one) => one.id === probe.id);
  const known = list[at];
  if (!known) return [probe, ...list];
  if (known.revision > probe.revision || (known.revision === probe.revision && !told)) return [...list];
  return list.map((one, index) => (index === at ? probe : one));
}

type Change = (list: readonly Probe[]) => Probe[];

/** What has been heard while each list is on its way. */
const news = new Set<Change[]>();

/** A list that is on its way may have been read before what is heard meanwhile: that is done to it, too. */
export async function withNews(load: () => Promise<Probe[]>): Promise<Probe[]> {
  const heard: Change[] = [];
  news.add(heard);
  try {
    const list = await load();
    return heard.reduce<Probe[]>((now, change) => change(now), list);
  } finally {
    news.delete(heard);
  }
}

function hear(probes: Loaded<Probe[]>, change: Change): void {
  for (const heard of news) heard.push(change);
  if (probes.data.value) probes.data.value = change(probes.data.value);
}

export function put(probes: Loaded<Probe[]>, probe: Probe, told = false): void {
  hear(probes, (list) => upsert(list, probe, told));
}

export function drop(probes: Loaded<Probe[]>, id: string): void {
  hear(probes, (list) => list.filter((one) => one.id !== id));
}

/** Does it, and says what the server had against it. */
export async function run<T>(deed: () => Promise<T>): Promise<T | undefined> {
  refusal.value = undefined;
  try {
    return await deed();
  } catch (error) {
    refusal.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
    return undefined;
  }
}
