// Where messages go: a webhook, Slack, mail. A secret is seen once, a test says at once whether it arrives.
import { Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { type Alerts, type Channel, type ChannelType, removeChannel, saveChannel, testChannel } from '../api/alerts.ts';
import { Icon } from '../parts/Icon.tsx';
import { Once, Refusal, useDeed, When } from '../settings/common.tsx';
import { Form, TextField } from '../settings/Form.tsx';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';
import { CHANNEL_ICONS } from './Marks.tsx';

export const TYPES: readonly [ChannelType, string][] = [
  ['webhook', 'Webhook'],
  ['slack', 'Slack'],
  ['mail', 'Mail'],
];

const HELP: Record<ChannelType, { field: string; place: string; says: string }> = {
  webhook: {
    field: 'URL',
    place: 'https://hooks.example.com/clew',
    says: 'Gets a POST with JSON, signed: the header X-Clew-Signature holds the HMAC-SHA256 of the body. A receiver drops repeats by the id in it.',
  },
  slack: {
    field: 'Incoming webhook URL',
    place: 'https://hooks.slack.com/services/…',
    says: 'In Slack: Apps, Incoming Webhooks, add one to a channel, and paste its address. Mattermost, Rocket.Chat and Discord (with /slack behind the address) understand it too.',
  },
  mail: {
    field: 'Addresses',
    place: 'oncall@example.com, ops@example.com',
    says: 'At most 20, with commas between them. One message goes to all of them.',
  },
};

const subject = (id: number) => `alert channel ${id}`;

export function Channels({ channels, rules, mail }: Alerts) {
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; text: string } | undefined>();
  const shown = channels.filter((channel) => pending.value?.subject !== subject(channel.id));
  return (
    <>
      <div class="sec achead">
        <h2>Channels</h2>
        <span class="grow">
          <span class="wide">{shown.length > 0 && 'of a URL only the host is shown: the rest is a secret'}</span>
        </span>
        {!adding && shown.length > 0 && (
          <button type="button" class="btn s" onClick={() => setAdding(true)}>
            <Icon icon={Plus} size={14} />
            Add a channel
          </button>
        )}
      </div>
      {secret && (
        <Once name={`secret of ${secret.name}`} text={secret.text}>
          With this secret {secret.name} checks that messages are Clew's. It is shown this once.
        </Once>
      )}
      {(adding || shown.length === 0) && (
        <ChannelForm
          mail={mail}
          {...(shown.length > 0 && { close: () => setAdding(false) })}
          done={(made, text) => {
            setAdding(false);
            setSecret(text ? { name: made.name, text } : undefined);
            refresh();
          }}
        />
      )}
      {shown.length > 0 && (
        <ul class="alist" aria-label="Channels">
          {shown.map((channel) => (
            <Row key={channel.id} channel={channel} used={rules.filter((rule) => rule.channels.includes(channel.id)).length} mail={mail} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ channel, used, mail }: { channel: Channel; used: number; mail: boolean }) {
  const [editing, setEditing] = useState(false);
  const [tested, setTested] = useState(false);
  const test = useDeed();
  const deed = useDeed();
  const remove = () =>
    later(subject(channel.id), `${channel.name} is deleted`, async (leaving) => {
      if (leaving) return removeChannel(channel.id, true);
      await deed.run(() => removeChannel(channel.id, false));
      refresh();
    });
  return (
    <>
      <li class="al ch">
        <Icon icon={CHANNEL_ICONS[channel.type]} size={16} />
        <div class="at">
          <div class="row">
            <span class="m cut">{channel.name}</span>
            <span class="mono d2 cut">{channel.target}</span>
          </div>
          <div class="sm d3 cut" title={channel.trouble}>
            {channel.trouble ? (
              <span class="err">
                Last failed <When at={channel.last_failed} />: {channel.trouble}
              </span>
            ) : channel.last_sent ? (
              <>
                Last delivered <When at={channel.last_sent} />
              </>
            ) : (
              'Nothing was sent yet'
            )}
            {used === 0 ? ', no rule uses it' : `, ${used} ${used === 1 ? 'rule uses' : 'rules use'} it`}
          </div>
        </div>
        <span class="row acts">
          {test.error ? (
            <span class="sm err cut tres" role="alert" title={test.error.message}>
              {test.error.message}
            </span>
          ) : (
            tested && (
              <span class="sm okc" role="status">
                arrived
              </span>
            )
          )}
          <button
            type="button"
            class="btn s"
            aria-label={`Send a test message to ${channel.name}`}
            disabled={test.busy}
            onClick={() => {
              setTested(false);
              void test
                .run(() => testChannel(channel.id))
                .then((ok) => {
                  setTested(ok);
                  refresh();
                });
            }}
          >
            {test.busy ? 'Sending' : 'Test'}
          </button>
          <button type="button" class="btn g s" aria-label={`Edit ${channel.name}`} onClick={() => setEditing(!editing)}>
            Edit
          </button>
          <button
            type="button"
            class="btn g s"
            aria-label={`Delete ${channel.name}`}
            disabled={used > 0}
            title={used > 0 ? 'A rule uses it: take it out of the rule first' : undefined}
            onClick={remove}
          >
            Delete
          </button>
        </span>
      </li>
      {deed.error && (
        <li>
          <Refusal error={deed.error} />
        </li>
      )}
      {editing && (
        <li class="hl2">
          <ChannelForm
            was={channel}
            mail={mail}
            close={() => setEditing(false)}
            done={() => {
              setEditing(false);
              refresh();
            }}
          />
        </li>
      )}
    </>
  );
}

interface FormProps {
  was?: Channel;
  mail: boolean;
  close?: () => void;
  done: (made: Channel, secret: string | undefined) => void;
}

export function ChannelForm({ was, mail, close, done }: FormProps) {
  const [type, setType] = useState<ChannelType>(was?.type ?? 'webhook');
  const [name, setName] = useState(was?.name ?? '');
  const [target, setTarget] = useState(was?.type === 'mail' ? was.target : '');
  const help = HELP[type];
  const noMail = type === 'mail' && !mail;
  return (
    <Form
      verb={was ? 'Save' : 'Add the channel'}
      ready={!noMail && name.trim() !== '' && (was !== undefined || target.trim() !== '')}
      save={async () => {
        const made = await saveChannel({ name: name.trim(), type, ...(target.trim() && { target: target.trim() }) }, was?.id);
        if (made) done(made.channel, made.secret);
      }}
      close={close}
    >
      {!was && (
        <span class="seg" role="group" aria-label="Kind of channel">
          {TYPES.map(([id, label]) => (
            <button type="button" key={id} aria-pressed={type === id} onClick={() => setType(id)}>
              <Icon icon={CHANNEL_ICONS[id]} size={14} />
              {label}
            </button>
          ))}
        </span>
      )}
      <p class="sm d2 says">{help.says}</p>
      {noMail && (
        <p class="sm wrn says">
          This server sends no mail yet: start it with <code>--smtp smtps://user@mail.example.com</code> and <code>--mail-from</code>.
        </p>
      )}
      <div class="row wrap">
        <TextField label="Name" most={120} example={type === 'mail' ? 'On call' : 'ops'} first value={name} change={setName} />
        <TextField
          label={help.field}
          most={4096}
          example={was && type !== 'mail' ? `${was.target}, as it is` : help.place}
          need={!was}
          mono
          long
          value={target}
          change={setTarget}
        />
      </div>
    </Form>
  );
}
