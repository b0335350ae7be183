// The rows of the editor that say what a metric or a timer counts.
import { Plus, X } from 'lucide';
import type { Variable } from '../api/probes.ts';
import { Icon } from '../parts/Icon.tsx';
import { BY_MAX, type Draft, METRIC_KINDS, TIMER_NAME } from './draft.ts';
import { ExprField } from './ExprField.tsx';

const WORDS: Record<(typeof METRIC_KINDS)[number], [string, string]> = {
  count: ['counter', 'How often, or the sum of a value'],
  gauge: ['gauge', 'The last value'],
  histogram: ['histogram', 'How a value is distributed'],
};

interface Props {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  variables: readonly Variable[];
  verdict: (name: string) => (fine: boolean) => void;
}

export function MetricRows({ draft, set, variables, verdict }: Props) {
  const timer = draft.kind === 'timer';
  return (
    <>
      <span class="lab">Metric</span>
      <div class="row wrapr">
        {!timer && (
          <span class="seg s" role="group" aria-label="Kind of metric">
            {METRIC_KINDS.map((kind) => (
              <button
                type="button"
                key={kind}
                aria-pressed={draft.metric === kind}
                title={WORDS[kind][1]}
                onClick={() => set({ metric: kind })}
              >
                {WORDS[kind][0]}
              </button>
            ))}
          </span>
        )}
        <input
          class="text mname"
          aria-label="Name of the metric"
          placeholder={timer ? TIMER_NAME : 'orders.placed'}
          value={draft.name}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => set({ name: event.currentTarget.value })}
        />
        {timer && <span class="sm d2">seconds, as a histogram</span>}
      </div>
      {!timer && (
        <>
          <span class="lab">Value</span>
          <ExprField
            as="expression"
            label="Value"
            value={draft.value}
            placeholder={draft.metric === 'count' ? '1 each; or for example len(order.lines)' : 'order.total'}
            variables={variables}
            write={(value) => set({ value })}
            checked={verdict('value')}
          />
        </>
      )}
      <span class="lab">By</span>
      <div class="row wrapr">
        <button
          type="button"
          class="chip o"
          disabled={draft.by.length >= BY_MAX}
          title="A series for each value; at most 64 in a process"
          onClick={() => set({ by: [...draft.by, ['', '']] })}
        >
          <Icon icon={Plus} size={12} />
          attribute
        </button>
        {draft.by.length === 0 && <span class="sm d2">one series a process</span>}
      </div>
      {draft.by.map((pair, index) => (
        <ByRow
          key={index}
          pair={pair}
          index={index}
          variables={variables}
          verdict={verdict}
          write={(next) => set({ by: draft.by.map((one, at) => (at === index ? next : one)) })}
          drop={() => {
            verdict(`by ${draft.by.length - 1}`)(true);
            set({ by: draft.by.filter((_, at) => at !== index) });
          }}
        />
      ))}
    </>
  );
}

interface ByProps extends Pick<Props, 'variables' | 'verdict'> {
  pair: [string, string];
  index: number;
  write: (pair: [string, string]) => void;
  drop: () => void;
}

function ByRow({ pair: [key, text], index, variables, verdict, write, drop }: ByProps) {
  return (
    <>
      <span />
      <div class="row exline">
        <input
          class="text mby"
          aria-label={`Name of attribute ${index + 1}`}
          placeholder="tier"
          value={key}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => write([event.currentTarget.value, text])}
        />
        <span class="d3">=</span>
        <ExprField
          as="expression"
          label={`Value of attribute ${index + 1}`}
          value={text}
          placeholder="order.customer.tier"
          variables={variables}
          write={(next) => write([key, next])}
          checked={verdict(`by ${index}`)}
        />
        <button type="button" class="btn g s i" aria-label={`Remove attribute ${index + 1}`} onClick={drop}>
          <Icon icon={X} size={12} />
        </button>
      </div>
    </>
  );
}
