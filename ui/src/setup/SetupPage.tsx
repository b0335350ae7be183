// Connect a service: what to paste, and beside it, live, what has and has not arrived.
import '../styles/setup.css';
import { ArrowLeftRight, type Cable, ChevronRight, Container, Globe, Network, Terminal, Workflow } from 'lucide';
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
import { movingSteps, sentrySteps } from './sentry.ts';
import { TARGETS, type Target, targetOf, type Wish } from './snippets.ts';
import type { SetupAnswer } from './thread.ts';

const POLL_MS = 1500;
const ICONS: Record<string, typeof Cable> = {
  browser: Globe,
  collector: Workflow,
  docker: Container,
  kubernetes: Network,
  curl: Terminal,
  sentry: ArrowLeftRight,
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
  const dsn = me.value?.dsn;
  const viaSentry = target.sentryOnly || (param('protocol') === 'sentry' && sentrySteps(target.id, '') !== undefined);
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
  const sentry = dsn === undefined ? [] : target.sentryOnly ? movingSteps(dsn, wish.url, 'default') : sentrySteps(target.id, dsn);
  const steps = viaSentry ? (sentry ?? []) : target.steps(wish);
  const mayMake = ['admin', 'ingest'].every((scope) => me.value?.scopes?.includes(scope));
  return (
    <div class="setup">
      <Targets chosen={target} />
      <section class="setup-mid vl scroll" aria-label={`Connect ${target.name}`}>
        <header class="setup-head">
          <h1>
            Connect{' '}
            {viaSentry ? (
              <b>{target.sentryOnly ? 'what Sentry’s SDKs send' : `${target.name} with Sentry’s SDK`}</b>
            ) : (
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
            )}
          </h1>
          <p class="d2">
            {viaSentry ? 'The DSN below is the real one, ready to paste.' : 'The address below is the real one, ready to paste.'}
          </p>
          <p class="d2 key-words">
            {viaSentry ? (
              <>
                It is that of the project default; those of others stand in the{' '}
                <Link href="/settings/projects" follow>
                  projects
                </Link>
                . A DSN may be public.
              </>
            ) : (
              keyWords(load.data.value, key, withKey)
            )}
          </p>
          <div class="row wrap setup-choice">
            <Ways target={target} chosen={viaSentry ? 'sentry' : protocol} />
            <span class="grow" />
            {!viaSentry && !key && mayMake && (
              <button type="button" class="btn" onClick={() => void makeKey()}>
                Make a key
              </button>
            )}
            {!viaSentry && key && !endpoint?.key_needed && (
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
        {viaSentry && !dsn && <p class="why">the project has no key any more: make one in the projects</p>}
        <ol class="steps">
          {steps.map((step, index) => (
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
      <Door load={load} service={service} makeKey={mayMake ? makeKey : undefined} agents={agents.data.value} sentry={viaSentry} />
    </div>
  );
}

/** The ways in which this target can send; nothing to choose where there is one. */
function Ways({ target, chosen }: { target: Target; chosen: string }) {
  const ways: [string, string][] = [
    ...(sentrySteps(target.id, '') ? ([['sentry', 'Sentry SDK']] as [string, string][]) : []),
    ['http/protobuf', 'OTLP over HTTP'],
    ...(target.httpOnly ? [] : ([['grpc', 'over gRPC']] as [string, string][])),
  ];
  if (target.sentryOnly) return null;
  if (ways.length === 1) return <span class="chip">{ways[0]?.[1]}</span>;
  return (
    <span class="seg" role="group" aria-label="Protocol">
      {ways.map(([id, label]) => (
        <button
          type="button"
          key={id}
          aria-pressed={chosen === id}
          onClick={() => setParams({ protocol: id === 'http/protobuf' ? undefined : id })}
        >
          {label}
        </button>
      ))}
    </span>
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
