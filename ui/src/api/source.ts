// Files of a project as its repository on the server has them.
import { getJson } from './client.ts';
import type { FileEntry } from './probes.ts';

/** What is read: the repository's state. */
export interface RepositoryPlace {
  commit: string;
  /** It is the commit of the release that was asked for; else what HEAD names. */
  exact: boolean;
}

export interface RepositoryFile extends RepositoryPlace {
  /** In the repository. */
  path: string;
  text: string;
  hash: string;
}

/** Without a commit: the project names no repository. */
export interface RepositoryFiles extends Partial<RepositoryPlace> {
  entries: FileEntry[];
  more: boolean;
}

const of = (project: string) => `/api/v1/projects/${encodeURIComponent(project)}/source`;

export const loadRepositoryFile = (project: string, release: string | undefined, path: string, abort?: AbortSignal) =>
  getJson<RepositoryFile>(of(project), { path, release }, abort);

export const loadRepositoryFiles = (project: string, release: string | undefined, path: string, abort?: AbortSignal) =>
  getJson<RepositoryFiles>(`${of(project)}/files`, { path: path || undefined, release }, abort);
