// Is the text that is shown what the other processes run?
import { useEffect, useState } from 'preact/hooks';
import { type Instance, loadSource, type SourceFile } from '../api/probes.ts';

const ASKED_MAX = 16;

export interface Same {
  same: number;
  of: number;
  /** Those whose text is another. */
  others: readonly string[];
}
const NONE: Same = { same: 0, of: 0, others: [] };

/** Asks each of the others for its text of the file; those that do not answer are not counted. */
export function useSame(service: string, source: SourceFile | undefined, instances: readonly Instance[]): Same {
  const [found, setFound] = useState({ key: '', ...NONE });
  const able = instances.filter((one) => one.connected && one.attachable !== false);
  const others = able.filter((one) => one.id !== source?.process).slice(0, ASKED_MAX);
  const key = source ? `${service} ${source.path} ${source.process} ${others.map((one) => one.id).join(' ')}` : '';
  useEffect(() => {
    if (!source || others.length === 0) return;
    const abort = new AbortController();
    void Promise.allSettled(others.map((one) => loadSource(service, one.id, source.path, abort.signal))).then((answers) => {
      if (abort.signal.aborted) return;
      const told = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const differ = told.filter(({ text }) => text !== source.text).map((one) => one.process);
      const own = source.process ? 1 : 0; // a repository is none of them
      setFound({ key, same: own + told.length - differ.length, of: own + told.length, others: differ });
    });
    return () => abort.abort();
  }, [key]);
  return found.key === key ? found : NONE;
}
