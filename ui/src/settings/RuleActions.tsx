// What stands under rules that are being edited: a refusal that belongs to none of the texts, trying, saving, going back.
import { mayAdminister, type useDeed } from './common.tsx';

interface Props {
  deed: ReturnType<typeof useDeed>;
  /** Places of refusals that are shown elsewhere: under the text they are in. */
  elsewhere: string[];
  /** Whether there is anything to save. */
  changed: boolean;
  save: { label: string; run: () => Promise<unknown>; done: () => void };
  /** The draft as it was before anything was changed. */
  restore: () => void;
  preview?: { says: string; run: () => Promise<unknown> };
}

export function RuleActions({ deed, elsewhere, changed, save, restore, preview }: Props) {
  const { busy, error } = deed;
  return (
    <>
      {error && !elsewhere.includes(error.place ?? '') && (
        <p class="err sm" role="alert">
          {error.message} {error.hint}
        </p>
      )}
      <div class="row wrap">
        {preview && (
          <button type="button" class="btn" disabled={busy} onClick={() => void deed.run(preview.run)}>
            Preview
          </button>
        )}
        {mayAdminister() && (
          <button
            type="button"
            class="btn"
            disabled={busy || !changed}
            onClick={() => void deed.run(save.run).then((ok) => ok && save.done())}
          >
            {save.label}
          </button>
        )}
        {changed && (
          <button type="button" class="btn g" onClick={restore}>
            As before
          </button>
        )}
        {preview && <span class="sm d3">{preview.says}</span>}
      </div>
    </>
  );
}
