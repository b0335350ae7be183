// Taking rows along, as a file.
import { Download } from 'lucide';
import { useRef, useState } from 'preact/hooks';
import { EXPORT_ROWS, exportRows, type Format } from '../api/export.ts';
import { count, plural } from '../format/number.ts';
import { range } from '../state/live.ts';
import { Icon } from './Icon.tsx';
import { Popover } from './Popover.tsx';

/** Of the query as it stands, in the range that is shown. */
export function Export({ query, name, rows }: { query: string; name: string; rows: string }) {
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | undefined>(undefined);
  const run = async (format: Format) => {
    if (busy) return running.current?.abort();
    running.current = new AbortController();
    setBusy(true);
    setSaid('');
    try {
      const { from, to } = range.value;
      const answer = await exportRows(query, { from, to }, format, running.current.signal);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(answer.blob);
      link.download = `${name}-${new Date(from).toISOString().slice(0, 16).replaceAll(':', '')}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      setSaid(`${plural(answer.rows, 'row')} saved${answer.more ? '; there are more, a narrower range has them all' : ''}`);
    } catch (error) {
      setSaid(
        error instanceof DOMException && error.name === 'AbortError' ? 'Stopped' : error instanceof Error ? error.message : String(error),
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <Popover class="btn i" title={`Export ${rows}`} label={<Icon icon={Download} size={14} />}>
      {() => (
        <>
          <p class="tip sm d3">
            {rows}, at most {count(EXPORT_ROWS)}
          </p>
          <button type="button" class="item" onClick={() => void run('csv')}>
            {busy ? 'Stop' : 'CSV, for spreadsheets'}
          </button>
          <button type="button" class="item" onClick={() => void run('ndjson')}>
            {busy ? 'Stop' : 'NDJSON, one object a line'}
          </button>
          <p class="tip sm" role="status">
            {busy ? 'Reading' : said}
          </p>
        </>
      )}
    </Popover>
  );
}
