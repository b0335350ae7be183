// Where in which repository the files of a project's frames stand: uploaded by builds or written here.
import { useState } from 'preact/hooks';
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { Paste } from '../parts/Paste.tsx';
import { isAway, mayAdminister, Refusal, Rows, takeAway, useDeed, When } from './common.tsx';
import { Form, TextField } from './Form.tsx';

interface Mapping {
  id: number;
  stack_root: string;
  source_root: string;
  repository: string;
  branch: string;
  changed?: string;
  changed_by?: string;
}

const at = (slug: string, id?: number) => `/api/v1/projects/${encodeURIComponent(slug)}/code-mappings${id === undefined ? '' : `/${id}`}`;

/** Which one is written: its number, or a new one. */
type Open = number | 'new' | undefined;

export function Mappings({ slug }: { slug: string }) {
  const load = useLoad(`mappings ${slug}`, `mappings ${slug}`, (abort) => getJson<{ mappings: Mapping[] }>(at(slug), {}, abort));
  const deed = useDeed();
  const [open, setOpen] = useState<Open>();
  const remove = (one: Mapping) => takeAway(at(slug, one.id), `The mapping of ${one.stack_root} is taken away`, deed.run, load.retry);
  const saved = () => {
    setOpen(undefined);
    return load.retry();
  };
  return (
    <section class="set-proj" id="mappings" aria-label="Code mappings">
      <h2 class="m">Code mappings</h2>
      <p class="sm d2">
        A frame whose file begins with the stack root has the rest of it below the source root: CODEOWNERS, suspect commits and source lines
        are looked for there. The longest stack root counts.
      </p>
      <Rows of={load} rows={2}>
        {({ mappings }) => {
          const shown = mappings.filter((one) => !isAway(at(slug, one.id)));
          return (
            <>
              {shown.length > 0 ? (
                <MappingRows slug={slug} mappings={shown} remove={remove} open={open} setOpen={setOpen} saved={saved} />
              ) : (
                <>
                  <p class="sm d3">None yet: paths are compared from their ends. A build uploads them with a token of the scope ingest:</p>
                  <Paste name="shell" text={`sentry-cli code-mappings upload --org clew --project ${slug} mappings.json`} />
                </>
              )}
              {mayAdminister() &&
                (open === 'new' ? (
                  <div class="editor">
                    <MappingForm slug={slug} like={shown[0]} close={() => setOpen(undefined)} saved={saved} />
                  </div>
                ) : (
                  <button type="button" class="btn" onClick={() => setOpen('new')}>
                    Add a mapping
                  </button>
                ))}
            </>
          );
        }}
      </Rows>
      <Refusal error={deed.error} />
    </section>
  );
}

interface RowsProps {
  slug: string;
  mappings: Mapping[];
  remove: (one: Mapping) => void;
  open: Open;
  setOpen: (open: Open) => void;
  saved: () => Promise<void>;
}

function MappingRows({ slug, mappings, remove, open, setOpen, saved }: RowsProps) {
  return (
    <table class="tbl">
      <thead>
        <tr>
          <th>Stack root</th>
          <th>Source root</th>
          <th class="wide">Repository</th>
          <th class="wide">Changed</th>
          <th>
            <span class="only-read">Actions</span>
          </th>
        </tr>
      </thead>
      {mappings.map((one) => (
        <tbody key={one.id}>
          <tr>
            <td class="mono path">{one.stack_root}</td>
            <td class="mono path">
              {one.source_root || '.'}
              <span class="sub sm d3">{one.repository}</span>
            </td>
            <td class="wide">
              {one.repository} <span class="d3">{one.branch}</span>
            </td>
            <td class="wide d2">
              <When at={one.changed} /> by {actorWords(one.changed_by)}
            </td>
            <td>
              {mayAdminister() && (
                <>
                  <button
                    type="button"
                    class="btn g s"
                    aria-expanded={open === one.id}
                    aria-label={`Edit the mapping of ${one.stack_root}`}
                    onClick={() => setOpen(open === one.id ? undefined : one.id)}
                  >
                    Edit
                  </button>
                  <button
                    type="button"
                    class="btn g s"
                    aria-label={`Take away the mapping of ${one.stack_root}`}
                    onClick={() => remove(one)}
                  >
                    Take away
                  </button>
                </>
              )}
            </td>
          </tr>
          {open === one.id && (
            <tr class="editor">
              <td colSpan={5}>
                <MappingForm slug={slug} was={one} close={() => setOpen(undefined)} saved={saved} />
              </td>
            </tr>
          )}
        </tbody>
      ))}
    </table>
  );
}

const FIELDS = [
  { key: 'stack_root', label: 'Stack root', example: '/app/', most: 512, need: true },
  { key: 'source_root', label: 'Source root', example: 'services/shop/', most: 512, need: false },
  { key: 'repository', label: 'Repository', example: 'acme/shop', most: 255, need: true },
  { key: 'branch', label: 'Branch', example: 'main', most: 255, need: true },
] as const;

interface FormProps {
  slug: string;
  was?: Mapping;
  /** Of which a new one takes the repository: there is mostly one. */
  like?: Mapping | undefined;
  close: () => void;
  saved: () => Promise<void>;
}

function MappingForm({ slug, was, like, close, saved }: FormProps) {
  const [text, setText] = useState({
    stack_root: was?.stack_root ?? '',
    source_root: was?.source_root ?? '',
    repository: (was ?? like)?.repository ?? '',
    branch: (was ?? like)?.branch ?? 'main',
  });
  const whole = FIELDS.every(({ key, need }) => !need || text[key].trim());
  const same = was !== undefined && FIELDS.every(({ key }) => text[key].trim() === was[key]);
  return (
    <Form
      class="mapform"
      label={was ? `The mapping of ${was.stack_root}` : 'A new mapping'}
      verb={was ? 'Change' : 'Add'}
      ready={whole && !same}
      save={async () => {
        await send(was ? 'PUT' : 'POST', at(slug, was?.id), text);
        await saved();
      }}
      close={close}
    >
      {(error) => (
        <div class="fields">
          {FIELDS.map(({ key, ...field }, index) => (
            <TextField
              {...field}
              key={key}
              mono
              first={index === 0}
              wrong={error?.place === key}
              value={text[key]}
              change={(value) => setText({ ...text, [key]: value })}
            />
          ))}
        </div>
      )}
    </Form>
  );
}
