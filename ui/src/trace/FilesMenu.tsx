// "Files": replays, profiles and attachments of the trace, saved as they were sent.
import { Paperclip } from 'lucide';
import { bytes, count } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { filesInOrder, fileWords } from './files.ts';
import type { TraceModel } from './model.ts';

export function FilesMenu({ model }: { model: TraceModel }) {
  if (model.files.length === 0) return null;
  return (
    <Popover
      class="btn s"
      title="Replays, profiles and files of this trace, as they were sent"
      label={
        <>
          <Icon icon={Paperclip} size={14} />
          Files <span class="d3">{count(model.files.length)}</span>
        </>
      }
    >
      {(close) =>
        filesInOrder(model.files).map((file) => (
          <a key={file.id} class="item" href={file.url} download={file.name ?? ''} onClick={close}>
            {fileWords(file)} <span class="end mono d3">{bytes(file.size)}</span>
          </a>
        ))
      }
    </Popover>
  );
}
