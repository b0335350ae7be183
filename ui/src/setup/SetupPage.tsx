// Connect a service: what to paste, and beside it, live, what has and has not arrived.
import '../styles/setup.css';
import { type Cable, ChevronRight, Container, Globe, Network, Terminal, Workflow } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { loadAgents } from '../api/agents.ts';
import { getJson, me, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { usePage } from '../state/page.ts';
import { param, setParams } from '../state/route.ts';
import { Door } from './Door.tsx';
import { TARGETS, type Target, targetOf, type Wish } from './snippets.ts';
import type { SetupAnswer } from './thread.ts';

const POLL_MS = 1500;
const ICONS: Record<string, typeof Cable> = {
  browser: Globe,
  collector: Workflow,
  docker: Container,
  kubernetes: Network,
  curl: Terminal,
};

/** Asks again and again while somebody looks. */
function useSetup() {
  const [turn, setTurn] = useState(0);
  const load = useLoad('setup', String(turn), (abort) => getJson<SetupAnswer>('/api/v1/setup', {}, abort));
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !load.busy.peek()) setTurn((n) => n + 1);
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [load]);
  const agents = useLoad('agents', String(turn), loadAgents);
  return { load, agents };
}

export function SetupPage() {
  usePage({ here: 'Connect a service', tab: 'settings', ranged: false });
  const { load, agents } = useSetup();
  const target = targetOf(param('sdk'));
  const service = param('service') ?? 'checkout';
  const protocol = !target.httpOnly && param('protocol') === 'grpc' ? 'grpc' : 'http/protobuf';
  const [key, setKey] = useState<string | undefined>();
  const [withKey, setWithKey] = useState(false);
  const [error, setError] = useState<string | undefined>();
  const endpoint = load.data.value?.endpoint;
  const wish: Wish = {
    url: endpoint?.url ?? location.origin,
    key: withKey || endpoint?.key_needed ? key : undefined,
    keyNeeded: withKey || (endpoint?.key_needed ?? false),
    service,
    protocol,
  };
  const makeKey = async () => {
    setError(undefined);
    try {
      const made = await send<{ token: string }>('POST', '/api/v1/tokens', {
        name: `${service} (set-up)`.slice(0, 63),
        scopes: ['ingest'],
      });
      setKey(made?.token);
      setWithKey(true);
    } catch (failure) {
      setError(String((failure as Error).message));
    }
  };
  const mayMake = ['admin', 'ingest'].every((scope) => me.value?.scopes?.includes(scope));
  return (
    <div class="setup">
      <Targets chosen={target} />
      <section class="setup-mid vl scroll" aria-label={`Connect ${target.name}`}>
        <header class="setup-head">
          <h1>
            Connect{' '}
            <label>
              <span class="only-read">Name of the service</span>
              <input
                class="service-name"
                value={service}
                size={Math.max(6, service.length)}
                maxLength={60}
                spellcheck={false}
                autocomplete="off"
                onInput={(event) => setParams({ service: event.currentTarget.value || undefined }, { replace: true })}
              />
            </label>
          </h1>
          <p class="d2">The address below is the real one, ready to paste.</p>
          <p class="d2 key-words">{keyWords(load.data.value, key, withKey)}</p>
          <div class="row wrap setup-choice">
            {target.httpOnly ? (
              <span class="chip">OTLP over HTTP</span>
            ) : (
              <span class="seg" role="group" aria-label="Protocol">
                <button type="button" aria-pressed={protocol !== 'grpc'} onClick={() => setParams({ protocol: undefined })}>
                  OTLP over HTTP
                </button>
                <button type="button" aria-pressed={protocol === 'grpc'} onClick={() => setParams({ protocol: 'grpc' })}>
                  over gRPC
                </button>
              </span>
            )}
            <span class="grow" />
            {!key && mayMake && (
              <button type="button" class="btn" onClick={() => void makeKey()}>
                Make a key
              </button>
            )}
            {key && !endpoint?.key_needed && (
              <button type="button" class="btn" aria-pressed={withKey} onClick={() => setWithKey(!withKey)}>
                {withKey ? 'Without the key' : 'With the key'}
              </button>
            )}
          </div>
          {error && (
            <p class="err" role="alert">
              {error}
            </p>
          )}
        </header>
        <ol class="steps">
          {target.steps(wish).map((step, index) => (
            <li key={step.title}>
              <span class="nn" aria-hidden="true">
                {index + 1}
              </span>
              <div class="grow">
                <h2>{step.title}</h2>
                <p class="d2">{step.says}</p>
                {step.snippets.map((snippet) => (
                  <Paste key={snippet.name} name={snippet.name} text={snippet.text} />
                ))}
              </div>
            </li>
          ))}
        </ol>
      </section>
      <Door load={load} service={service} makeKey={mayMake ? makeKey : undefined} agents={agents.data.value} />
    </div>
  );
}

/** Why a key is needed, or not. */
function keyWords(answer: SetupAnswer | undefined, key: string | undefined, withKey: boolean): string {
  if (!answer) return '';
  if (key && (withKey || answer.endpoint.key_needed)) return `The key ends in ${key.slice(-4)}; it is shown this once.`;
  if (answer.endpoint.key_needed) return 'A key is needed: you came here under a name that others can reach.';
  return answer.endpoint.only_this_machine
    ? 'No key needed: nothing but this machine reaches these ports.'
    : 'Programs on this machine need no key; others do.';
}

function Targets({ chosen }: { chosen: Target }) {
  const item = (target: Target) => {
    const icon = ICONS[target.id];
    const here = target.id === chosen.id;
    const { search } = location;
    const params = new URLSearchParams(search);
    params.set('sdk', target.id);
    return (
      <Link class="op" key={target.id} href={`/setup?${params}`} aria-current={here ? 'page' : undefined}>
        {icon ? <Icon icon={icon} size={16} /> : <span class="lt">{target.letters}</span>}
        <span class="grow">
          <span class="m">{target.name}</span>
          <span class="xs d3">{target.says}</span>
        </span>
        {here && <Icon icon={ChevronRight} size={12} class="wide" />}
      </Link>
    );
  };
  return (
    <nav class="ops scroll" aria-label="What is to be connected">
      <div class="sec wide">
        <h2>Connect a service</h2>
      </div>
      <div class="ops-name xs d3">In the code</div>
      {TARGETS.filter((target) => !target.around).map(item)}
      <div class="ops-name xs d3">Around the code</div>
      {TARGETS.filter((target) => target.around).map(item)}
    </nav>
  );
}
