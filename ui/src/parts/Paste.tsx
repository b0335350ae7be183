import { Check, Copy } from 'lucide';
import { useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';

/** Lines to paste somewhere, with the button that copies them. */
export function Paste({ name, text }: { name: string; text: string }) {
  return (
    <figure class="paste">
      <header>
        <span>{name}</span>
        <CopyButton text={text} label="Copy" />
      </header>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="btn g s" onClick={() => void copy()}>
      <Icon icon={done ? Check : Copy} size={14} />
      {done ? 'Copied' : label}
    </button>
  );
}
