// A table of attributes: name, value as it was sent, and what can be done with it.
import { useState } from 'preact/hooks';
import type { Attributes as Bag, Value } from '../api/types.ts';

interface Props {
  bag: Bag;
  /** What a value offers, when the reader points at it. */
  actions?: (name: string, value: Value) => { label: string; run: () => void }[];
}

export function Attributes({ bag, actions }: Props) {
  const names = Object.keys(bag).sort();
  return (
    <table class="attrs">
      <tbody>
        {names.map((name) => (
          <Attribute key={name} name={name} value={bag[name] as Value} actions={actions} />
        ))}
      </tbody>
    </table>
  );
}

export function valueText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Attribute({ name, value, actions }: { name: string; value: Value; actions: Props['actions'] }) {
  const [whole, setWhole] = useState(false);
  const text = valueText(value);
  const kind = typeof value === 'number' || typeof value === 'boolean' ? 'nu' : typeof value === 'object' ? 'ob' : '';
  const long = text.length > 22 || text.includes('\n');
  return (
    <tr>
      <th scope="row" class="d3 mono cut" title={name}>
        {name}
      </th>
      <td class={`mono ${kind}`}>
        {text === '' ? (
          <span class="why">empty</span>
        ) : long ? (
          <button
            type="button"
            class={`val ${whole ? 'whole' : 'cut'}`}
            title={whole ? undefined : text.slice(0, 1000)}
            aria-expanded={whole}
            onClick={() => setWhole(!whole)}
          >
            {text}
          </button>
        ) : (
          <span class="val">{text}</span>
        )}
        {actions && (
          <span class="acts">
            {actions(name, value).map((action) => (
              <button type="button" class="link" key={action.label} onClick={action.run}>
                {action.label}
              </button>
            ))}
          </span>
        )}
      </td>
    </tr>
  );
}
