// The code of the service's project as its repository has it: where the host does not show it, or by choice.
import { type Loaded, useLoad } from '../api/load.ts';
import type { Instance, Probe, SourceFile } from '../api/probes.ts';
import { loadRepositoryFile, loadRepositoryFiles, type RepositoryPlace } from '../api/source.ts';
import { plural } from '../format/number.ts';
import { scope } from '../state/scope.ts';
import type { Same } from './same.ts';

export interface Repository {
  project: string;
  /** What the processes say that they run; undefined: nothing. */
  release: string | undefined;
}

/** A file that is shown: as a process has it, or as a repository does. */
export interface Shown extends SourceFile {
  repository?: RepositoryPlace & { path: string; release: string | undefined };
}

/** Of the process that is chosen, or else of the first that can be asked. */
export function releaseOf(service: string, instances: readonly Instance[], process: string | undefined): string | undefined {
  const chosen = instances.find((one) => one.id === process);
  const version = chosen ? chosen.version : instances.find((one) => one.connected && one.attachable !== false && one.version)?.version;
  const known = version ?? (chosen ? undefined : instances.find((one) => one.version)?.version);
  return known && `${service}@${known}`;
}

/** The project is that of the page, where its probes are placed. Null: it names no repository; undefined: that is not known yet. */
export function useRepository(
  service: string,
  instances: readonly Instance[] | undefined,
  process: string | undefined,
  probe: Probe | undefined,
): Repository | null | undefined {
  const project = scope.value.project ?? probe?.project ?? 'default';
  const release = releaseOf(service, instances ?? [], process);
  const key = instances ? `repository ${project} ${release}` : '';
  const top = useLoad(key, key, (abort) => (key ? loadRepositoryFiles(project, release, '', abort) : Promise.resolve(undefined)));
  if (top.data.value) return top.data.value.commit ? { project, release } : null;
  return top.error.value ? null : undefined;
}

/** No process is asked: what it has may be another text. */
export function useRepositoryFile(of: Repository | null | undefined, path: string | undefined): Loaded<Shown | undefined> {
  const key = of && path ? `repository ${of.project} ${of.release} ${path}` : '';
  return useLoad(key, key, async (abort): Promise<Shown | undefined> => {
    if (!of || !path) return undefined;
    const { text, hash, ...place } = await loadRepositoryFile(of.project, of.release, path, abort);
    return { process: '', path, text, hash, repository: { ...place, release: of.release } };
  });
}

/** Which state of the repository that is. */
export function placeWords({ exact, release }: { exact: boolean; release: string | undefined }): string {
  if (exact) return `the commit of ${release}`;
  return release ? `its HEAD: it knows no commit of ${release}` : 'its HEAD: no process says its version';
}

/** Whether what runs is that text, by those processes that told theirs. */
export function runsWords({ same, of }: Same): string {
  if (of > 0 && same === of) return `same text in ${plural(of, 'instance')}`;
  return of > 0 ? `other text in ${of - same} of ${plural(of, 'instance')}` : 'may differ from what runs';
}
