// What has just been done, and the button that takes it back.
import { pending, undo } from '../state/undo.ts';

export function UndoBar() {
  const waiting = pending.value;
  return (
    <div class="undo-place" role="status">
      {waiting && (
        <div class="undo pop">
          <span>{waiting.says}</span>
          <button type="button" class="btn s" onClick={undo}>
            Undo
          </button>
        </div>
      )}
    </div>
  );
}
