// "Compare": with the one before, a faster one, one that failed (or did not), one that is named, or all of its kind.
import { Scale } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import type { Int } from '../api/types.ts';
import { duration } from '../format/number.ts';
import { clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { trailFromHere } from '../parts/Link.tsx';
import { Popover } from '../parts/Popover.tsx';
import { term } from '../query/write.ts';
import { go, href } from '../state/route.ts';
import type { TraceModel } from './model.ts';

export function CompareMenu({ model }: { model: TraceModel }) {
  return (
    <Popover
      class="btn s"
      title="Compare with another trace, or with all of its kind"
      label={
        <>
          <Icon icon={Scale} size={14} />
          Compare
        </>
      }
    >
      {(close) => <Choices model={model} close={close} />}
    </Popover>
  );
}

interface Root {
  trace: string;
  time: string;
  duration: Int;
  status?: string;
}

export interface Choice {
  label: string;
  root: Root;
}

const AROUND_MS = 3_600_000;

/** Of the others: the one before, the fastest that is faster, and the nearest that ended otherwise. */
export function choicesOf(roots: Root[], id: string, begin: number, length: number, failed: boolean): Choice[] {
  const others = roots.filter((root) => root.trace !== id);
  const at = (root: Root) => parseInstant(root.time).ms;
  const nearest = (list: Root[]) => list.toSorted((a, b) => Math.abs(at(a) - begin) - Math.abs(at(b) - begin))[0];
  const before = others.filter((root) => at(root) <= begin).toSorted((a, b) => at(b) - at(a))[0];
  const fastest = others.toSorted((a, b) => Number(a.duration) - Number(b.duration))[0];
  const otherwise = nearest(others.filter((root) => (root.status === 'error') !== failed));
  const found: [string, Root | undefined][] = [
    ['The one before', before],
    ['A faster one', fastest && Number(fastest.duration) < length ? fastest : undefined],
    [failed ? 'One that did not fail' : 'One that failed', otherwise],
  ];
  return found.flatMap(([label, root]) => (root ? [{ label, root }] : []));
}

function Choices({ model, close }: { model: TraceModel; close: () => void }) {
  const { main } = model;
  const [choices, setChoices] = useState<Choice[] | undefined>();
  const [problem, setProblem] = useState('');
  const [typed, setTyped] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    if (!main) return setChoices([]);
    const query = `spans root=true ${main.row.service ? `${term('service', main.row.service)} ` : ''}${term('name', main.name)} | select trace, time, duration, status`;
    const range = { from: model.begin.ms - AROUND_MS, to: model.begin.ms + AROUND_MS };
    runQuery<Root>(query, range, 1000, abort.signal)
      .then(({ rows }) => setChoices(choicesOf(rows, model.id, model.begin.ms, main.duration, main.error)))
      .catch((error: unknown) => abort.signal.aborted || setProblem(error instanceof Error ? error.message : String(error)));
    return () => abort.abort();
  }, [model.id]);
  const open = (params: Record<string, string>) => {
    close();
    go(href('/compare', { a: model.id, ...params }), { trail: trailFromHere() });
  };
  const id = typed.trim().replaceAll('-', '');
  const valid = /^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(id);
  return (
    <div class="compare-menu">
      <button type="button" class="item" onClick={() => open({ with: 'population' })}>
        All others of its kind <span class="d3 sm">an hour either side</span>
      </button>
      {choices?.map(({ label, root }) => (
        <button type="button" class="item" key={label} onClick={() => open({ b: root.trace })}>
          {label}
          <span class="d3 sm nw">
            {duration(Number(root.duration))}, {clock(parseInstant(root.time).ms)}
          </span>
        </button>
      ))}
      {choices?.length === 0 && <p class="sm d3">No other {main?.name ?? 'trace'} within an hour.</p>}
      {!choices && !problem && <p class="sm d3">Looking for others…</p>}
      {problem && <p class="sm err">{problem}</p>}
      <form
        class="own"
        onSubmit={(event) => {
          event.preventDefault();
          if (valid) open({ b: id });
        }}
      >
        <input
          value={typed}
          placeholder="trace id"
          aria-label="Id of the other trace"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="btn s" disabled={!valid}>
          Compare
        </button>
      </form>
    </div>
  );
}
