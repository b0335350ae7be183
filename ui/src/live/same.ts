// Is the text that is shown what the other processes run?
import { useEffect, useState } from 'preact/hooks';
import { type Instance, loadSource, type SourceFile } from '../api/probes.ts';

const ASKED_MAX = 16;

/** Asks each of the others for its text of the file; those that do not answer are not counted. */
export function useSame(service: string, source: SourceFile | undefined, instances: readonly Instance[]): { same: number; of: number } {
  const [found, setFound] = useState({ key: '', same: 0, of: 0 });
  const able = instances.filter((one) => one.connected && one.attachable !== false);
  const others = able.filter((one) => one.id !== source?.process).slice(0, ASKED_MAX);
  const key = source ? `${service} ${source.path} ${source.process} ${others.map((one) => one.id).join(' ')}` : '';
  useEffect(() => {
    if (!source || others.length === 0) return;
    const abort = new AbortController();
    void Promise.allSettled(others.map((one) => loadSource(service, one.id, source.path, abort.signal))).then((answers) => {
      if (abort.signal.aborted) return;
      const texts = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value.text] : []));
      setFound({ key, same: 1 + texts.filter((text) => text === source.text).length, of: 1 + texts.length });
    });
    return () => abort.abort();
  }, [key]);
  return found.key === key ? found : { same: 0, of: 0 };
}
